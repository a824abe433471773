import { describe, expect, test } from 'vitest';
import { cholesky } from '../../src/math/cholesky.ts';
import { Random } from '../../src/math/random.ts';
import { largestDifference, timesTranspose } from './matrices.ts';

describe('cholesky', () => {
  test('by hand', () => {
    expect(Array.from(cholesky(Float64Array.of(4, 2, 2, 5), 2))).toEqual([2, 0, 1, 2]);
  });

  test('is lower triangular, and its product is the matrix', () => {
    for (const n of [1, 2, 7, 30]) {
      const root = new Float64Array(n * n);
      new Random(n, 'root').fillNormal(root, 1);
      const matrix = timesTranspose(root, root, n);
      const factor = cholesky(matrix, n);
      expect(largestDifference(timesTranspose(factor, factor, n), matrix)).toBeLessThan(1e-12 * n * n);
      for (let i = 0; i < n; i++) for (let j = i + 1; j < n; j++) expect(factor[i * n + j]).toBe(0);
    }
  });

  test('what is not positive definite is refused', () => {
    expect(() => cholesky(Float64Array.of(1, 2, 2, 1), 2)).toThrow(
      /not positive definite \(row 1 leaves -3\)/,
    );
    expect(() => cholesky(Float64Array.of(NaN), 1)).toThrow(/not positive definite/);
    expect(() => cholesky(new Float64Array(3), 2)).toThrow(/3 values were given for 2 x 2/);
  });
});
