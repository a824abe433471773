/** The Cholesky factor of a symmetric positive definite matrix. It must not know what the matrix is of. */

/**
 * The lower triangular L, `[n, n]`, with `matrix = L L^T`, `matrix [n, n]`; only its lower triangle is read.
 * `L[i,j] = (A[i,j] - sum_{k<j} L[i,k] L[j,k]) / L[j,j]` and `L[i,i] = sqrt(A[i,i] - sum_{k<i} L[i,k]^2)`: Golub and Van
 * Loan, "Matrix Computations", 4th edition, section 4.2. RangeError where the matrix is not positive definite.
 */
export function cholesky(matrix: Float64Array, n: number): Float64Array {
  if (matrix.length !== n * n)
    throw new RangeError(`matrix: ${matrix.length} values were given for ${n} x ${n}`);
  const factor = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let rest = matrix[i * n + j];
      for (let k = 0; k < j; k++) rest -= factor[i * n + k] * factor[j * n + k];
      if (j < i) factor[i * n + j] = rest / factor[j * n + j];
      else if (rest > 0) factor[i * n + i] = Math.sqrt(rest);
      else throw new RangeError(`matrix: it is not positive definite (row ${i} leaves ${rest})`);
    }
  }
  return factor;
}

/** The solution of `L L^T x = right` by substitution, L `[n, n]` lower triangular from `cholesky`, `right [n]`. */
export function solveFactored(factor: Float64Array, right: ArrayLike<number>): Float64Array {
  const n = right.length;
  const x = Float64Array.from(right);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < i; j++) x[i] -= factor[i * n + j] * x[j];
    x[i] /= factor[i * n + i];
  }
  for (let i = n - 1; i >= 0; i--) {
    for (let j = i + 1; j < n; j++) x[i] -= factor[j * n + i] * x[j];
    x[i] /= factor[i * n + i];
  }
  return x;
}
