/**
 * Files of `torch.save`, read without PyTorch and without running what they ask for: the zip format of PyTorch 1.6
 * and later (`data.pkl`, and a member for each storage), and the one before it (five pickles, then the storages).
 * https://github.com/pytorch/pytorch/blob/main/torch/serialization.py. It must not know what the tensors are for.
 */

import type { FileHandle } from 'node:fs/promises';
import { InputError } from './errors.ts';
import { readRange, withFile } from './files.ts';
import { PickleOpaque, PickleTuple, type PickleValue, readPickle } from './pickle.ts';
import {
  DTYPE_BYTES,
  gatherStrided,
  rowMajorStrides,
  swapBytes,
  type Tensor,
  tensorFromBytes,
} from './tensor.ts';
import { Storage, TensorView, torchHost, viewBytes } from './torchObjects.ts';
import { withZip, type ZipArchive } from './zip.ts';

/**
 * What a file may hold. Dicts are Maps, in their order, so that no key can be mistaken for a property; tuples and
 * torch.Size are arrays; a dtype is text such as `torch.float32`, a device such as `cuda:0`; a bare storage is a
 * tensor of one axis; parameters are tensors. Integers are numbers where these are exact, bigints otherwise.
 */
export type TorchValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | Tensor
  | TorchValue[]
  | Map<TorchValue, TorchValue>
  | Set<TorchValue>;

const MAX_PICKLE = 1 << 26;
const MAX_DEPTH = 100;
/** How many values a reader who follows every path through the result would meet. */
const MAX_VALUES = 10_000_000;
/** Tensors may share a storage, or repeat it by strides of 0: what they take together, as a multiple of the file. */
const DEFAULT_RATIO = 8;
/** Below this no file is too large, however small it is itself. */
const FREE_BYTES = 1 << 20;
/** How a file of the older format begins: PROTO 2 and the 10-byte integer 0x1950a86a20f9469cfc6c. */
const LEGACY_MAGIC = Buffer.from('80028a0a6cfc9c46f9206aa850192e', 'hex');
const LEGACY_PROTOCOL = 1001;

/**
 * The object that `torch.save` wrote to `path`. Tensors come in row-major order, each with data of its own.
 * `maxBytes` limits what all tensors take together in the file's dtypes, and what the archive inflates to where it is
 * compressed; 8 times the file's size, and never less than 1 MiB, where not given.
 *
 * InputError names the file, and what it asks for, where it holds anything but tensors and plain values (an
 * `nn.Module`, say, or a call of a function): nothing that a file names is ever run. Also where it is damaged or
 * truncated, where a tensor does not lie within its storage, or where an object contains itself.
 */
export async function readTorch(path: string, maxBytes?: number): Promise<TorchValue> {
  const { start, size } = await withFile(path, async (file) => {
    const { size } = await file.stat();
    return { size, start: Buffer.from(await readRange(file, 0, Math.min(size, LEGACY_MAGIC.length), path)) };
  });
  const limit = maxBytes ?? Math.max(DEFAULT_RATIO * size, FREE_BYTES);
  if (start.toString('latin1').startsWith('PK\x03\x04')) return readZipFormat(path, limit);
  if (LEGACY_MAGIC.equals(start)) return readLegacyFormat(path, limit);
  const pickle = start[0] === 0x80 ? '; it is a pickle of another kind, and was not run' : '';
  throw new InputError(`${path}: it does not begin as a file of torch.save does${pickle}`);
}

/** The tensors of a result, with the bytes of each storage still to come. */
interface Pending {
  readonly view: TensorView;
  /** Already in its place in the result. */
  readonly tensor: Tensor;
}

// ---- The zip format ------------------------------------------------------------------------------------------

function readZipFormat(path: string, limit: number): Promise<TorchValue> {
  return withZip(
    path,
    async (archive) => {
      const root = archiveRoot(archive, path);
      const storages = new Map<string, Storage>();
      const where = `${path}: ${root}/data.pkl`;
      const size = archive.members.get(`${root}/data.pkl`)!.size;
      if (size > MAX_PICKLE) throw new InputError(`${where} has ${size} bytes, the limit is ${MAX_PICKLE}`);
      const { value } = readPickle(await archive.read(`${root}/data.pkl`), 0, torchHost(storages), path);
      const { result, pending } = plainValue(value, path);
      checkTotal(pending, limit, path);
      const bigEndian = await isBigEndian(archive, root, path);
      for (const [storage, tensors] of byStorage(pending)) {
        const member = archive.members.get(`${root}/data/${storage.key}`);
        if (member?.size !== storage.bytes) {
          throw new InputError(
            `${path}: storage ${JSON.stringify(storage.key)} has ${member?.size ?? 'no'} bytes, expected ${storage.bytes}. The file is damaged`,
          );
        }
        fillTensors(tensors, await archive.read(member.name), bigEndian, path);
      }
      return result;
    },
    limit,
  );
}

function archiveRoot(archive: ZipArchive, path: string): string {
  const roots = [...archive.members.keys()].flatMap((name) => /^([^/]+)\/data\.pkl$/.exec(name)?.[1] ?? []);
  if (roots.length === 1) return roots[0];
  throw new InputError(
    `${path}: it has ${roots.length} members named data.pkl, expected one; it is a zip archive, but not of torch.save`,
  );
}

/** PyTorch has written `byteorder` since 2.1; files without it are little-endian, as all machines with PyTorch were. */
async function isBigEndian(archive: ZipArchive, root: string, path: string): Promise<boolean> {
  const name = `${root}/byteorder`;
  if (!archive.members.has(name)) return false;
  const text = Buffer.from(await archive.read(name)).toString('latin1');
  if (text === 'little' || text === 'big') return text === 'big';
  throw new InputError(
    `${path}: its byte order is ${JSON.stringify(text.slice(0, 100))}, expected little or big`,
  );
}

// ---- The older format ----------------------------------------------------------------------------------------

/** Pickles of a magic number, a version, facts of the machine, the object, and the storages' keys; then the storages. */
async function readLegacyFormat(path: string, limit: number): Promise<TorchValue> {
  return withFile(path, async (file) => {
    const { size } = await file.stat();
    const head = await readRange(file, 0, Math.min(size, MAX_PICKLE), path);
    const storages = new Map<string, Storage>();
    const next = (at: number) => readPickle(head, at, torchHost(storages), path);
    const protocol = next(LEGACY_MAGIC.length);
    const system = next(protocol.end);
    const littleEndian = system.value instanceof Map ? system.value.get('little_endian') : undefined;
    if (protocol.value !== LEGACY_PROTOCOL || typeof littleEndian !== 'boolean') {
      throw new InputError(`${path}: it is of no version that is supported; save it with a newer PyTorch`);
    }
    const object = next(system.end);
    const keys = next(object.end);
    const { result, pending } = plainValue(object.value, path);
    checkTotal(pending, limit, path);
    const places = await placeStorages(file, size, keys, storages, path);
    for (const [storage, tensors] of byStorage(pending)) {
      const bytes = await readRange(file, places.get(storage)!, storage.bytes, path);
      fillTensors(tensors, bytes, !littleEndian, path);
    }
    return result;
  });
}

/** Where each storage's data begin: the number of its elements, in 8 bytes, and the elements, in the order of the keys. */
async function placeStorages(
  file: FileHandle,
  fileSize: number,
  keys: { readonly value: PickleValue; readonly end: number },
  storages: ReadonlyMap<string, Storage>,
  path: string,
): Promise<Map<Storage, number>> {
  const places = new Map<Storage, number>();
  let at = keys.end;
  for (const key of Array.isArray(keys.value) ? keys.value : []) {
    const storage = typeof key === 'string' ? storages.get(key) : undefined;
    if (storage === undefined || places.has(storage)) {
      throw new InputError(
        `${path}: it lists a storage that no tensor has, or one twice. The file is damaged`,
      );
    }
    const header = await readRange(file, at, 8, path);
    const elements = Number(new DataView(header.buffer).getBigInt64(0, true));
    if (elements * (storage.dtype ? DTYPE_BYTES[storage.dtype] : 1) !== storage.bytes) {
      throw new InputError(
        `${path}: storage ${JSON.stringify(storage.key)} has ${elements} elements, expected ${storage.bytes} bytes. The file is damaged`,
      );
    }
    places.set(storage, at + 8);
    at += 8 + storage.bytes;
    if (at > fileSize) {
      throw new InputError(
        `${path}: storage ${JSON.stringify(storage.key)} ends at byte ${at}, but the file has ${fileSize} bytes. It is truncated`,
      );
    }
  }
  if (places.size !== storages.size) {
    throw new InputError(
      `${path}: it lists ${places.size} storages, expected ${storages.size}. The file is damaged`,
    );
  }
  return places;
}

// ---- From the pickle's objects to plain values -----------------------------------------------------------------

/** The result, whose tensors have no data yet. An object that is met again is the same object in the result. */
function plainValue(value: PickleValue, path: string): { result: TorchValue; pending: Pending[] } {
  const pending: Pending[] = [];
  const done = new Map<PickleValue, { result: TorchValue; count: number }>();
  const open = new Set<PickleValue>();
  const refuse = (problem: string): never => {
    throw new InputError(`${path}: ${problem}`);
  };
  const visit = (item: PickleValue): { result: TorchValue; count: number } => {
    if (typeof item !== 'object' || item === null) return { result: item, count: 1 };
    const known = done.get(item);
    if (known !== undefined) return known;
    if (open.has(item)) return refuse('an object in it contains itself');
    if (open.size === MAX_DEPTH) return refuse(`it is nested deeper than ${MAX_DEPTH} levels`);
    open.add(item);
    let count = 1;
    const child = (inner: PickleValue): TorchValue => {
      const visited = visit(inner);
      count += visited.count;
      if (count > MAX_VALUES) refuse(`it holds more than ${MAX_VALUES} values, most of them the same`);
      return visited.result;
    };
    const visited = { result: convert(item, child, pending, refuse), count };
    visited.count = count;
    open.delete(item);
    done.set(item, visited);
    return visited;
  };
  return { result: visit(value).result, pending };
}

function convert(
  item: PickleValue & object,
  child: (inner: PickleValue) => TorchValue,
  pending: Pending[],
  refuse: (problem: string) => never,
): TorchValue {
  if (item instanceof Uint8Array) return item;
  if (item instanceof PickleTuple) return item.items.map(child);
  if (Array.isArray(item)) return item.map(child);
  if (item instanceof Set) return new Set(Array.from(item, child));
  if (item instanceof Map) {
    return new Map(Array.from(item, ([key, entry]): [TorchValue, TorchValue] => [child(key), child(entry)]));
  }
  if (item instanceof Storage) return emptyTensor(wholeStorage(item), pending);
  if (item instanceof TensorView) return emptyTensor(item, pending);
  return refuse(
    `it holds ${item instanceof PickleOpaque ? item.kind : 'a function'} where a value is expected`,
  );
}

function wholeStorage(storage: Storage): TensorView {
  const dtype = storage.dtype ?? 'U8';
  return new TensorView(storage, dtype, [storage.bytes / DTYPE_BYTES[dtype]], [1], 0);
}

function emptyTensor(view: TensorView, pending: Pending[]): Tensor {
  const tensor = tensorFromBytes(view.dtype, view.shape, new Uint8Array(0), '');
  pending.push({ view, tensor });
  return tensor;
}

// ---- Data ------------------------------------------------------------------------------------------------------

function checkTotal(pending: readonly Pending[], maxBytes: number, path: string): void {
  const total = pending.reduce((sum, { view }) => sum + viewBytes(view), 0);
  if (!(total <= maxBytes)) {
    throw new InputError(
      `${path}: its tensors take ${total} bytes, the limit is ${maxBytes}; they repeat what the file holds once`,
    );
  }
}

function byStorage(pending: readonly Pending[]): Map<Storage, Pending[]> {
  const groups = new Map<Storage, Pending[]>();
  for (const item of pending) {
    const group = groups.get(item.view.storage);
    if (group === undefined) groups.set(item.view.storage, [item]);
    else group.push(item);
  }
  return groups;
}

function fillTensors(
  pending: readonly Pending[],
  storage: Uint8Array,
  bigEndian: boolean,
  path: string,
): void {
  for (const { view, tensor } of pending) {
    const { dtype, shape, strides, offset } = view;
    const width = DTYPE_BYTES[dtype];
    const bytes = isContiguous(view)
      ? storage.slice(offset * width, offset * width + viewBytes(view))
      : gatherStrided(storage, width, shape, strides, offset);
    if (bigEndian) swapBytes(bytes, width);
    tensor.data = tensorFromBytes(dtype, shape, bytes, path).data as typeof tensor.data;
  }
}

function isContiguous({ shape, strides }: TensorView): boolean {
  const rowMajor = rowMajorStrides(shape);
  return shape.includes(0) || shape.every((size, axis) => size === 1 || strides[axis] === rowMajor[axis]);
}
