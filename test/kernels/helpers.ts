/** What the tests of the kernels share: the instruction sets of this machine, and random operands. */
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
