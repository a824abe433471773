/**
 * A tensor as every format here reads and writes it: a dtype, a shape, and one array in row-major order. Turns the
 * bytes of a file into such an array and back. It must not know any format's layout, nor what a tensor is for.
 */

import { InputError } from './errors.ts';
import { narrowBF16, narrowF16, widenBF16, widenF16 } from './half.ts';

/** The array that holds each dtype. F16 and BF16 are widened exactly on reading, rounded on writing. */
export interface DataByDtype {
  U64: BigUint64Array;
  I64: BigInt64Array;
  F64: Float64Array;
  F32: Float32Array;
  U32: Uint32Array;
  I32: Int32Array;
  BF16: Float32Array;
  F16: Float32Array;
  U16: Uint16Array;
  I16: Int16Array;
  I8: Int8Array;
  U8: Uint8Array;
  /** 0 or 1 for each element. */
  BOOL: Uint8Array;
}

export type Dtype = keyof DataByDtype;
export type TensorData = DataByDtype[Dtype];

/** A tensor in row-major order; `data` has as many elements as the product of `shape`. */
export type Tensor = { [D in Dtype]: { dtype: D; shape: number[]; data: DataByDtype[D] } }[Dtype];

/** The bytes that an element takes in a file, wide dtypes first. */
export const DTYPE_BYTES: Readonly<Record<Dtype, number>> = {
  U64: 8,
  I64: 8,
  F64: 8,
  F32: 4,
  U32: 4,
  I32: 4,
  BF16: 2,
  F16: 2,
  U16: 2,
  I16: 2,
  I8: 1,
  U8: 1,
  BOOL: 1,
};

/** The product of a shape's sizes: 1 for a scalar. It may lie beyond the whole numbers that a double tells apart. */
export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** Whether `value` is a list of whole numbers from 0, as a shape or a range of bytes is. */
export function isSizes(value: unknown): value is number[] {
  return (
    Array.isArray(value) &&
    value.every((size) => Number.isSafeInteger(size) && size >= 0 && !Object.is(size, -0))
  );
}

/**
 * The tensor of little-endian `bytes`, whose number must fit the shape; they must stand alone at the start of their
 * buffer, which the tensor takes over. InputError names `where` for a boolean that is neither 0 nor 1.
 */
export function tensorFromBytes(
  dtype: Dtype,
  shape: readonly number[],
  bytes: Uint8Array,
  where: string,
): Tensor {
  const data = arrayFromBytes(dtype, bytes);
  if (dtype === 'BOOL') checkBooleans(data as Uint8Array, where);
  return { dtype, shape: [...shape], data } as Tensor;
}

/** The array of `bytes`, as for `tensorFromBytes`. Little-endian hosts only. */
export function arrayFromBytes<D extends Dtype>(dtype: D, bytes: Uint8Array): DataByDtype[D] {
  const { buffer } = bytes;
  const read: { [E in Dtype]: () => DataByDtype[E] } = {
    U64: () => new BigUint64Array(buffer),
    I64: () => new BigInt64Array(buffer),
    F64: () => new Float64Array(buffer),
    F32: () => new Float32Array(buffer),
    U32: () => new Uint32Array(buffer),
    I32: () => new Int32Array(buffer),
    BF16: () => widenBF16(new Uint16Array(buffer)),
    F16: () => widenF16(new Uint16Array(buffer)),
    U16: () => new Uint16Array(buffer),
    I16: () => new Int16Array(buffer),
    I8: () => new Int8Array(buffer),
    U8: () => bytes,
    BOOL: () => bytes,
  };
  return read[dtype]();
}

/** A tensor's bytes as a file holds them, little-endian. They share memory with its data where nothing is rounded. */
export function tensorBytes({ dtype, data }: Tensor): Uint8Array {
  const stored = dtype === 'F16' ? narrowF16(data) : dtype === 'BF16' ? narrowBF16(data) : data;
  return new Uint8Array(stored.buffer, stored.byteOffset, stored.byteLength);
}

/** Turns round the bytes of every element of `width` bytes, in place: big-endian to little-endian and back. */
export function swapBytes(bytes: Uint8Array, width: number): void {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (width === 2) buffer.swap16();
  else if (width === 4) buffer.swap32();
  else if (width === 8) buffer.swap64();
}

/**
 * Copies elements of `width` bytes out of `source` into row-major order: the element at index (i, j, ...) of `shape`
 * lies `offset + i strides[0] + j strides[1] + ...` elements into the source. All of them must lie within it.
 */
export function gatherStrided(
  source: Uint8Array,
  width: number,
  shape: readonly number[],
  strides: readonly number[],
  offset: number,
): Uint8Array {
  const count = elementCount(shape);
  const result = new Uint8Array(count * width);
  if (count === 0) return result;
  const index = shape.map(() => 0);
  let at = offset;
  for (let element = 0; ; ) {
    for (let b = 0; b < width; b++) result[element * width + b] = source[at * width + b];
    if (++element === count) return result;
    let axis = shape.length - 1;
    for (; index[axis] === shape[axis] - 1; axis--) {
      at -= index[axis] * strides[axis];
      index[axis] = 0;
    }
    index[axis]++;
    at += strides[axis];
  }
}

/** The strides, in elements, of an array that lies in row-major order. */
export function rowMajorStrides(shape: readonly number[]): number[] {
  const strides = shape.map(() => 1);
  for (let axis = shape.length - 2; axis >= 0; axis--) strides[axis] = strides[axis + 1] * shape[axis + 1];
  return strides;
}

function checkBooleans(data: Uint8Array, where: string): void {
  const at = data.findIndex((byte) => byte > 1);
  if (at >= 0)
    throw new InputError(
      `${where}: element ${at} is ${data[at]}; a boolean is stored as 0 or 1. The file is damaged`,
    );
}
