/**
 * Least squares with coefficients >= 0, from inner products: the active set method of Lawson and Hanson, "Solving least
 * squares problems", 1974, chapter 23. For some dozens of unknowns. It must not know what is approximated.
 */

import { cholesky, solveFactored } from './cholesky.ts';

/** A gradient below this share of the largest right side is rounding. */
const NOTHING = 1e-9;
/** Added to the diagonal, as a share of it, so that rows that are copies of each other have a solution. */
const RIDGE = 1e-9;

/**
 * The `z >= 0` of least `z^T gram z / 2 - right . z`: of least `|x - z D|^2` where `gram [k, k] = D D^T` and
 * `right [k] = D x`. It begins at `start [k]`, values >= 0, and is fastest where most of those that are > 0 stay so.
 * RangeError where lengths do not fit.
 */
export function nonNegativeLeastSquares(
  gram: Float64Array,
  right: ArrayLike<number>,
  start: ArrayLike<number> = new Float64Array(right.length),
): Float64Array {
  const k = right.length;
  if (gram.length !== k * k) throw new RangeError(`gram: ${gram.length} values were given for ${k} x ${k}`);
  if (start.length !== k) throw new RangeError(`start: ${start.length} values were given for ${k}`);
  const z = Float64Array.from(start);
  const positive = Array.from(z.keys()).filter((i) => z[i] > 0);
  settle(gram, right, z, positive);
  const least = NOTHING * Array.from(right).reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  // Each round lowers the objective, so no set comes twice; rounding alone could make it go on.
  for (let round = 0; round < 3 * k; round++) {
    let [best, gradient] = [-1, least];
    for (let i = 0; i < k; i++) {
      if (positive.includes(i)) continue;
      let slope = right[i];
      for (const j of positive) slope -= gram[i * k + j] * z[j];
      if (slope > gradient) [best, gradient] = [i, slope];
    }
    if (best < 0) break;
    positive.push(best);
    settle(gram, right, z, positive);
  }
  return z;
}

/**
 * Moves `z [k]` to the least-squares solution over the unknowns in `positive`, which are >= 0 so far; those that would become negative on the way are set to 0 and leave the list. `gram` and `right` as above; unknowns
 * beside the list are not looked at.
 */
export function settle(
  gram: Float64Array,
  right: ArrayLike<number>,
  z: Float64Array,
  positive: number[],
): void {
  const k = z.length;
  while (positive.length > 0) {
    const target = solveAmong(gram, right, k, positive);
    const done = target.every((value) => value > 0);
    // How far towards the target each may go: all the way, or to 0.
    const ratios = positive.map((i, place) =>
      target[place] > 0 ? Infinity : z[i] > 0 ? z[i] / (z[i] - target[place]) : 0,
    );
    const reach = Math.min(1, ...ratios);
    positive.forEach((i, place) => {
      z[i] = done ? target[place] : z[i] + reach * (target[place] - z[i]);
    });
    if (done) return;
    for (let place = positive.length - 1; place >= 0; place--) {
      if (ratios[place] > reach) continue;
      z[positive[place]] = 0;
      positive.splice(place, 1);
    }
  }
}

/** The solution of the equations of some unknowns, `gram z = right`, by Cholesky's factor. */
function solveAmong(
  gram: Float64Array,
  right: ArrayLike<number>,
  k: number,
  among: readonly number[],
): Float64Array {
  const n = among.length;
  const matrix = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) matrix[i * n + j] = gram[among[i] * k + among[j]];
    matrix[i * n + i] *= 1 + RIDGE;
  }
  return solveFactored(
    cholesky(matrix, n),
    among.map((i) => right[i]),
  );
}
