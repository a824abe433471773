/**
 * What the names in a file of `torch.save` may stand for: storages, the functions of `torch._utils` that make tensors
 * of them, and a few plain types; nothing else. Tensors are views here, checked against their storage before any
 * data are read. It must not know how the file holds the storages.
 */

import {
  PickleFunction,
  type PickleHost,
  PickleOpaque,
  PickleOrderedDict,
  PickleTuple,
  type PickleValue,
} from './pickle.ts';
import { DTYPE_BYTES, type Dtype, elementCount, isSizes } from './tensor.ts';

/** Bytes that the file keeps under a key; several tensors may look into them. */
export class Storage extends PickleOpaque {
  readonly kind = 'a storage';
  readonly key: string;
  /** Undefined where the storage is untyped: then each tensor brings its own. */
  readonly dtype: Dtype | undefined;
  readonly bytes: number;
  constructor(key: string, dtype: Dtype | undefined, elements: number) {
    super();
    this.key = key;
    this.dtype = dtype;
    this.bytes = elements * (dtype === undefined ? 1 : DTYPE_BYTES[dtype]);
  }
}

/** A tensor that has not been read: offset and strides count elements. All of it lies within its storage. */
export class TensorView extends PickleOpaque {
  readonly kind = 'a tensor';
  readonly storage: Storage;
  readonly dtype: Dtype;
  readonly shape: number[];
  readonly strides: number[];
  readonly offset: number;
  constructor(storage: Storage, dtype: Dtype, shape: number[], strides: number[], offset: number) {
    super();
    this.storage = storage;
    this.dtype = dtype;
    this.shape = shape;
    this.strides = strides;
    this.offset = offset;
  }
}

/** A class such as `torch.FloatStorage`, as a persistent id names it. */
class StorageType extends PickleOpaque {
  readonly kind = 'a storage type';
  readonly dtype: Dtype | undefined;
  constructor(dtype: Dtype | undefined) {
    super();
    this.dtype = dtype;
  }
}

const MAX_RANK = 64;

const STORAGE_DTYPES: Readonly<Record<string, Dtype>> = {
  DoubleStorage: 'F64',
  FloatStorage: 'F32',
  HalfStorage: 'F16',
  BFloat16Storage: 'BF16',
  LongStorage: 'I64',
  IntStorage: 'I32',
  ShortStorage: 'I16',
  CharStorage: 'I8',
  ByteStorage: 'U8',
  BoolStorage: 'BOOL',
};

/** By the names under which PyTorch pickles them. */
const TORCH_DTYPES: ReadonlyMap<string, Dtype> = new Map([
  ['float64', 'F64'],
  ['float32', 'F32'],
  ['float16', 'F16'],
  ['bfloat16', 'BF16'],
  ['int64', 'I64'],
  ['int32', 'I32'],
  ['int16', 'I16'],
  ['int8', 'I8'],
  ['uint64', 'U64'],
  ['uint32', 'U32'],
  ['uint16', 'U16'],
  ['uint8', 'U8'],
  ['bool', 'BOOL'],
]);

/** The whole table: a name that is not in it is refused. */
const GLOBALS: ReadonlyMap<string, PickleValue> = new Map<string, PickleValue>([
  ['collections OrderedDict', new PickleFunction(orderedDict)],
  ['builtins set', new PickleFunction(set)],
  ['__builtin__ set', new PickleFunction(set)],
  ['builtins frozenset', new PickleFunction(set)],
  ['__builtin__ frozenset', new PickleFunction(set)],
  ['_codecs encode', new PickleFunction(encodeLatin1)],
  ['torch Size', new PickleFunction(size)],
  ['torch device', new PickleFunction(device)],
  ['torch._utils _rebuild_tensor', new PickleFunction((args) => rebuildTensor(args, 4, 4))],
  ['torch._utils _rebuild_tensor_v2', new PickleFunction((args) => rebuildTensor(args, 6, 7))],
  ['torch._utils _rebuild_tensor_v3', new PickleFunction(rebuildTensorWithDtype)],
  ['torch._utils _rebuild_parameter', new PickleFunction(rebuildParameter)],
  ['torch.storage UntypedStorage', new StorageType(undefined)],
  ...Object.entries(STORAGE_DTYPES).map(
    ([name, dtype]) => [`torch ${name}`, new StorageType(dtype)] as [string, PickleValue],
  ),
  ...Array.from(TORCH_DTYPES.keys(), (name) => [`torch ${name}`, `torch.${name}`] as [string, PickleValue]),
]);

/** For one file: the storages that its persistent ids name are collected in `storages`. */
export function torchHost(storages: Map<string, Storage>): PickleHost {
  return { globals: GLOBALS, persistent: (id) => persistentStorage(id, storages) };
}

/** `('storage', type, key, location, elements)`; the older format adds a view, which has been None since 2018. */
function persistentStorage(id: PickleValue, storages: Map<string, Storage>): Storage {
  const fields = id instanceof PickleTuple ? id.items : [];
  const [tag, type, key, , elements, view] = fields;
  if (fields.length < 5 || fields.length > 6 || tag !== 'storage' || !(type instanceof StorageType)) {
    throw new RangeError('it does not name a storage');
  }
  if (typeof key !== 'string' || !isSize(elements)) throw new RangeError('a storage has no key or no length');
  if (view !== undefined && view !== null) throw new RangeError('views of storages are not supported');
  const storage = new Storage(key, type.dtype, elements);
  const known = storages.get(key);
  if (known === undefined) {
    storages.set(key, storage);
    return storage;
  }
  if (known.dtype !== storage.dtype || known.bytes !== storage.bytes) {
    throw new RangeError(`storage ${JSON.stringify(key.slice(0, 100))} is given two types or lengths`);
  }
  return known;
}

// ---- Functions of the table ----------------------------------------------------------------------------------

/** `(storage, offset, size, stride, requires_grad, backward_hooks, metadata)`; the older form has the first four. */
function rebuildTensor(args: readonly PickleValue[], least: number, most: number): TensorView {
  expectCount(args, least, most);
  const [storage] = args;
  if (!(storage instanceof Storage) || storage.dtype === undefined) {
    throw new RangeError('a tensor has no typed storage');
  }
  return viewOf(storage, storage.dtype, args);
}

/** As `_rebuild_tensor_v2`, with the dtype after the hooks, over an untyped storage. */
function rebuildTensorWithDtype(args: readonly PickleValue[]): TensorView {
  expectCount(args, 7, 8);
  const [storage] = args;
  const dtype = typeof args[6] === 'string' ? TORCH_DTYPES.get(args[6].replace(/^torch\./, '')) : undefined;
  if (!(storage instanceof Storage) || dtype === undefined) {
    throw new RangeError('a tensor has no storage or no dtype');
  }
  return viewOf(storage, dtype, args);
}

function viewOf(storage: Storage, dtype: Dtype, args: readonly PickleValue[]): TensorView {
  const [, offset, shapeTuple, strideTuple] = args;
  const shape = sizesOf(shapeTuple, 'shape');
  const strides = sizesOf(strideTuple, 'strides');
  if (!isSize(offset)) throw new RangeError('a tensor has no offset');
  if (shape.length !== strides.length || shape.length > MAX_RANK) {
    throw new RangeError(`a tensor of ${shape.length} axes has ${strides.length} strides`);
  }
  const empty = shape.includes(0);
  const last = shape.reduce((sum, length, axis) => sum + (length - 1) * strides[axis], offset);
  const available = Math.floor(storage.bytes / DTYPE_BYTES[dtype]);
  if (empty ? offset > available : last >= available) {
    throw new RangeError(
      `a tensor of shape [${shape}], strides [${strides}] and offset ${offset} does not fit its storage of ${available} elements`,
    );
  }
  return new TensorView(storage, dtype, shape, strides, offset);
}

/** The bytes that a tensor takes once it is contiguous. */
export function viewBytes({ dtype, shape }: TensorView): number {
  return shape.includes(0) ? 0 : elementCount(shape) * DTYPE_BYTES[dtype];
}

/** `(tensor, requires_grad, backward_hooks)`: the tensor. */
function rebuildParameter(args: readonly PickleValue[]): TensorView {
  expectCount(args, 3, 3);
  const [tensor] = args;
  if (!(tensor instanceof TensorView)) throw new RangeError('a parameter is no tensor');
  return tensor;
}

function orderedDict(args: readonly PickleValue[]): PickleOrderedDict {
  expectCount(args, 0, 1);
  const pairs = args[0] ?? [];
  if (!Array.isArray(pairs)) throw new RangeError('an OrderedDict is not made of a list');
  return new PickleOrderedDict(
    pairs.map((pair): [PickleValue, PickleValue] => {
      const items = pair instanceof PickleTuple ? pair.items : pair;
      if (!Array.isArray(items) || items.length !== 2)
        throw new RangeError('an OrderedDict is not made of pairs');
      return [items[0], items[1]];
    }),
  );
}

function set(args: readonly PickleValue[]): Set<PickleValue> {
  expectCount(args, 0, 1);
  const items = args[0] ?? [];
  if (!Array.isArray(items)) throw new RangeError('a set is not made of a list');
  return new Set(items);
}

/** How protocol 2 writes bytes: a string of as many characters. */
function encodeLatin1(args: readonly PickleValue[]): Uint8Array {
  const [text, encoding] = args;
  const isLatin1 = typeof text === 'string' && encoding === 'latin1' && !/[^\0-\xff]/.test(text);
  if (args.length !== 2 || !isLatin1) throw new RangeError('bytes are not given as latin1');
  return Uint8Array.from(Buffer.from(text, 'latin1'));
}

function size(args: readonly PickleValue[]): PickleTuple {
  expectCount(args, 1, 1);
  return new PickleTuple(sizesOf(args[0], 'size'));
}

/** `('cpu',)` or `('cuda', 0)`, as the text `cpu` or `cuda:0`. */
function device(args: readonly PickleValue[]): string {
  expectCount(args, 1, 2);
  const [type, index] = args;
  if (typeof type !== 'string' || (index !== undefined && !isSize(index)))
    throw new RangeError('a device has no name');
  return index === undefined ? type : `${type}:${index}`;
}

function expectCount(args: readonly PickleValue[], least: number, most: number): void {
  if (args.length < least || args.length > most) {
    throw new RangeError(`${args.length} arguments are given, expected ${least} to ${most}`);
  }
}

function sizesOf(value: PickleValue | undefined, what: string): number[] {
  const items = value instanceof PickleTuple ? [...value.items] : undefined;
  if (!isSizes(items)) throw new RangeError(`a ${what} is not a tuple of whole numbers from 0`);
  return items;
}

function isSize(value: unknown): value is number {
  return isSizes([value]);
}
