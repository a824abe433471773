import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { strToU8, unzipSync, zipSync } from 'fflate';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { InputError } from '../../src/formats/errors.ts';
import { readSafetensors } from '../../src/formats/safetensors.ts';
import type { Tensor } from '../../src/formats/tensor.ts';
import { readTorch, type TorchValue } from '../../src/formats/torch.ts';
import { refusesEveryCut, survivesMutations } from './hostile.ts';
import { ops, pickleOf } from './pickles.ts';

const fixture = (name: string) => new URL(`../fixtures/${name}`, import.meta.url).pathname;
const torch = (name: string) => fixture(`formats/torch/${name}.pt`);

let dir: string;
let path: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'torch-'));
  path = join(dir, 'ae.pt');
});
afterAll(() => rm(dir, { recursive: true }));

async function readBytes(bytes: Uint8Array, maxBytes?: number): Promise<TorchValue> {
  await writeFile(path, bytes);
  return readTorch(path, maxBytes);
}

/** As `make_fixtures.py` makes them: entry (i, j) of [3, 4] is 4 i + j - 3. */
const MATRIX = Array.from({ length: 12 }, (_, i) => i - 3);
const asMap = (value: TorchValue) => value as Map<TorchValue, TorchValue>;
const tensorOf = (value: TorchValue, name: TorchValue) => asMap(value).get(name) as Tensor;
const values = ({ data }: Tensor) => Array.from(data, Number);

/** Everything in a result that is a tensor. */
function tensorsIn(value: TorchValue, found: Tensor[] = []): Tensor[] {
  if (Array.isArray(value) || value instanceof Set) for (const item of value) tensorsIn(item, found);
  else if (value instanceof Map) for (const item of value.values()) tensorsIn(item, found);
  else if (typeof value === 'object' && value !== null && 'dtype' in value) found.push(value);
  return found;
}

describe('dictionaries saved by dictionary_learning', () => {
  const shapes: Record<string, Record<string, number[]>> = {
    standard: { bias: [16], 'encoder.weight': [48, 16], 'encoder.bias': [48], 'decoder.weight': [16, 48] },
    jumprelu: { W_enc: [16, 48], b_enc: [48], W_dec: [48, 16], b_dec: [16], threshold: [48] },
    topk: {
      b_dec: [16],
      k: [],
      threshold: [],
      'decoder.weight': [16, 48],
      'encoder.weight': [48, 16],
      'encoder.bias': [48],
    },
  };

  test.each(Object.entries(shapes))('%s has its tensors and their shapes', async (kind, expected) => {
    const state = await readTorch(fixture(`saes/dictionary_learning/${kind}/ae.pt`));
    expect(
      Object.fromEntries(Array.from(asMap(state), ([name, value]) => [name, (value as Tensor).shape])),
    ).toEqual(expected);
  });

  test('the topk dictionary gives the latents that its own software computed', async () => {
    const state = await readTorch(fixture('saes/dictionary_learning/topk/ae.pt'));
    const golden = await readSafetensors(fixture('saes/dictionary_learning/topk/golden.safetensors'));
    const [x, latents] = [values(golden.get('x')!), values(golden.get('latents')!)];
    const [weight, bias, bDec] = ['encoder.weight', 'encoder.bias', 'b_dec'].map((n) =>
      values(tensorOf(state, n)),
    );
    expect(values(tensorOf(state, 'k'))).toEqual([6]);
    let active = 0;
    latents.forEach((value, i) => {
      if (value === 0) return;
      const [row, latent] = [Math.floor(i / 48), i % 48];
      let sum = bias[latent];
      for (let j = 0; j < 16; j++) sum += (x[row * 16 + j] - bDec[j]) * weight[latent * 16 + j];
      expect(sum).toBeCloseTo(value, 5);
      active++;
    });
    expect(active).toBe(20 * 6);
  });

  test.each(['standard', 'gated', 'topk', 'batchtopk', 'jumprelu', 'matryoshka'])(
    '%s is read',
    async (kind) => {
      const state = await readTorch(fixture(`saes/dictionary_learning/${kind}/ae.pt`));
      for (const tensor of tensorsIn(state)) {
        expect(tensor.data.length).toBe(tensor.shape.reduce((product, size) => product * size, 1));
        expect(values(tensor).every(Number.isFinite)).toBe(true);
      }
    },
  );
});

describe.each(['zip', 'legacy'])('files of PyTorch, %s format', (format) => {
  test('every dtype has its values', async () => {
    const read = asMap(await readTorch(torch(`dtypes_${format}`)));
    const expected = {
      float64: 'F64',
      float32: 'F32',
      float16: 'F16',
      bfloat16: 'BF16',
      int64: 'I64',
      int32: 'I32',
      int16: 'I16',
      int8: 'I8',
    };
    for (const [name, dtype] of Object.entries(expected)) {
      const tensor = tensorOf(read, name);
      expect([tensor.dtype, tensor.shape, values(tensor)], name).toEqual([dtype, [3, 4], MATRIX]);
    }
    const [bytes, booleans] = [tensorOf(read, 'uint8'), tensorOf(read, 'bool')];
    expect([bytes.dtype, values(bytes)]).toEqual(['U8', MATRIX.map(Math.abs)]);
    expect([booleans.dtype, values(booleans)]).toEqual(['BOOL', MATRIX.map((x) => Math.abs(x % 2))]);
    expect(read.size).toBe(10);
  });

  test('views that share a storage become tensors of their own, in row-major order', async () => {
    const read = await readTorch(torch(`views_${format}`));
    const seen = (name: string) => {
      const { dtype, shape, data } = tensorOf(read, name);
      expect(dtype).toBe('F32');
      return [shape, [...data].map(Number)];
    };
    expect(seen('transposed')).toEqual([
      [4, 3],
      [-3, 1, 5, -2, 2, 6, -1, 3, 7, 0, 4, 8],
    ]);
    expect(seen('column')).toEqual([[3], [-2, 2, 6]]);
    expect(seen('block')).toEqual([
      [2, 2],
      [2, 3, 6, 7],
    ]);
    expect(seen('expanded')).toEqual([
      [3, 4],
      [-3, -2, -1, 0, -3, -2, -1, 0, -3, -2, -1, 0],
    ]);
    expect(seen('every_other')).toEqual([[6], [-2, 0, 2, 4, 6, 8]]);
    expect(seen('scalar')).toEqual([[], [8]]);
    expect(seen('empty')).toEqual([[0, 4], []]);
    const buffers = tensorsIn(read).map(({ data }) => data.buffer);
    expect(new Set(buffers).size).toBe(buffers.length);
  });

  test('nested plain values have their values, and no key reaches a prototype', async () => {
    checkNested(await readTorch(torch(`nested_${format}`)));
  });

  test('a state dict has its parameters in order; its attributes are left out', async () => {
    const read = await readTorch(torch(`state_dict_${format}`));
    expect([...asMap(read).keys()]).toEqual(['0.weight', '0.bias', '1.weight', '1.bias']);
    expect(values(tensorOf(read, '1.weight'))).toEqual([200, 201, 202, 203, 204, 205]);
  });
});

function checkNested(value: TorchValue): void {
  const read = asMap(value);
  const plain = Object.fromEntries([...read].filter(([key]) => key !== 'parameter' && key !== '__proto__'));
  expect(plain).toEqual({
    none: null,
    true: true,
    int: -7,
    big: 2n ** 62n,
    float: 0.1,
    text: 'é',
    bytes: Uint8Array.of(0, 255),
    tuple: [1, [2, 3]],
    list: [1, [2]],
    set: new Set([1, 2]),
    size: [3, 4],
    dtype: 'torch.float32',
    device: 'cpu',
    ordered: new Map([
      ['z', 1],
      ['a', 2],
    ]),
    5: 'five',
  });
  expect([...asMap(read.get('ordered')!).keys()]).toEqual(['z', 'a']);
  expect(values(tensorOf(read, 'parameter'))).toEqual(MATRIX);
  expect(read.get('__proto__')).toEqual(new Map([['polluted', true]]));
  expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
}

describe('other files of PyTorch', () => {
  test.each([3, 4, 5])('pickle protocol %s is read', async (protocol) => {
    const read = await readTorch(torch(`protocol${protocol}`));
    expect(values(tensorOf(read, 'w'))).toEqual(MATRIX);
    checkNested(asMap(read).get('nested')!);
  });

  test('a bare storage is a tensor of one axis', async () => {
    const storage = (await readTorch(torch('storage'))) as Tensor;
    expect([storage.dtype, storage.shape, values(storage)]).toEqual(['F32', [12], MATRIX]);
  });

  test('a whole module is refused, with what it asks for', async () => {
    await expect(readTorch(torch('module'))).rejects.toThrow(
      /module\.pt: it asks for torch\.nn\.modules\.container\.Sequential, which is not a tensor.*nothing was run/,
    );
  });

  test('big-endian storages, and one that is compressed, have the same values', async () => {
    const members = unzipSync(await readFile(torch('dtypes_zip')));
    const expected = asMap(await readTorch(torch('dtypes_zip')));
    const [root] = Object.keys(members)[0].split('/');
    expect(asMap(await readBytes(zipSync(members, { level: 9 })))).toEqual(expected);
    const widths = [...expected.values()].map((tensor) =>
      /64$/.test((tensor as Tensor).dtype)
        ? 8
        : /32$/.test((tensor as Tensor).dtype)
          ? 4
          : /16$/.test((tensor as Tensor).dtype)
            ? 2
            : 1,
    );
    widths.forEach((width, key) => {
      const bytes = members[`${root}/data/${key}`];
      for (let i = 0; i < bytes.length; i += width) bytes.subarray(i, i + width).reverse();
    });
    members[`${root}/byteorder`] = strToU8('big');
    expect(asMap(await readBytes(zipSync(members, { level: 0 })))).toEqual(expected);
    members[`${root}/byteorder`] = strToU8('middle');
    await expect(readBytes(zipSync(members, { level: 0 }))).rejects.toThrow(/byte order is "middle"/);
  });
});

/** A zip file of `torch.save` around a pickle, with storages of the given bytes. */
function torchFile(pickle: Uint8Array, storages: Record<string, Uint8Array> = {}): Uint8Array {
  const data = Object.entries(storages).map(([key, bytes]) => [`archive/data/${key}`, bytes]);
  return zipSync({ 'archive/data.pkl': pickle, ...Object.fromEntries(data) }, { level: 0 });
}

const { call, dict, global, int, persistent, text, tuple } = ops;
const storage = (elements: number, type = 'FloatStorage', key = '0') =>
  persistent(tuple(text('storage'), global('torch', type), text(key), text('cpu'), int(elements)));
const tensor = (store: Uint8Array, offset: number, shape: number[], strides: number[]) =>
  call(
    global('torch._utils', '_rebuild_tensor_v2'),
    store,
    int(offset),
    tuple(...shape.map(int)),
    tuple(...strides.map(int)),
    Uint8Array.of(0x89),
    call(global('collections', 'OrderedDict')),
  );

describe('tensors that are not what they claim', () => {
  const four = { 0: new Uint8Array(Float32Array.of(1, 2, 3, 4).buffer) };
  const read = (value: Uint8Array, storages: Record<string, Uint8Array> = four) =>
    readBytes(torchFile(pickleOf(value), storages));

  test('the crafted file itself is read', async () => {
    expect(await read(tensor(storage(4), 0, [2, 2], [1, 2]))).toEqual({
      dtype: 'F32',
      shape: [2, 2],
      data: Float32Array.of(1, 3, 2, 4),
    });
  });

  test.each<[string, Uint8Array, RegExp]>([
    ['beyond its storage', tensor(storage(4), 0, [5], [1]), /shape \[5\].*does not fit its storage of 4/],
    ['beyond it by its offset', tensor(storage(4), 2, [3], [1]), /offset 2 does not fit/],
    ['beyond it by its strides', tensor(storage(4), 0, [2, 2], [3, 1]), /strides \[3,1\].*does not fit/],
    ['empty beyond it', tensor(storage(4), 5, [0], [1]), /offset 5 does not fit/],
    ['with more strides than axes', tensor(storage(4), 0, [4], [1, 1]), /1 axes has 2 strides/],
    ['of 65 axes', tensor(storage(4), 0, new Array(65).fill(1), new Array(65).fill(1)), /65 axes/],
    ['of a negative size', tensor(storage(4), 0, [-1], [1]), /shape is not a tuple of whole numbers/],
    ['of a negative stride', tensor(storage(4), 3, [4], [-1]), /strides is not a tuple of whole numbers/],
    ['of a negative offset', tensor(storage(4), -1, [1], [1]), /has no offset/],
    [
      'of terabytes, by strides of 0',
      tensor(storage(4), 0, [2 ** 30, 2 ** 30], [0, 0]),
      /take 4611686018427388000 bytes, the limit is 1048576/,
    ],
    [
      'over a storage of another length',
      tensor(storage(5), 0, [4], [1]),
      /storage "0" has 16 bytes, expected 20/,
    ],
    ['over a storage of petabytes', tensor(storage(2 ** 31 - 1), 0, [4], [1]), /storage "0" has 16 bytes/],
    [
      'over a storage that is not there',
      tensor(storage(4, 'FloatStorage', '../0'), 0, [4], [1]),
      /storage "\.\.\/0" has no bytes/,
    ],
    [
      'over a complex storage',
      tensor(storage(4, 'ComplexFloatStorage'), 0, [4], [1]),
      /asks for torch\.ComplexFloatStorage/,
    ],
    [
      'over an untyped storage without a dtype',
      tensor(
        persistent(
          tuple(text('storage'), global('torch.storage', 'UntypedStorage'), text('0'), text('cpu'), int(16)),
        ),
        0,
        [4],
        [1],
      ),
      /no typed storage/,
    ],
    ['over no storage', tensor(text('storage'), 0, [4], [1]), /no typed storage/],
    ['with too few arguments', call(global('torch._utils', '_rebuild_tensor_v2'), storage(4)), /1 arguments/],
    ['two dtypes for a storage', tuple(storage(4), storage(4, 'IntStorage')), /given two types or lengths/],
    [
      'a persistent id of another kind',
      persistent(tuple(text('module'), int(1), int(2), int(3), int(4))),
      /does not name a storage/,
    ],
    ['a storage type as a value', global('torch', 'FloatStorage'), /holds a storage type/],
    ['a function as a value', global('torch._utils', '_rebuild_tensor_v2'), /holds a function/],
    ['a boolean of 7', tensor(storage(4, 'BoolStorage', 'b'), 0, [4], [1]), /element 3 is 7/],
  ])('%s: refused', async (_, value, message) => {
    const error = await read(value, { ...four, b: Uint8Array.of(0, 1, 0, 7) }).catch(
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(InputError);
    expect((error as Error).message).toMatch(message);
    expect((error as Error).message).toMatch(/ae\.pt: /);
  });

  test('an untyped storage is read with the dtype that a tensor brings', async () => {
    const untyped = persistent(
      tuple(text('storage'), global('torch.storage', 'UntypedStorage'), text('0'), text('cpu'), int(16)),
    );
    const value = call(
      global('torch._utils', '_rebuild_tensor_v3'),
      untyped,
      int(2),
      tuple(int(3)),
      tuple(int(2)),
      Uint8Array.of(0x89),
      call(global('collections', 'OrderedDict')),
      global('torch', 'uint16'),
    );
    const bytes = new Uint8Array(Uint16Array.of(1, 2, 3, 4, 5, 6, 7, 8).buffer);
    expect(await read(value, { 0: bytes })).toEqual({
      dtype: 'U16',
      shape: [3],
      data: Uint16Array.of(3, 5, 7),
    });
  });

  test('many tensors over one large storage are refused, unless the caller allows them', async () => {
    const big = { 0: new Uint8Array(1 << 20) };
    const all = tuple(...Array.from({ length: 20 }, () => tensor(storage(1 << 18), 0, [1 << 18], [1])));
    await expect(read(all, big)).rejects.toThrow(/take 20971520 bytes, the limit is 84\d{5};/);
    const allowed = (await readBytes(torchFile(pickleOf(all), big), 20 << 20)) as Tensor[];
    expect(allowed.length).toBe(20);
  });

  test('the same object met twice is one object, and one set of data', async () => {
    const [a, b] = (await read(
      Uint8Array.from([...tensor(storage(4), 0, [4], [1]), 0x71, 0, 0x68, 0, 0x86]),
    )) as Tensor[];
    expect(a).toBe(b);
  });

  test('objects that contain themselves, too deep or too often the same are refused', async () => {
    const itself = Uint8Array.from([0x5d, 0x71, 0, 0x68, 0, 0x61]);
    await expect(read(itself)).rejects.toThrow(/contains itself/);
    const deep = Uint8Array.from([...new Array(101).fill(0x5d), ...new Array(100).fill(0x61)]);
    await expect(read(deep)).rejects.toThrow(/deeper than 100 levels/);
    // Thirty tuples, each twice the one before.
    const laughs = Uint8Array.from([0x29, ...new Array(30).fill([0x32, 0x86]).flat()]);
    await expect(read(laughs)).rejects.toThrow(/more than 10000000 values/);
  });
});

describe('containers that are not what they claim', () => {
  test.each<[string, Uint8Array, RegExp]>([
    ['an empty file', new Uint8Array(0), /does not begin as a file of torch\.save/],
    ['a text', strToU8('not a torch file at all'), /does not begin/],
    ['a bare pickle', pickleOf(global('posix', 'system')), /pickle of another kind, and was not run/],
    ['a zip archive without a pickle', zipSync({ 'a.txt': strToU8('a') }), /0 members named data\.pkl/],
    [
      'two pickles',
      zipSync({ 'a/data.pkl': pickleOf(int(1)), 'b/data.pkl': pickleOf(int(1)) }),
      /2 members named/,
    ],
  ])('%s: refused', async (_, bytes, message) => {
    await expect(readBytes(bytes)).rejects.toThrow(message);
    await expect(readBytes(bytes)).rejects.toThrow(InputError);
  });

  test('a storage of the older format that claims petabytes costs nothing', async () => {
    const magic = (await readFile(torch('dtypes_legacy'))).subarray(0, 15);
    const huge = 2n ** 40n;
    const length = Buffer.alloc(8);
    length.writeBigInt64LE(huge);
    const elements = Uint8Array.from([0x8a, 6, 0, 0, 0, 0, 0, 1]);
    const store = persistent(
      tuple(text('storage'), global('torch', 'FloatStorage'), text('k'), text('cpu'), elements),
    );
    const file = Buffer.concat([
      magic,
      pickleOf(int(1001)),
      pickleOf(dict([text('little_endian'), Uint8Array.of(0x88)])),
      pickleOf(tensor(store, 0, [4], [1])),
      pickleOf(Uint8Array.from([0x5d, ...text('k'), 0x61])),
      length,
    ]);
    await expect(readBytes(file)).rejects.toThrow(/storage "k" ends at byte .* It is truncated/);
  });

  test('a storage of zeros that inflates to a thousand times its size is refused, unless the caller allows it', async () => {
    const elements = 1 << 20;
    const pickle = pickleOf(tensor(storage(elements), 0, [elements], [1]));
    const bomb = zipSync({ 'a/data.pkl': pickle, 'a/data/0': new Uint8Array(4 * elements) }, { level: 9 });
    expect(bomb.length).toBeLessThan(8000);
    await expect(readBytes(bomb)).rejects.toThrow(/inflate to 41\d{5} bytes, the limit is/);
    expect(((await readBytes(bomb, 5 * elements)) as Tensor).data.length).toBe(elements);
  });

  test('a cut of the older format anywhere is noticed', async () => {
    await refusesEveryCut(await readFile(torch('views_legacy')), 5, (cut) => readBytes(cut));
    await refusesEveryCut(await readFile(torch('views_zip')), 40, (cut) => readBytes(cut));
  });

  test('changed bytes give values, or an InputError', async () => {
    const check = (value: unknown) => {
      for (const { shape, data } of tensorsIn(value as TorchValue))
        expect(data.length).toBe(shape.reduce((product, size) => product * size, 1));
    };
    await survivesMutations(
      await readFile(torch('views_legacy')),
      400,
      (mutated) => readBytes(mutated),
      check,
    );
    await survivesMutations(await readFile(torch('nested_zip')), 100, (mutated) => readBytes(mutated), check);
    // Within an archive whose checksums are right, so that the pickle is reached.
    const members = unzipSync(await readFile(torch('views_zip')));
    const name = Object.keys(members).find((member) => member.endsWith('data.pkl'))!;
    await survivesMutations(
      members[name],
      400,
      (mutated) => readBytes(zipSync({ ...members, [name]: mutated }, { level: 0 })),
      check,
    );
  });
});
