/** How strongly the directions of features overlap on average. It must not know which features matter. */

import { absoluteCosine, type FeatureRows, rowGram } from './rows.ts';

/**
 * `m` times the mean over pairs i != j of `cos(W_i, W_j)^2`, over rows that are not zero: 1 for random directions, and for strong
 * superposition about that, which is why squared overlaps, and the loss with them, fall as 1 / m (Liu et al. 2025,
 * "Superposition Yields Robust Neural Scaling", arXiv 2505.10465). The least that n directions can have is
 * `(n - m) / (n - 1)`, the Welch bound, of a tight frame. NaN of fewer than two rows.
 */
export function meanSquaredOverlap(rows: FeatureRows): number {
  const { features: n, hidden } = rows;
  const gram = rowGram(rows);
  const present = Array.from({ length: n }, (_, i) => i).filter((i) => gram[i * n + i] > 0);
  let sum = 0;
  for (const i of present) {
    for (const j of present) if (j < i) sum += absoluteCosine(gram, n, i, j) ** 2;
  }
  return (hidden * 2 * sum) / (present.length * (present.length - 1));
}
