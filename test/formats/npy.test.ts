import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { zipSync } from 'fflate';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { InputError } from '../../src/formats/errors.ts';
import { openNpyMatrix, readNpy, writeNpy } from '../../src/formats/npy.ts';
import { readNpz, writeNpz } from '../../src/formats/npz.ts';
import { readSafetensors } from '../../src/formats/safetensors.ts';
import type { Tensor } from '../../src/formats/tensor.ts';
import { refusesEveryCut, survivesMutations } from './hostile.ts';
import { anyTensor } from './tensors.ts';

const fixture = (name: string) => new URL(`../fixtures/${name}`, import.meta.url).pathname;
const numpy = (name: string) => fixture(`formats/numpy/${name}`);
const readFixture = async (name: string) => readNpy(await readFile(numpy(name)), name);

let dir: string;
let path: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'npy-'));
  path = join(dir, 'array.npy');
});
afterAll(() => rm(dir, { recursive: true }));

/** As `make_fixtures.py` makes them: entry (i, j) of [3, 4] is 4 i + j - 3. */
const MATRIX = Array.from({ length: 12 }, (_, i) => i - 3);
const values = ({ data }: Tensor) => Array.from(data, Number);

function checkShape({ shape, data }: Tensor, bytes: number): void {
  expect(data.length).toBe(shape.reduce((product, size) => product * size, 1));
  expect(data.length).toBeLessThanOrEqual(bytes);
}

describe('files written by NumPy', () => {
  test.each([
    ['f2', 'F16'],
    ['f4', 'F32'],
    ['f8', 'F64'],
    ['i1', 'I8'],
    ['i2', 'I16'],
    ['i4', 'I32'],
    ['i8', 'I64'],
    ['big_endian_f2', 'F16'],
    ['big_endian_f4', 'F32'],
    ['big_endian_i8', 'I64'],
    ['fortran_f4', 'F32'],
    ['version2', 'F32'],
    ['version3', 'F32'],
  ])('%s has its values, as %s', async (name, dtype) => {
    const tensor = await readFixture(`${name}.npy`);
    expect([tensor.dtype, tensor.shape, values(tensor)]).toEqual([dtype, [3, 4], MATRIX]);
  });

  test('unsigned integers and booleans have their values', async () => {
    for (const [name, dtype] of [
      ['u1', 'U8'],
      ['u2', 'U16'],
      ['u4', 'U32'],
      ['u8', 'U64'],
    ]) {
      const tensor = await readFixture(`${name}.npy`);
      expect([tensor.dtype, values(tensor)]).toEqual([dtype, MATRIX.map(Math.abs)]);
    }
    const booleans = await readFixture('b1.npy');
    expect([booleans.dtype, values(booleans)]).toEqual(['BOOL', MATRIX.map((x) => Math.abs(x % 2))]);
  });

  test('a scalar, an empty array and three axes in column-major order', async () => {
    expect(await readFixture('scalar.npy')).toEqual({ dtype: 'F64', shape: [], data: Float64Array.of(0.1) });
    expect(await readFixture('empty.npy')).toEqual({
      dtype: 'F32',
      shape: [0, 3],
      data: new Float32Array(0),
    });
    const cube = await readFixture('fortran_3d_i2.npy');
    expect([cube.shape, values(cube)]).toEqual([[2, 3, 4], Array.from({ length: 24 }, (_, i) => i)]);
  });

  test.each([
    'f2',
    'f4',
    'f8',
    'i1',
    'i2',
    'i4',
    'i8',
    'u1',
    'u2',
    'u4',
    'u8',
    'b1',
    'scalar',
    'empty',
    'vector',
  ])('%s, written again, has the same bytes', async (name) => {
    await writeNpy(path, await readFixture(`${name}.npy`));
    expect(Buffer.compare(await readFile(path), await readFile(numpy(`${name}.npy`)))).toBe(0);
  });

  test.each([
    ['object', /'\|O'.*pickles and are never read/],
    ['records', /describes records/],
    ['complex', /dtype "<c16" is not supported/],
    ['strings', /dtype "<U2" is not supported/],
  ])('%s: refused by name', async (name, message) => {
    await expect(readFixture(`${name}.npy`)).rejects.toThrow(message);
    await expect(readFixture(`${name}.npy`)).rejects.toThrow(InputError);
  });
});

describe('round trip', () => {
  const tensor = anyTensor.filter(({ dtype }) => dtype !== 'BF16');

  test('whatever is written is read', async () => {
    await fc.assert(
      fc.asyncProperty(tensor, async (written) => {
        await writeNpy(path, written);
        const bytes = await readFile(path);
        expect(readNpy(bytes, 'array')).toEqual(written);
        const header = 10 + bytes.readUInt16LE(8);
        expect(header % 64).toBe(0);
      }),
      { numRuns: 100 },
    );
  });

  test('data that do not fit their shape, and BF16, are refused and leave no file', async () => {
    const at = await mkdtemp(join(dir, 'misfit-'));
    const misfit: Tensor = { dtype: 'F32', shape: [3], data: new Float32Array(2) };
    await expect(writeNpy(join(at, 'a'), misfit)).rejects.toThrow(/2 elements do not fit shape \[3\]/);
    const brain: Tensor = { dtype: 'BF16', shape: [2], data: new Float32Array(2) };
    await expect(writeNpy(join(at, 'a'), brain)).rejects.toThrow(/no dtype BF16/);
    expect(await readdir(at)).toEqual([]);
  });
});

describe('a matrix that stays on disk', () => {
  test.each(['f4', 'f2', 'big_endian_f4', 'big_endian_f2'])(
    '%s: rows are the same part of the whole',
    async (name) => {
      const matrix = await openNpyMatrix(numpy(`${name}.npy`));
      try {
        expect([matrix.rows, matrix.width]).toEqual([3, 4]);
        expect(await matrix.readRows(1, 2)).toEqual(Float32Array.from(MATRIX.slice(4)));
        expect(await matrix.readRows(0, 1)).toEqual(Float32Array.from(MATRIX.slice(0, 4)));
        expect(await matrix.readRows(3, 0)).toEqual(new Float32Array(0));
        for (const [first, count] of [
          [-1, 1],
          [2, 2],
          [0, -1],
          [0.5, 1],
          [0, Number.NaN],
        ])
          await expect(matrix.readRows(first, count)).rejects.toThrow(RangeError);
      } finally {
        await matrix.close();
      }
    },
  );

  test('a file that has become shorter since it was opened is named', async () => {
    const bytes = await readFile(numpy('f4.npy'));
    await writeFile(path, bytes);
    const matrix = await openNpyMatrix(path);
    await writeFile(path, bytes.subarray(0, bytes.length - 4));
    await expect(matrix.readRows(2, 1)).rejects.toThrow(/array\.npy.*truncated/);
    await matrix.close();
  });

  test.each(['fortran_f4', 'f8', 'vector', 'i4'])('%s: refused, with what it holds', async (name) => {
    await expect(openNpyMatrix(numpy(`${name}.npy`))).rejects.toThrow(
      /expected a matrix of float32 or float16/,
    );
  });

  test('a cut anywhere is noticed, as is a missing file', async () => {
    await refusesEveryCut(await readFile(numpy('f4.npy')), 7, async (cut) => {
      await writeFile(path, cut);
      await (await openNpyMatrix(path)).close();
    });
    await expect(openNpyMatrix(join(dir, 'none'))).rejects.toThrow(/none: there is no such file/);
  });
});

describe('damaged and hostile headers', () => {
  const craft = (header: string, data = 0, version = 1) => {
    const length = version === 1 ? 2 : 4;
    const prefix = Buffer.alloc(8 + length);
    prefix.set([0x93, ...Buffer.from('NUMPY'), version, 0]);
    prefix.writeUIntLE(header.length, 8, length);
    return Buffer.concat([prefix, Buffer.from(header, 'latin1'), Buffer.alloc(data)]);
  };
  const header = (shape: string, descr = "'<f4'", order = 'False') =>
    `{'descr': ${descr}, 'fortran_order': ${order}, 'shape': ${shape}, }`;

  test.each<[string, Uint8Array, RegExp]>([
    ['empty', new Uint8Array(0), /does not begin as a \.npy/],
    ['another format', Buffer.from('PK\x03\x04 and so on'), /does not begin/],
    ['version 4', craft(header('(1,)'), 4, 4), /version 4\.0/],
    ['a header beyond the file', craft(header('(1,)')).subarray(0, 20), /truncated/],
    [
      'a header of 4 GiB',
      Buffer.concat([craft('', 0, 2).subarray(0, 8), Buffer.alloc(4, 255)]),
      /limit is 65535/,
    ],
    ['fewer bytes than the shape', craft(header('(2,)'), 4), /takes 8 bytes, but 4 follow/],
    ['more bytes than the shape', craft(header('(2,)'), 12), /takes 8 bytes, but 12 follow/],
    [
      'a shape beyond all memory',
      craft(header('(9007199254740991, 9007199254740991)'), 4),
      /takes .* bytes, but 4/,
    ],
    [
      'a shape that overflows to nothing',
      craft(header(`(${'4294967296, '.repeat(2)})`), 0),
      /takes .* bytes/,
    ],
    ['a size beyond whole numbers', craft(header('(99999999999999999999,)'), 4), /shape that is not/],
    ['a negative size', craft(header('(-1,)'), 4), /cannot be read from character/],
    ['a fraction', craft(header('(0.5,)'), 4), /cannot be read from character/],
    ['65 axes', craft(header(`(${'1, '.repeat(65)})`), 4), /shape that is not/],
    ['a number in brackets, no tuple', craft(header('(1)'), 4), /shape that is not/],
    ['a call', craft(header("__import__('os').system('true')"), 4), /cannot be read from character/],
    ['a call as descr', craft(header('(1,)', 'eval("1")'), 4), /cannot be read from character/],
    ['text after the dictionary', craft(`${header('(1,)')} + 1`, 4), /goes on after/],
    ['a key twice', craft(`${header('(1,)').slice(0, -1)}'shape': (2,)}`, 4), /has the key shape twice/],
    ['a key too many', craft(`${header('(1,)').slice(0, -1)}'x': (2,)}`, 4), /other keys/],
    ['a key too few', craft("{'descr': '<f4', 'shape': (1,)}", 4), /other keys/],
    [
      'fortran_order that is a string',
      craft(header('(1,)', "'<f4'", "'no'"), 4),
      /fortran_order that is not/,
    ],
    ['descr that is True', craft(header('(1,)', 'True'), 4), /descr that is not/],
    ['objects within bytes', craft(header('(1,)', "'|O'"), 8), /never read/],
    ['native byte order', craft(header('(1,)', "'=f4'"), 4), /"=f4" is not supported/],
    ['a boolean of 7', Buffer.concat([craft(header('(1,)', "'|b1'")), Uint8Array.of(7)]), /element 0 is 7/],
  ])('%s: refused, with the file named', (_, bytes, message) => {
    expect(() => readNpy(bytes, 'hostile.npy')).toThrow(message);
    expect(() => readNpy(bytes, 'hostile.npy')).toThrow(InputError);
    expect(() => readNpy(bytes, 'hostile.npy')).toThrow(/^hostile\.npy/);
  });

  test('a header of spaces and commas without end takes no time', () => {
    for (const filler of [' ', ',', '(', "'", '0', '1, ', "'a': True,"]) {
      const text = `{${filler.repeat(65_000 / filler.length)}`;
      expect(() => readNpy(craft(text, 4), 'long.npy')).toThrow(InputError);
      expect(() =>
        readNpy(craft(header(`(${filler.repeat(60_000 / filler.length)}`), 4), 'long.npy'),
      ).toThrow(InputError);
    }
  });

  test('other spellings of the same header are read', () => {
    for (const text of [
      '{"shape":(2,),"descr":"<f4","fortran_order":True}',
      "  { 'descr' : '<f4','fortran_order':False , 'shape':( 2L , ) , }   \n",
    ])
      expect(readNpy(craft(text, 8), 'spelling').shape).toEqual([2]);
  });

  test('a cut anywhere is noticed, and changed bytes give a tensor that fits the file, or an InputError', async () => {
    for (const name of ['f4', 'fortran_3d_i2', 'version2']) {
      const bytes = await readFile(numpy(`${name}.npy`));
      await refusesEveryCut(bytes, 1, (cut) => readNpy(cut, 'cut'));
      await survivesMutations(
        bytes,
        300,
        (mutated) => readNpy(mutated, 'mutated'),
        (tensor) => checkShape(tensor as Tensor, bytes.length + 200),
      );
    }
  });
});

describe('npz', () => {
  test("Gemma Scope's parameters have their shapes, and give the activations computed from them", async () => {
    const at = fixture('saes/gemma_scope/layer_1/width_48/average_l0_6');
    const parameters = await readNpz(join(at, 'params.npz'));
    expect(
      Object.fromEntries([...parameters].map(([name, { dtype, shape }]) => [name, [dtype, ...shape]])),
    ).toEqual({
      W_enc: ['F32', 16, 48],
      W_dec: ['F32', 48, 16],
      b_enc: ['F32', 48],
      b_dec: ['F32', 16],
      threshold: ['F32', 48],
    });
    const golden = await readSafetensors(join(at, 'golden.safetensors'));
    const [x, latents] = [golden.get('x')!, golden.get('latents')!];
    const [wEnc, bEnc, threshold] = ['W_enc', 'b_enc', 'threshold'].map((name) =>
      values(parameters.get(name)!),
    );
    const expected = Array.from({ length: 20 * 48 }, (_, i) => {
      const [row, latent] = [Math.floor(i / 48), i % 48];
      let sum = bEnc[latent];
      for (let j = 0; j < 16; j++) sum += Number(x.data[row * 16 + j]) * wEnc[j * 48 + latent];
      return sum > threshold[latent] ? sum : 0;
    });
    values(latents).forEach((value, i) => {
      expect(value).toBeCloseTo(expected[i], 4);
    });
  });

  test('what savez and savez_compressed write', async () => {
    const stored = await readNpz(numpy('stored.npz'));
    expect([...stored.keys()]).toEqual(['W', 'b']);
    expect(values(stored.get('W')!)).toEqual(MATRIX);
    expect(stored.get('b')).toEqual({ dtype: 'F64', shape: [4], data: Float64Array.of(0, 1, 2, 3) });
    const compressed = await readNpz(numpy('compressed.npz'));
    expect(values(compressed.get('W')!)).toEqual(MATRIX);
    expect(compressed.get('zeros')).toEqual({ dtype: 'F32', shape: [8, 64], data: new Float32Array(512) });
  });

  test('whatever is written is read, and the same tensors give the same bytes', async () => {
    const name = fc
      .stringMatching(/^[A-Za-z_.]{1,10}$/)
      .filter((text) => !/^\.+$/.test(text) && text !== '__proto__');
    const tensors = fc.dictionary(
      name,
      anyTensor.filter(({ dtype }) => dtype !== 'BF16'),
      { maxKeys: 5 },
    );
    await fc.assert(
      fc.asyncProperty(tensors, async (written) => {
        await writeNpz(path, written);
        const bytes = await readFile(path);
        expect(Object.fromEntries(await readNpz(path))).toEqual({ ...written });
        await writeNpz(path, new Map(Object.entries(written)));
        expect(Buffer.compare(await readFile(path), bytes)).toBe(0);
      }),
      { numRuns: 40 },
    );
  });

  test('a member that is no array, and one of objects, are named', async () => {
    await writeFile(path, zipSync({ 'readme.txt': Buffer.from('text') }));
    await expect(readNpz(path)).rejects.toThrow(/array\.npy: member "readme\.txt" is not an array/);
    await writeFile(path, zipSync({ 'a.npy': await readFile(numpy('object.npy')) }, { level: 0 }));
    await expect(readNpz(path)).rejects.toThrow(/member "a\.npy".*never read/);
  });

  test('a cut anywhere is noticed, and changed bytes give tensors or an InputError', async () => {
    const read = async (bytes: Uint8Array) => {
      await writeFile(path, bytes);
      return readNpz(path);
    };
    const gemma = await readFile(fixture('saes/gemma_scope/layer_1/width_48/average_l0_6/params.npz'));
    await refusesEveryCut(gemma, 50, read);
    await survivesMutations(await readFile(numpy('compressed.npz')), 300, read);
  });
});
