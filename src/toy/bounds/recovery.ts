/**
 * l1 recovery itself, by linear programming: the oracle to hold the thresholds of `donohoTanner.ts`, and any encoder,
 * against. For some hundreds of features. It must not know where measurements come from.
 */

import { Random } from '../../math/random.ts';
import { solveLinearProgram } from '../../math/simplex.ts';
import type { Signs } from './donohoTanner.ts';
import { checkCounts } from './welch.ts';

/** A code counts as recovered where no value is further off than this, for amplitudes around 1. */
const RECOVERED = 1e-4;

/**
 * The code z of least `sum |z|` with `z directions = y`, and `z >= 0` where `nonnegative`: basis pursuit, Chen, Donoho and
 * Saunders, "Atomic decomposition by basis pursuit", SIAM Journal on Scientific Computing 20, 1998. `directions [n, m]`,
 * `y [m]`. Undefined where no code reaches y. RangeError where the lengths do not fit.
 */
export function basisPursuit(
  directions: ArrayLike<number>,
  y: ArrayLike<number>,
  signs: Signs,
): Float64Array | undefined {
  const m = y.length;
  const n = directions.length / m;
  if (!Number.isInteger(n))
    throw new RangeError(`directions: ${directions.length} values are not rows of ${m}`);
  // A signed code is the difference of two nonnegative ones.
  const columns = signs === 'signed' ? 2 * n : n;
  const matrix = new Float64Array(m * columns);
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) {
      matrix[i * columns + j] = directions[j * m + i];
      if (signs === 'signed') matrix[i * columns + n + j] = -directions[j * m + i];
    }
  }
  const found = solveLinearProgram({ cost: new Float64Array(columns).fill(1), matrix, right: y });
  if (found.kind !== 'optimal') return undefined;
  const { solution } = found;
  return signs === 'signed'
    ? Float64Array.from({ length: n }, (_, j) => solution[j] - solution[n + j])
    : solution;
}

/**
 * The share of `trials` in which l1 minimisation finds k of n features in m dimensions: Gaussian directions, a random
 * support, amplitudes |normal| with a random sign where `signed`; all drawn from `seed`. RangeError where a count is not
 * >= 1 or k > n.
 */
export function recoveryRate(problem: {
  n: number;
  m: number;
  k: number;
  signs: Signs;
  trials: number;
  seed: number;
}): number {
  const { n, m, k, signs, trials, seed } = problem;
  checkCounts({ n, m, k, trials });
  if (k > n) throw new RangeError(`k: ${k} features cannot be active of ${n}`);
  let recovered = 0;
  for (let trial = 0; trial < trials; trial++) {
    const random = new Random(seed, 'recovery', String(trial));
    const directions = new Float64Array(n * m);
    random.fillNormal(directions, 1 / Math.sqrt(m));
    const truth = new Float64Array(n);
    for (const j of random.permutation(n).subarray(0, k)) {
      const sign = signs === 'signed' && random.below(2) === 1 ? -1 : 1;
      truth[j] = sign * Math.abs(random.normal());
    }
    const y = new Float64Array(m);
    for (let j = 0; j < n; j++) for (let i = 0; i < m; i++) y[i] += truth[j] * directions[j * m + i];
    const found = basisPursuit(directions, y, signs);
    if (found?.every((value, j) => Math.abs(value - truth[j]) < RECOVERED)) recovered++;
  }
  return recovered / trials;
}
