import { mkdtemp, open, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { InputError } from '../../src/formats/errors.ts';
import {
  decodeSafetensors,
  readSafetensors,
  readSafetensorsHeader,
  readTensorRows,
  type Tensor,
  writeSafetensors,
} from '../../src/formats/safetensors.ts';
import { anyTensor } from './tensors.ts';

const fixture = (name: string) =>
  new URL(`../fixtures/formats/${name}.safetensors`, import.meta.url).pathname;
const FIXTURES = [
  'saelens_topk',
  'sparsify',
  'transformers_llama_golden',
  'safetensors_0.8_dtypes',
  'safetensors_0.8_numpy',
];

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'safetensors-'));
});
afterAll(() => rm(dir, { recursive: true }));

/** A file from the text of its header, to say what no writer would. */
function craft(header: string, data = 0): Uint8Array {
  const json = Buffer.from(header);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  return Buffer.concat([length, json, Buffer.alloc(data)]);
}

const tensorHeader = (shape: unknown, offsets: unknown, dtype: unknown = 'F32') =>
  JSON.stringify({ w: { dtype, shape, data_offsets: offsets } });

describe('files written by other software', () => {
  test('every dtype of the safetensors library has its values', async () => {
    const tensors = await readSafetensors(fixture('safetensors_0.8_dtypes'));
    const values = Object.fromEntries([...tensors].map(([name, { data }]) => [name, data]));
    expect(values).toEqual({
      u8: Uint8Array.of(0, 1, 2, 3, 4),
      f16: Float32Array.of(0.5, -1.25, 65504, 2 ** -24, Infinity, 1638 / 2 ** 14),
      i32: Int32Array.of(-1, 2 ** 31 - 1),
      u32: Uint32Array.of(2 ** 32 - 1),
      f32: Float32Array.of(0.1, -0),
      f64: Float64Array.of(0.1),
      i64: BigInt64Array.of(-(2n ** 63n), 2n ** 63n - 1n),
      empty: new Float32Array(0),
      é: Float32Array.of(1),
      10: Float32Array.of(1),
      9: Float32Array.of(1),
    });
    expect(tensors.get('f64')?.shape).toEqual([]);
    expect(tensors.get('empty')?.shape).toEqual([0, 3]);
    const { metadata } = await readSafetensorsHeader(fixture('safetensors_0.8_dtypes'));
    expect(metadata).toEqual({ a: 'é', b: '2' });
  });

  test('every dtype of NumPy that the library takes has its values', async () => {
    const tensors = await readSafetensors(fixture('safetensors_0.8_numpy'));
    const matrix = Array.from({ length: 12 }, (_, i) => i - 3);
    for (const dtype of ['f2', 'f4', 'f8', 'i1', 'i2', 'i4', 'i8', 'u1', 'u2', 'u4', 'u8', 'b1']) {
      const expected =
        dtype === 'b1' ? (x: number) => Math.abs(x % 2) : dtype.startsWith('u') ? Math.abs : Number;
      expect(Array.from(tensors.get(dtype)!.data, Number), dtype).toEqual(matrix.map((x) => expected(x)));
    }
    expect(['i1', 'i2', 'u2', 'u8', 'b1'].map((dtype) => tensors.get(dtype)?.dtype)).toEqual([
      'I8',
      'I16',
      'U16',
      'U64',
      'BOOL',
    ]);
  });

  test('a SAELens file has its tensors, their shapes and their values', async () => {
    const tensors = await readSafetensors(fixture('saelens_topk'));
    expect(Object.fromEntries([...tensors].map(([name, { shape }]) => [name, shape]))).toEqual({
      W_dec: [48, 16],
      W_enc: [16, 48],
      b_dec: [16],
      b_enc: [48],
    });
    const ends = ({ data }: Tensor) => [data[0], data[data.length - 1]];
    expect(ends(tensors.get('W_dec')!)).toEqual([0.009355069138109684, 0.1947150081396103]);
    expect(ends(tensors.get('b_enc')!)).toEqual([0.14651407301425934, -0.14911293983459473]);
  });

  test.each(FIXTURES)('%s, written again, has the same bytes', async (name) => {
    const original = await readFile(fixture(name));
    const { metadata } = await readSafetensorsHeader(fixture(name));
    const tensors = Object.fromEntries(await readSafetensors(fixture(name)));
    const copy = join(dir, `${name}.copy`);
    await writeSafetensors(copy, tensors, metadata);
    expect(Buffer.compare(await readFile(copy), original)).toBe(0);
  });
});

describe('round trip', () => {
  const name = fc.string({ unit: 'grapheme' }).filter((text) => !text.startsWith('__'));

  test('whatever is written is read, and written to the same bytes in any order of keys', async () => {
    const [first, second] = [join(dir, 'first'), join(dir, 'second')];
    await fc.assert(
      fc.asyncProperty(fc.dictionary(name, anyTensor), async (tensors) => {
        await writeSafetensors(first, tensors, { b: '1', a: '2' });
        expect(Object.fromEntries(await readSafetensors(first))).toEqual({ ...tensors });
        const reversed = Object.fromEntries(Object.entries(tensors).reverse());
        await writeSafetensors(second, reversed, { a: '2', b: '1' });
        const bytes = await readFile(first);
        expect(Buffer.compare(bytes, await readFile(second))).toBe(0);
        expect(bytes.readBigUInt64LE() % 8n).toBe(0n);
        expect(decodeSafetensors(bytes, 'first')).toEqual(await readSafetensors(first));
      }),
      { numRuns: 40 },
    );
  });

  test('a view into a larger array writes its own elements only', async () => {
    const path = join(dir, 'view');
    const data = Float32Array.of(1, 2, 3, 4).subarray(1, 3);
    await writeSafetensors(path, { v: { dtype: 'F32', shape: [2], data } });
    expect((await readSafetensors(path)).get('v')?.data).toEqual(Float32Array.of(2, 3));
  });

  test('data that do not fit their shape are refused and leave no file', async () => {
    const at = await mkdtemp(join(dir, 'misfit-'));
    const tensors: Record<string, Tensor> = { w: { dtype: 'F32', shape: [3], data: new Float32Array(2) } };
    await expect(writeSafetensors(join(at, 'w'), tensors)).rejects.toThrow(
      /2 elements do not fit shape \[3\]/,
    );
    expect(await readdir(at)).toEqual([]);
  });
});

describe('rows', () => {
  test('a range of rows is the same part of the whole', async () => {
    const path = fixture('saelens_topk');
    const { tensors } = await readSafetensorsHeader(path);
    const whole = (await readSafetensors(path)).get('W_dec')?.data as Float32Array;
    const file = await open(path);
    try {
      const entry = tensors.get('W_dec')!;
      expect(await readTensorRows(file, entry, 5, 7)).toEqual(whole.slice(5 * 16, 12 * 16));
      expect(await readTensorRows(file, entry, 48, 0)).toEqual(new Float32Array(0));
      await expect(readTensorRows(file, entry, 47, 2)).rejects.toThrow(RangeError);
      await expect(readTensorRows(file, entry, -1, 2)).rejects.toThrow(RangeError);
    } finally {
      await file.close();
    }
  });

  test('a file that has become shorter since its header was read is named', async () => {
    const path = join(dir, 'shrunk');
    const bytes = await readFile(fixture('saelens_topk'));
    await writeFile(path, bytes);
    const { tensors } = await readSafetensorsHeader(path);
    await writeFile(path, bytes.subarray(0, 4000));
    const file = await open(path);
    await expect(readTensorRows(file, tensors.get('b_enc')!, 0, 48)).rejects.toThrow(
      /shrunk.*b_enc.*truncated/,
    );
    await file.close();
  });
});

describe('damaged and hostile files', () => {
  const cases: [string, Uint8Array, RegExp][] = [
    ['empty', new Uint8Array(0), /0 bytes long/],
    ['length only in part', new Uint8Array(7), /7 bytes long/],
    ['header longer than the file', craft('{}').subarray(0, 9), /has 9 bytes.*truncated/],
    ['header length of 2^63', Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 128, 123, 125), /limit is 100000000/],
    ['header that is not JSON', craft('{"w":'), /not JSON/],
    ['header that is not an object', craft('[1]'), /not a JSON object/],
    [
      'header that is not UTF-8',
      Buffer.concat([craft('{}   ').subarray(0, 9), Uint8Array.of(255, 255, 255, 255)]),
      /not JSON/,
    ],
    ['deep nesting', craft('['.repeat(1_000_000)), /nested deeper/],
    [
      'a tensor twice',
      craft('{"w":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"\\u0077":{}}'),
      /given twice/,
    ],
    ['__proto__', craft('{"__proto__":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}'), /__proto__/],
    ['metadata of numbers', craft('{"__metadata__":{"a":1}}'), /__metadata__/],
    ['entry that is null', craft('{"w":null}'), /"w".*not an object/],
    ['unknown dtype', craft(tensorHeader([1], [0, 1], 'F8_E4M3'), 1), /"w".*F8_E4M3/],
    ['dtype of Object.prototype', craft(tensorHeader([1], [0, 1], 'toString'), 1), /"w".*toString/],
    ['negative shape', craft(tensorHeader([-1, -1], [0, 4]), 4), /"w".*shape \[-1,-1\]/],
    ['fractional shape', craft(tensorHeader([0.5, 2], [0, 4]), 4), /"w".*shape/],
    ['huge shape', craft(tensorHeader([2 ** 40, 2 ** 40], [0, 4]), 4), /"w".*takes.*bytes/],
    ['shape that is a string', craft(tensorHeader('4', [0, 4]), 4), /"w".*shape/],
    ['shape x dtype of another size', craft(tensorHeader([2], [0, 4]), 4), /"w".*takes 8 bytes.*4/],
    ['offsets turned round', craft(tensorHeader([1], [4, 0]), 4), /"w".*data_offsets \[4,0\]/],
    ['one offset', craft(tensorHeader([1], [4]), 4), /"w".*data_offsets/],
    ['offsets beyond the file', craft(tensorHeader([2], [0, 8]), 4), /"w".*file has .* truncated/],
    ['a gap', craft(tensorHeader([1], [4, 8]), 8), /"w".*leaves a gap/],
    ['bytes after the last tensor', craft(tensorHeader([1], [0, 4]), 5), /tensors end at byte/],
    [
      'overlap',
      craft(
        '{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}',
        8,
      ),
      /"b".*overlaps/,
    ],
  ];

  test.each(cases)('%s: refused, with the file named', async (name, bytes, message) => {
    const path = join(dir, 'hostile.safetensors');
    await writeFile(path, bytes);
    for (const attempt of [() => readSafetensors(path), async () => decodeSafetensors(bytes, path)]) {
      const error = await attempt().then(
        () => undefined,
        (reason: unknown) => reason,
      );
      expect(error, name).toBeInstanceOf(InputError);
      expect((error as Error).message).toMatch(message);
      expect((error as Error).message).toContain('hostile.safetensors');
    }
  });

  test('a boolean that is neither 0 nor 1 is refused', () => {
    const bytes = craft(tensorHeader([2], [0, 2], 'BOOL'), 2);
    bytes[bytes.length - 1] = 7;
    expect(() => decodeSafetensors(bytes, 'hostile')).toThrow(/hostile: tensor "w": element 1 is 7/);
  });

  test('a missing file and a directory are named', async () => {
    await expect(readSafetensors(join(dir, 'none'))).rejects.toThrow(/none: there is no such file.*ENOENT/);
    await expect(readSafetensors(dir)).rejects.toThrow(InputError);
  });

  test('a cut anywhere is noticed', async () => {
    const bytes = await readFile(fixture('safetensors_0.8_dtypes'));
    for (let length = 0; length < bytes.length; length++) {
      expect(() => decodeSafetensors(bytes.subarray(0, length), 'cut')).toThrow(InputError);
    }
  });

  test('changed bytes give tensors that fill the file, or an InputError, and nothing else', async () => {
    const bytes = await readFile(fixture('safetensors_0.8_dtypes'));
    const headerEnd = 8 + Number(bytes.readBigUInt64LE());
    const position = fc.oneof(fc.nat(bytes.length - 1), fc.nat(headerEnd - 1));
    const changes = fc.array(fc.tuple(position, fc.nat(255)), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(changes, (list) => {
        const damaged = Uint8Array.from(bytes);
        for (const [at, byte] of list) damaged[at] = byte;
        let tensors: Map<string, Tensor>;
        try {
          tensors = decodeSafetensors(damaged, 'damaged');
        } catch (error) {
          expect(error).toBeInstanceOf(InputError);
          return;
        }
        const elements = [...tensors.values()].map(({ data }) => data.length);
        expect(elements.reduce((sum, n) => sum + n, 0)).toBeLessThanOrEqual(bytes.length);
        for (const { shape, data } of tensors.values()) {
          expect(data.length).toBe(shape.reduce((product, size) => product * size, 1));
        }
      }),
      { numRuns: 2000 },
    );
  });
});
