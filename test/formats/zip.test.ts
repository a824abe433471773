import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { strToU8, unzipSync, zipSync } from 'fflate';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { InputError } from '../../src/formats/errors.ts';
import { withZip, writeZip } from '../../src/formats/zip.ts';
import { refusesEveryCut, survivesMutations } from './hostile.ts';

let dir: string;
let path: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'zip-'));
  path = join(dir, 'archive.zip');
});
afterAll(() => rm(dir, { recursive: true }));

async function readAll(bytes: Uint8Array, maxBytes?: number): Promise<Map<string, Uint8Array>> {
  await writeFile(path, bytes);
  return withZip(
    path,
    async (archive) => {
      const contents = new Map<string, Uint8Array>();
      for (const name of archive.members.keys()) contents.set(name, await archive.read(name));
      return contents;
    },
    maxBytes,
  );
}

const name = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 8 })
  .filter((text) => !/[\\/:\0]/.test(text) && text !== '..' && text !== '__proto__');
const contents = fc.dictionary(name, fc.uint8Array({ maxLength: 300 }), { maxKeys: 6 });
const plain = (bytes: Uint8Array) => [...bytes];
const plainMap = (map: Iterable<readonly [string, Uint8Array]>) =>
  Object.fromEntries(Array.from(map, ([key, bytes]) => [key, plain(bytes)]));

describe('round trip', () => {
  test('what another library writes, stored or deflated, is read', async () => {
    await fc.assert(
      fc.asyncProperty(contents, fc.constantFrom(0 as const, 6 as const), async (members, level) => {
        const read = await readAll(zipSync({ ...members }, { level }), 1e6);
        expect(plainMap(read)).toEqual(plainMap(Object.entries(members)));
      }),
      { numRuns: 40 },
    );
  });

  test('what is written is read, here and by another library, and the same members give the same bytes', async () => {
    await fc.assert(
      fc.asyncProperty(contents, async (members) => {
        const pieces = Object.entries(members).map(
          ([key, bytes]) => [key, [bytes.subarray(0, 5), bytes.subarray(5)]] as const,
        );
        await writeZip(path, pieces);
        const written = await readFile(path);
        expect(plainMap(await readAll(written))).toEqual(plainMap(Object.entries(members)));
        expect(plainMap(Object.entries(unzipSync(written)))).toEqual(plainMap(Object.entries(members)));
        await writeZip(path, pieces);
        expect(Buffer.compare(await readFile(path), written)).toBe(0);
      }),
      { numRuns: 40 },
    );
  });

  test('a name that no reader would take is refused and leaves no file', async () => {
    const at = await mkdtemp(join(dir, 'names-'));
    for (const bad of ['../a', '/a', 'C:/a', 'a\\b', 'a/../../b'])
      await expect(writeZip(join(at, 'a.zip'), [[bad, []]]), bad).rejects.toThrow(RangeError);
    expect(await readdir(at)).toEqual([]);
  });

  test('an archive that would need zip64 is refused by name and leaves no file', async () => {
    const at = await mkdtemp(join(dir, 'large-'));
    const pieces = new Array<Uint8Array>(2 ** 17).fill(new Uint8Array(2 ** 15));
    await expect(writeZip(join(at, 'a.zip'), [['huge', pieces]])).rejects.toThrow(
      /a\.zip: member "huge" would/,
    );
    expect(await readdir(at)).toEqual([]);
  });
});

describe('hostile archives', () => {
  const STORED = { level: 0 } as const;
  /** Two stored members of 100 bytes. */
  const two = () => zipSync({ aaaa: new Uint8Array(100).fill(1), bbbb: new Uint8Array(100).fill(2) }, STORED);
  /** Changes bytes at a place that counts from the n-th directory entry. */
  function inDirectory(bytes: Uint8Array, n: number, offset: number, values: number[]): Uint8Array {
    let at = -1;
    for (let i = 0; i <= n; i++) at = Buffer.from(bytes).indexOf(Buffer.from('PK\x01\x02', 'latin1'), at + 1);
    bytes.set(values, at + offset);
    return bytes;
  }
  const u32 = (value: number) => [...new Uint8Array(Uint32Array.of(value).buffer)];
  const renamed = (to: string) => {
    const bytes = Buffer.from(zipSync({ abcdefgh: strToU8('x') }, STORED));
    for (let at = bytes.indexOf('abcdefgh'); at >= 0; at = bytes.indexOf('abcdefgh')) bytes.write(to, at);
    return bytes;
  };
  const zeros = (size: number) => zipSync({ bomb: new Uint8Array(size) }, { level: 9 });

  const cases: [string, () => Uint8Array, RegExp][] = [
    ['an empty file', () => new Uint8Array(0), /cannot be read as a zip archive/],
    ['a text', () => strToU8('no archive, but longer than twenty-two bytes'), /cannot be read as a zip/],
    ['a bomb that tells its size', () => zeros(1e7), /inflate to 10000000 bytes, the limit is/],
    [
      'a bomb that claims more than deflate can do',
      () => inDirectory(zeros(1e5), 0, 24, u32(2 ** 31)),
      /more than deflate/,
    ],
    [
      'a bomb that claims less than it holds',
      () => inDirectory(zeros(1e7), 0, 24, u32(1000)),
      /does not inflate to its 1000 bytes/,
    ],
    [
      'a member that claims more than it holds',
      () => inDirectory(zipSync({ m: strToU8('deflated '.repeat(20)) }), 0, 24, u32(200)),
      /inflates to 180 bytes/,
    ],
    [
      'a stored member with two sizes',
      () => inDirectory(two(), 0, 24, u32(1000)),
      /cannot be read.*mismatch/,
    ],
    ['overlapping members', () => inDirectory(two(), 1, 42, u32(0)), /"bbbb" overlaps "aaaa"/],
    [
      'a member beyond the file',
      () => inDirectory(inDirectory(two(), 1, 20, u32(9999)), 1, 24, u32(9999)),
      /truncated.*overflows file bounds/,
    ],
    ['a local header beyond the file', () => inDirectory(two(), 1, 42, u32(2 ** 31)), /lie beyond its end/],
    [
      'an encrypted member',
      () => inDirectory(inDirectory(two(), 0, 8, [1, 0]), 0, 20, u32(112)),
      /"aaaa".*encrypted/,
    ],
    ['another compression', () => inDirectory(two(), 0, 10, [14, 0]), /"aaaa".*method 14/],
    [
      'a name given twice',
      () => {
        const bytes = Buffer.from(two());
        for (let at = bytes.indexOf('bbbb'); at >= 0; at = bytes.indexOf('bbbb')) bytes.write('aaaa', at);
        return bytes;
      },
      /"aaaa": the name is given twice/,
    ],
    ['a name with ..', () => renamed('../../ab'), /cannot be read.*invalid relative path/],
    ['an absolute name', () => renamed('/etc/abc'), /cannot be read.*absolute path/],
    ['a drive', () => renamed('C:/abcde'), /cannot be read.*absolute path/],
    ['a backslash', () => renamed('..\\..\\ab'), /cannot be read.*invalid characters/],
    ['a wrong checksum', () => inDirectory(two(), 0, 16, [0, 0, 0, 0]), /"aaaa": its checksum.*damaged/],
  ];

  test.each(cases)('%s: refused, with the file named', async (_, make, message) => {
    const error = await readAll(make()).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(InputError);
    expect((error as Error).message).toMatch(message);
    expect((error as Error).message).toContain('archive.zip');
  });

  test('places beyond what a number can tell apart are refused, not thrown where nobody catches', async () => {
    const locator = Buffer.alloc(20);
    locator.writeUInt32LE(0x07064b50, 0);
    locator.writeBigUInt64LE(2n ** 63n, 8);
    const end = Buffer.alloc(22);
    end.writeUInt32LE(0x06054b50, 0);
    await expect(readAll(Buffer.concat([locator, end]))).rejects.toThrow(InputError);
  });

  test('a million members that are not there are refused', async () => {
    const record = Buffer.alloc(56);
    record.writeUInt32LE(0x06064b50, 0);
    record.writeBigUInt64LE(10n ** 9n, 32);
    const locator = Buffer.alloc(20);
    locator.writeUInt32LE(0x07064b50, 0);
    const end = Buffer.alloc(22);
    end.writeUInt32LE(0x06054b50, 0);
    await expect(readAll(Buffer.concat([record, locator, end]))).rejects.toThrow(/1000000000 members/);
  });

  test('a larger limit lets a compressible file pass', async () => {
    const read = await readAll(zeros(1e6), 1e6);
    expect(read.get('bomb')?.length).toBe(1e6);
  });

  test('a member that is not there, and a missing file, are named', async () => {
    await writeFile(path, two());
    await expect(withZip(path, (archive) => archive.read('cc'))).rejects.toThrow(
      /member "cc": there is no such/,
    );
    await expect(withZip(join(dir, 'none'), async () => 0)).rejects.toThrow(/none: there is no such file/);
  });

  test('a cut anywhere is noticed, and changed bytes give members or an InputError', async () => {
    const bytes = zipSync({ a: [strToU8('stored'), { level: 0 }], b: strToU8('deflated '.repeat(20)) });
    await refusesEveryCut(bytes, 1, (cut) => readAll(cut));
    await survivesMutations(bytes, 400, (mutated) => readAll(mutated));
  });
});
