/** Random tensors of every dtype, for round trips through the formats. */

import fc from 'fast-check';
import type { Dtype, Tensor } from '../../src/formats/tensor.ts';

/** Whole numbers that both 16-bit floats hold exactly. */
const exactHalf = fc
  .array(fc.integer({ min: -255, max: 255 }), { maxLength: 12 })
  .map((values) => Float32Array.from(values));
const size = { maxLength: 12 };
const named = (dtype: Dtype, data: fc.Arbitrary<ArrayLike<unknown>>): fc.Arbitrary<Tensor> =>
  fc
    .tuple(data, fc.nat(2))
    .map(
      ([array, axis]) => ({ dtype, shape: shapeOf(array.length, axis), data: array }) as unknown as Tensor,
    );

/** One axis, or two or three of which the last is as long as divides the length. */
function shapeOf(length: number, axis: number): number[] {
  const width = length > 0 && length % 3 === 0 ? 3 : 1;
  return [[length], [length / width, width], [1, length / width, width]][axis];
}

export const anyTensor: fc.Arbitrary<Tensor> = fc.oneof(
  named('F64', fc.float64Array(size)),
  named('F32', fc.float32Array(size)),
  named('F16', exactHalf),
  named('BF16', exactHalf),
  named('I64', fc.bigInt64Array(size)),
  named('U64', fc.bigUint64Array(size)),
  named('I32', fc.int32Array(size)),
  named('U32', fc.uint32Array(size)),
  named('I16', fc.int16Array(size)),
  named('U16', fc.uint16Array(size)),
  named('I8', fc.int8Array(size)),
  named('U8', fc.uint8Array(size)),
  named('BOOL', fc.uint8Array({ ...size, max: 1 })),
);
