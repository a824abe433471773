/** Making a matrix a correlation matrix. It must not know what is correlated. */

import { symmetricEigen } from './eigen.ts';

/**
 * A correlation matrix near a symmetric `matrix [n, n]` that need not be one: eigenvalues below `floor` are raised to
 * it, then rows and columns are scaled to a diagonal of 1; symmetric and positive definite. The spectral method of
 * Rebonato and Jäckel, "The most general methodology to create a valid correlation matrix for risk management and option
 * pricing purposes", Journal of Risk 2, 1999: not the nearest matrix, but near it and without iterations.
 */
export function repairCorrelation(matrix: Float64Array, n: number, floor: number): Float64Array {
  const { values, vectors } = symmetricEigen(matrix, n);
  const repaired = new Float64Array(n * n);
  for (let e = 0; e < n; e++) {
    const value = Math.max(values[e], floor);
    for (let i = 0; i < n; i++) {
      const scaled = value * vectors[e * n + i];
      for (let j = 0; j <= i; j++) repaired[i * n + j] += scaled * vectors[e * n + j];
    }
  }
  const scale = Float64Array.from({ length: n }, (_, i) => 1 / Math.sqrt(repaired[i * n + i]));
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < i; j++) {
      repaired[i * n + j] *= scale[i] * scale[j];
      repaired[j * n + i] = repaired[i * n + j];
    }
    repaired[i * n + i] = 1;
  }
  return repaired;
}
