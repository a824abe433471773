/** How near to orthogonal n unit vectors in m dimensions can be at best. It must not know what the vectors stand for. */

/**
 * No n unit vectors in m dimensions have a largest |cos| below this: the greatest over whole j >= 1 of
 * `((n / C(m + j - 1, j) - 1) / (n - 1))^(1 / (2 j))`; for j = 1 it is `sqrt((n - m) / (m (n - 1)))`. 0 where n <= m. Welch,
 * "Lower bounds on the maximum cross correlation of signals", IEEE Transactions on Information Theory 20, 1974.
 * RangeError where n or m is not a whole number >= 1.
 */
export function welchBound(n: number, m: number): number {
  checkCounts({ n, m });
  let [best, dimensions] = [0, 1];
  for (let j = 1; j <= n; j++) {
    dimensions *= (m + j - 1) / j;
    if (dimensions >= n) break;
    best = Math.max(best, ((n / dimensions - 1) / (n - 1)) ** (1 / (2 * j)));
  }
  return best;
}

/**
 * The mean of cos^2 over pairs is at least `(n - m) / (m (n - 1))`, and is that for tight frames only (Welch 1974; Benedetto
 * and Fickus, "Finite normalized tight frames", 2003). 0 where n <= m. RangeError as in `welchBound`.
 */
export function welchMeanSquare(n: number, m: number): number {
  checkCounts({ n, m });
  return n <= m ? 0 : (n - m) / (m * (n - 1));
}

/**
 * The most real lines in m dimensions that can all be at one angle, `m (m + 1) / 2`, without which no vectors reach
 * `welchBound` (Gerzon's bound, in Lemmens and Seidel, "Equiangular lines", Journal of Algebra 24, 1973).
 */
export function mostEquiangular(m: number): number {
  checkCounts({ m });
  return (m * (m + 1)) / 2;
}

/** RangeError where a count is not a whole number >= 1. */
export function checkCounts(counts: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(counts)) {
    if (!Number.isSafeInteger(value) || value < 1)
      throw new RangeError(`${name}: expected a whole number >= 1, not ${value}`);
  }
}
