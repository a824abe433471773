/** What the tests of the kernels share: the instruction sets of this machine, random operands, what counts as equal. */
import { expect } from 'vitest';
import type { Backend } from '../../src/kernels/backend.ts';
import { createNativeBackend } from '../../src/kernels/native.ts';
import type { Random } from '../../src/math/random.ts';

export const instructionSets = ['amx', 'avx512bf16', 'avx512', 'avx2', 'neon', 'baseline'].filter(
  (instructionSet) => {
    try {
      createNativeBackend({ instructionSet });
      return true;
    } catch {
      return false;
    }
  },
);

export function normals(random: Random, n: number, sd = 1): Float32Array {
  const values = new Float32Array(n);
  random.fillNormal(values, sd);
  return values;
}

export function expectClose(found: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number) {
  expect(found.length).toBe(expected.length);
  for (let i = 0; i < found.length; i++) {
    const bound = tolerance * (1 + Math.abs(expected[i]));
    if (!(Math.abs(found[i] - expected[i]) <= bound)) {
      expect.fail(`element ${i}: ${found[i]}, expected ${expected[i]} within ${bound}`);
    }
  }
}

/** Runs one operation on both backends, each with its own output arrays, and compares these. */
export const agreement =
  (reference: Backend) =>
  async <T extends Record<string, Float32Array | Float64Array>>(
    native: Backend,
    outputs: () => T,
    operation: (backend: Backend, out: T) => Promise<unknown>,
    tolerance = 2e-5,
  ) => {
    const [expected, found] = [outputs(), outputs()];
    await operation(reference, expected);
    await operation(native, found);
    for (const name in expected) expectClose(found[name], expected[name], tolerance);
  };

/** The nearest bfloat16 to each value, of two the even one. */
export function rounded(values: Float32Array): Float32Array {
  const bits = new Uint32Array(values.slice().buffer);
  for (let i = 0; i < bits.length; i++) bits[i] = (bits[i] + 0x7fff + ((bits[i] >>> 16) & 1)) & 0xffff0000;
  return new Float32Array(bits.buffer);
}
