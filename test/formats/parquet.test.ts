import { mkdtemp, open, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { parquetMetadataAsync } from 'hyparquet';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { InputError } from '../../src/formats/errors.ts';
import {
  readParquet,
  readParquetGroups,
  writeParquet,
  writeParquetGroups,
} from '../../src/formats/parquet.ts';

const fixture = (name: string) => new URL(`../fixtures/formats/${name}.parquet`, import.meta.url).pathname;

let dir: string;
let path: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'parquet-'));
  path = join(dir, 'table.parquet');
});
afterAll(() => rm(dir, { recursive: true }));

describe('files written by other software', () => {
  test.each(['pyarrow_25', 'duckdb_1.5'])('%s: scalars, lists and nulls have their values', async (name) => {
    expect(await readParquet(fixture(name))).toEqual([
      { text: 'one', id: 1n, score: 0.5, tokens: ['a', 'b'], acts: [0.5] },
      { text: 'two é', id: 2n ** 40n, score: -1.25, tokens: [], acts: [] },
      { text: null, id: 3n, score: 2, tokens: ['c', null], acts: [1.5, 2.5] },
    ]);
  });

  test('columns can be chosen; one that is not there is named, with those that are', async () => {
    expect(await readParquet(fixture('pyarrow_25'), ['score'])).toEqual([
      { score: 0.5 },
      { score: -1.25 },
      { score: 2 },
    ]);
    await expect(readParquet(fixture('pyarrow_25'), ['nope'])).rejects.toThrow(
      /pyarrow_25\.parquet: there is no column nope; it has text, id, score, tokens, acts$/,
    );
  });

  test('a compression that cannot be read is named', async () => {
    await expect(readParquet(fixture('pyarrow_25_zstd'))).rejects.toThrow(
      /zstd\.parquet: cannot be read.*ZSTD/,
    );
  });
});

describe('round trip', () => {
  const text = fc.string({ unit: 'grapheme' });
  const row = fc.record({
    flag: fc.boolean(),
    latent: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
    firings: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    activation: fc.float(),
    density: fc.double(),
    kind: text,
    tokens: fc.array(text, { maxLength: 4 }),
    activations: fc.array(fc.float(), { maxLength: 4 }),
    indices: fc.array(fc.nat(9), { maxLength: 4 }),
  });
  const types = {
    flag: 'BOOLEAN',
    latent: 'INT32',
    firings: 'INT64',
    activation: 'FLOAT',
    density: 'DOUBLE',
    kind: 'STRING',
    tokens: 'STRING[]',
    activations: 'FLOAT[]',
    indices: 'INT32[]',
  } as const;
  const names = Object.keys(types) as (keyof typeof types)[];

  test('every type and list is read as it was written, in no rows and in many', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(row, { maxLength: 20 }), async (rows) => {
        await writeParquet(
          path,
          names.map((name) => ({ name, type: types[name], data: rows.map((values) => values[name]) })),
        );
        expect(await readParquet(path)).toEqual(rows.map((values) => ({ ...values })));
      }),
      { numRuns: 60 },
    );
  });

  test('types are told from the data, and the same data give the same bytes', async () => {
    const columns = [
      { name: 'i', data: Int32Array.of(1, 2) },
      { name: 'd', data: [1, 2] },
      { name: 's', data: ['a', 'b'] },
      { name: 'l', data: [[], ['x']] },
      { name: 'f', data: [new Float32Array(0), Float32Array.of(0.1)] },
    ];
    await writeParquet(path, columns);
    const bytes = await readFile(path);
    expect(await readParquet(path)).toEqual([
      { i: 1, d: 1, s: 'a', l: [], f: [] },
      { i: 2, d: 2, s: 'b', l: ['x'], f: [Math.fround(0.1)] },
    ]);
    await writeParquet(path, columns);
    expect(Buffer.compare(await readFile(path), bytes)).toBe(0);
  });

  test('tables longer than a page come back whole', async () => {
    const rows = 3000;
    const tokens = Array.from({ length: rows }, (_, i) =>
      Array.from({ length: i % 65 }, (_, j) => `t${(i * j) % 97}`),
    );
    const activations = tokens.map((list, i) => Float32Array.from(list, (_, j) => i + j / 64));
    await writeParquet(path, [
      { name: 'tokens', data: tokens },
      { name: 'activations', data: activations },
    ]);
    const read = await readParquet(path);
    expect(read.map((values) => values.tokens)).toEqual(tokens);
    expect(read.map((values) => values.activations)).toEqual(activations.map((list) => [...list]));
  });
});

describe('row groups', () => {
  const columns = [
    { name: 'latent', type: 'INT32' },
    { name: 'tokens', type: 'STRING[]' },
  ] as const;
  /** Ten latents, three rows of each, two latents in each row group. */
  const rows = Array.from({ length: 30 }, (_, i) => ({
    latent: Math.floor(i / 3),
    tokens: Array.from({ length: i % 4 }, (_, j) => ` t${(i + j) % 5}`),
  }));
  function* groups() {
    for (let i = 0; i < rows.length; i += 6) {
      const some = rows.slice(i, i + 6);
      yield [some.map(({ latent }) => latent), some.map(({ tokens }) => tokens)];
    }
  }
  async function* slowly<T>(values: Iterable<T>) {
    for (const value of values) {
      await new Promise(setImmediate);
      yield value;
    }
  }
  const read = async (path: string, among?: number[]) => {
    const read = [];
    const where = among && { column: 'latent', among };
    for await (const group of readParquetGroups(path, { where })) read.push(group);
    return read;
  };

  test('come back in order, whether they were given at once or over time', async () => {
    for (const source of [groups(), slowly(groups())]) {
      await writeParquetGroups(path, columns, source);
      expect(await readParquet(path)).toEqual(rows);
      const found = await read(path);
      expect(found.map(({ firstRow, rows }) => [firstRow, rows])).toEqual(
        [0, 6, 12, 18, 24].map((i) => [i, 6]),
      );
      expect(found[4].columns.get('tokens')).toEqual(rows.slice(24).map(({ tokens }) => tokens));
    }
  });

  test('none, and empty ones, make a table without rows', async () => {
    for (const source of [[], [[[], []]]]) {
      await writeParquetGroups(path, columns, source);
      expect(await readParquet(path)).toEqual([]);
    }
  });

  test('one is written before the next is asked for', async () => {
    const at = await mkdtemp(join(dir, 'pieces-'));
    const sizes: number[] = [];
    async function* watched() {
      for (const group of groups()) {
        const [temporary] = await readdir(at);
        sizes.push((await readFile(join(at, temporary))).length);
        yield group;
      }
    }
    await writeParquetGroups(join(at, 'table'), columns, watched());
    expect(sizes[0]).toBe(0);
    for (let i = 1; i < sizes.length; i++) expect(sizes[i]).toBeGreaterThan(sizes[i - 1]);
    expect(await readdir(at)).toEqual(['table']);
  });

  test('a source that fails, or a later group with a faulty value, leaves no file', async () => {
    const at = await mkdtemp(join(dir, 'failing-'));
    const fault = new Error('no more');
    async function* failing() {
      yield* groups();
      throw fault;
    }
    await expect(writeParquetGroups(join(at, 'table'), columns, failing())).rejects.toBe(fault);
    expect(await readdir(at)).toEqual([]);
    const faulty = [
      ...groups(),
      [
        [10, 10.5],
        [[], []],
      ],
    ];
    await expect(writeParquetGroups(join(at, 'table'), columns, faulty)).rejects.toThrow(
      /column latent, row 31: 10\.5 is not INT32/,
    );
    expect(await readdir(at)).toEqual([]);
  });

  test('those that cannot hold a wanted value are not read: their bytes may be anything', async () => {
    await writeParquetGroups(path, columns, groups());
    const { buffer, byteOffset, byteLength } = await readFile(path);
    const metadata = await parquetMetadataAsync(
      buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer,
    );
    const file = await open(path, 'r+');
    for (const i of [0, 2, 3]) {
      const { columns: chunks, total_compressed_size } = metadata.row_groups[i];
      await file.write(
        Buffer.alloc(Number(total_compressed_size), 0xff),
        0,
        null,
        Number(chunks[0].file_offset),
      );
    }
    await file.close();
    const found = await read(path, [3, 9, 40]);
    expect(found.map(({ firstRow }) => firstRow)).toEqual([6, 24]);
    expect(found.flatMap(({ columns }) => [...columns.get('latent')!])).toEqual([
      2, 2, 2, 3, 3, 3, 8, 8, 8, 9, 9, 9,
    ]);
    expect(await read(path, [40])).toEqual([]);
    await expect(read(path, [4])).rejects.toThrow(InputError);
  });

  test('a column to choose by that is not there is named', async () => {
    const groups = readParquetGroups(fixture('pyarrow_25'), { where: { column: 'nope', among: [1] } });
    await expect(groups.next()).rejects.toThrow(/there is no column nope/);
  });
});

describe('refused on writing, with the column named and no file left', () => {
  test.each([
    [
      'lengths that differ',
      [
        { name: 'a', data: [1] },
        { name: 'b', data: [1, 2] },
      ],
      /column b has 2 rows, a has 1/,
    ],
    ['a null', [{ name: 'a', data: ['x', null] }], /column a, row 1: null is not STRING/],
    [
      'a fraction as INT32',
      [{ name: 'a', data: [1.5], type: 'INT32' as const }],
      /column a, row 0: 1\.5 is not INT32/,
    ],
    ['2^31 as INT32', [{ name: 'a', data: [2 ** 31], type: 'INT32' as const }], /is not INT32/],
    ['2^63 as INT64', [{ name: 'a', data: [2n ** 63n] }], /is not INT64/],
    [
      'a string for a list',
      [{ name: 'a', data: ['xy'], type: 'STRING[]' as const }],
      /row 0: xy is not a list/,
    ],
    ['a number in a list of strings', [{ name: 'a', data: [['x'], [1]] }], /row 1: 1 is not STRING/],
    ['no rows and no type', [{ name: 'a', data: [] }], /column a: its type cannot be told/],
  ])('%s', async (_, columns, message) => {
    const at = await mkdtemp(join(dir, 'refused-'));
    await expect(writeParquet(join(at, 'table'), columns)).rejects.toThrow(message);
    expect(await readdir(at)).toEqual([]);
  });
});

describe('damaged files', () => {
  test('a cut anywhere is an InputError that names the file', async () => {
    const bytes = await readFile(fixture('duckdb_1.5'));
    for (let length = 0; length < bytes.length; length += 3) {
      await writeFile(path, bytes.subarray(0, length));
      const error = await readParquet(path).catch((reason: unknown) => reason);
      expect(error, `cut to ${length}`).toBeInstanceOf(InputError);
      expect((error as Error).message).toContain(path);
    }
  });

  test('a changed byte of the footer gives rows or an InputError, and leaves no rejection behind', async () => {
    const bytes = await readFile(fixture('duckdb_1.5'));
    const footer = bytes.length - 8 - bytes.readUInt32LE(bytes.length - 8);
    for (let at = footer; at < bytes.length; at++) {
      const damaged = Uint8Array.from(bytes);
      damaged[at] ^= 0xff;
      await writeFile(path, damaged);
      const result = await readParquet(path).catch((reason: unknown) => reason);
      expect(result instanceof InputError || Array.isArray(result), `byte ${at}: ${result}`).toBe(true);
    }
  });

  test('a missing file, a directory and a text file are named', async () => {
    await expect(readParquet(join(dir, 'none'))).rejects.toThrow(/none: there is no such file/);
    await expect(readParquet(dir)).rejects.toThrow(InputError);
    await writeFile(path, 'text,id\none,1\n');
    await expect(readParquet(path)).rejects.toThrow(/table\.parquet: cannot be read as Parquet/);
  });
});
