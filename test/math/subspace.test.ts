import { expect, it } from 'vitest';
import { orthonormalRows } from '../../src/math/orthonormal.ts';
import { Random } from '../../src/math/random.ts';
import { leadingEigenvectors } from '../../src/math/subspace.ts';

const n = 12;

/** `sum_i values[i] v_i v_i^T` with random orthonormal v. */
function matrixOf(values: readonly number[]): { matrix: Float64Array; vectors: Float64Array } {
  const vectors = orthonormalRows(values.length, n, new Random(3, 'test'));
  const matrix = new Float64Array(n * n);
  for (const [v, value] of values.entries())
    for (let i = 0; i < n; i++)
      for (let j = 0; j < n; j++) matrix[i * n + j] += value * vectors[v * n + i] * vectors[v * n + j];
  return { matrix, vectors };
}

it('finds the leading eigenvectors, up to their sign', () => {
  const { matrix, vectors } = matrixOf([9, 5, 1, 0.5]);
  const found = leadingEigenvectors(matrix, n, 2, new Random(0, 'start'));
  for (const v of [0, 1]) {
    let cosine = 0;
    for (let i = 0; i < n; i++) cosine += found[v * n + i] * vectors[v * n + i];
    expect(Math.abs(cosine)).toBeCloseTo(1, 10);
  }
});

it('gives orthonormal rows also where the rank is lower', () => {
  for (const values of [[4], []]) {
    const found = leadingEigenvectors(matrixOf(values).matrix, n, 2, new Random(0, 'start'));
    expect(found.every(Number.isFinite)).toBe(true);
    let across = 0;
    for (let i = 0; i < n; i++) across += found[i] * found[n + i];
    expect(across).toBeCloseTo(0, 6);
  }
});
