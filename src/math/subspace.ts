/** The leading eigenvectors of a symmetric matrix that is too large for all of them. It must not know what the matrix is of. */
import { makeOrthonormal } from './orthonormal.ts';
import type { Random } from './random.ts';

/** Rounds: what is left of the next eigenvector falls by the ratio of the eigenvalues in each. */
const ROUNDS = 60;

/**
 * Orthonormal rows `[count, n]` that span nearly the space of the `count` largest eigenvalues, by magnitude, of `matrix [n, n]`,
 * and come near to the eigenvectors as far as their eigenvalues differ: orthogonal iteration (Golub and Van Loan, "Matrix
 * Computations", 4th edition, section 8.2.4). Costs `60 count n^2`.
 */
export function leadingEigenvectors(
  matrix: ArrayLike<number>,
  n: number,
  count: number,
  random: Random,
): Float64Array {
  const rows = new Float64Array(count * n);
  random.fillNormal(rows, 1);
  makeOrthonormal(rows, n);
  const next = new Float64Array(count * n);
  for (let round = 0; round < ROUNDS; round++) {
    for (let v = 0; v < count; v++) {
      for (let i = 0; i < n; i++) {
        let sum = 0;
        for (let j = 0; j < n; j++) sum += matrix[i * n + j] * rows[v * n + j];
        next[v * n + i] = sum;
      }
    }
    makeOrthonormal(next, n);
    // Of a matrix of lower rank, what is left of a row is no direction.
    if (!next.every(Number.isFinite)) return rows;
    rows.set(next);
  }
  return rows;
}
