/** Eigenvalues and eigenvectors of a small symmetric matrix. It must not know what the matrix is of. */

/** Rounds over all pairs; ten are plenty, as convergence is quadratic. */
const MOST_SWEEPS = 50;

/**
 * `matrix [n, n] = sum_i values[i] v_i v_i^T` with `v_i = vectors[i, :]` of unit length, eigenvalues in no order. The
 * cyclic Jacobi method: each pair (p, q) in turn is made diagonal by the rotation with
 * `tan(2 angle) = 2 A[p,q] / (A[q,q] - A[p,p])`; Golub and Van Loan, "Matrix Computations", 4th edition, section 8.5.
 * O(n^3) a sweep. RangeError where a value is not finite or the matrix is not symmetric.
 */
export function symmetricEigen(
  matrix: Float64Array,
  n: number,
): { values: Float64Array; vectors: Float64Array } {
  if (matrix.length !== n * n)
    throw new RangeError(`matrix: ${matrix.length} values were given for ${n} x ${n}`);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      const value = matrix[i * n + j];
      if (!Number.isFinite(value) || value !== matrix[j * n + i])
        throw new RangeError(`matrix: at ${i}, ${j} it has ${value} and across ${matrix[j * n + i]}`);
    }
  }
  const a = Float64Array.from(matrix);
  const vectors = new Float64Array(n * n);
  for (let i = 0; i < n; i++) vectors[i * n + i] = 1;
  for (let sweep = 0; sweep < MOST_SWEEPS; sweep++) {
    let turned = false;
    for (let p = 0; p < n; p++) {
      for (let q = p + 1; q < n; q++) {
        const off = a[p * n + q];
        // Too small to change the diagonal: as good as zero.
        const [pp, qq] = [Math.abs(a[p * n + p]), Math.abs(a[q * n + q])];
        if (pp + Math.abs(off) === pp && qq + Math.abs(off) === qq) continue;
        turned = true;
        const theta = (a[q * n + q] - a[p * n + p]) / (2 * off);
        const tangent = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.hypot(theta, 1));
        const cosine = 1 / Math.hypot(tangent, 1);
        const sine = tangent * cosine;
        rotate(a, n, p, q, 1, n, cosine, sine);
        rotate(a, n, p, q, n, 1, cosine, sine);
        rotate(vectors, n, p, q, n, 1, cosine, sine);
      }
    }
    if (!turned) break;
  }
  return { values: Float64Array.from({ length: n }, (_, i) => a[i * n + i]), vectors };
}

/** Turns lines p and q of `m [n, n]`: rows where `line` is n and `along` 1, columns where they are 1 and n. */
function rotate(
  m: Float64Array,
  n: number,
  p: number,
  q: number,
  line: number,
  along: number,
  cosine: number,
  sine: number,
): void {
  for (let k = 0; k < n; k++) {
    const [i, j] = [p * line + k * along, q * line + k * along];
    const [x, y] = [m[i], m[j]];
    m[i] = cosine * x - sine * y;
    m[j] = sine * x + cosine * y;
  }
}
