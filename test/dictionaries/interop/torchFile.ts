/** Writes what `torch.save` would make of nested dicts of tensors, text and numbers, to say what no fixture says. */

import type { Tensor } from '../../../src/formats/safetensors.ts';
import { tensorBytes } from '../../../src/formats/tensor.ts';
import { writeZip } from '../../../src/formats/zip.ts';

export type Saved = Tensor | string | number | { [key: string]: Saved };

export async function writeTorchFile(path: string, value: Saved): Promise<void> {
  const storages: Uint8Array[] = [];
  const pickle = Buffer.concat([Buffer.from([0x80, 2]), pickled(value, storages), Buffer.from('.')]);
  await writeZip(path, [
    ['archive/data.pkl', [pickle]],
    ...storages.map((bytes, i) => [`archive/data/${i}`, [bytes]] as const),
    ['archive/version', [Buffer.from('3\n')]],
  ]);
}

const text = (value: string) => {
  const bytes = Buffer.from(value);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(bytes.length);
  return Buffer.concat([Buffer.from('X'), length, bytes]);
};
const whole = (value: number) => {
  const bytes = Buffer.alloc(5, 'J');
  bytes.writeInt32LE(value, 1);
  return bytes;
};
const real = (value: number) => {
  const bytes = Buffer.alloc(9, 'G');
  bytes.writeDoubleBE(value, 1);
  return bytes;
};
const named = (module: string, name: string) => Buffer.from(`c${module}\n${name}\n`);
const tuple = (...items: Buffer[]) => Buffer.concat([Buffer.from('('), ...items, Buffer.from('t')]);
const STORAGES: Partial<Record<string, string>> = {
  F32: 'FloatStorage',
  I32: 'IntStorage',
  I64: 'LongStorage',
};

function pickled(value: Saved, storages: Uint8Array[]): Buffer {
  if (typeof value === 'string') return text(value);
  if (typeof value === 'number') return Number.isInteger(value) ? whole(value) : real(value);
  if (isTensor(value)) return pickledTensor(value, storages);
  const items = Object.entries(value).flatMap(([key, item]) => [text(key), pickled(item, storages)]);
  return Buffer.concat([Buffer.from('}('), ...items, Buffer.from('u')]);
}

function pickledTensor(tensor: Tensor, storages: Uint8Array[]): Buffer {
  const key = String(storages.push(tensorBytes(tensor)) - 1);
  const { shape, data, dtype } = tensor;
  const storage = named('torch', STORAGES[dtype]!);
  const place = tuple(text('storage'), storage, text(key), text('cpu'), whole(data.length));
  const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((product, size) => product * size, 1));
  const hooks = Buffer.concat([named('collections', 'OrderedDict'), Buffer.from(')R')]);
  const operands = [
    Buffer.concat([place, Buffer.from('Q')]),
    whole(0),
    tuple(...shape.map(whole)),
    tuple(...strides.map(whole)),
    Buffer.from([0x89]),
    hooks,
  ];
  return Buffer.concat([named('torch._utils', '_rebuild_tensor_v2'), tuple(...operands), Buffer.from('R')]);
}

function isTensor(value: Saved): value is Tensor {
  return typeof value === 'object' && 'dtype' in value && 'data' in value && ArrayBuffer.isView(value.data);
}
