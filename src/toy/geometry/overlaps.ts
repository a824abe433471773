/** How strongly the directions of features overlap on average. It must not know which features matter. */

import type { FeatureRows } from './rows.ts';

/**
 * `m` times the mean over pairs i != j of `cos(W_i, W_j)^2`, over rows that are not zero: 1 for random directions, and for strong
 * superposition about that, which is why squared overlaps, and the loss with them, fall as 1 / m (Liu et al. 2025,
 * "Superposition Yields Robust Neural Scaling", arXiv 2505.10465). The least that n directions can have is
 * `(n - m) / (n - 1)`, the Welch bound, of a tight frame. NaN of fewer than two rows.
 *
 * By `sum_ij cos^2 = |sum_i u_i u_i^T|_F^2` for unit rows u_i, in O(features hidden^2). RangeError where the values do not fit the
 * shape or are not finite.
 */
export function meanSquaredOverlap({ values, features: n, hidden: m }: FeatureRows): number {
  if (values.length !== n * m)
    throw new RangeError(`values: ${values.length} were given for ${n} features in ${m} dimensions`);
  const frame = new Float64Array(m * m);
  const unit = new Float64Array(m);
  let present = 0;
  for (let i = 0; i < n; i++) {
    let square = 0;
    for (let c = 0; c < m; c++) square += values[i * m + c] ** 2;
    if (!Number.isFinite(square)) throw new RangeError(`values: those of feature ${i} are not finite`);
    if (square === 0) continue;
    present++;
    const norm = Math.sqrt(square);
    for (let c = 0; c < m; c++) unit[c] = values[i * m + c] / norm;
    for (let a = 0; a < m; a++) for (let b = 0; b <= a; b++) frame[a * m + b] += unit[a] * unit[b];
  }
  let sum = 0;
  for (let a = 0; a < m; a++) for (let b = 0; b <= a; b++) sum += (a === b ? 1 : 2) * frame[a * m + b] ** 2;
  return (m * (sum - present)) / (present * (present - 1));
}
