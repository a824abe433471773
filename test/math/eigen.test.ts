import { describe, expect, test } from 'vitest';
import { symmetricEigen } from '../../src/math/eigen.ts';
import { Random } from '../../src/math/random.ts';
import { largestDifference, timesTranspose, transpose } from './matrices.ts';

describe('symmetricEigen', () => {
  test('the second difference on a path has eigenvalues 2 - 2 cos(pi k / (n + 1))', () => {
    const n = 12;
    const matrix = new Float64Array(n * n);
    for (let i = 0; i < n; i++) {
      matrix[i * n + i] = 2;
      if (i > 0) matrix[i * n + i - 1] = matrix[(i - 1) * n + i] = -1;
    }
    const { values } = symmetricEigen(matrix, n);
    values.sort().forEach((value, i) => {
      expect(value).toBeCloseTo(2 - 2 * Math.cos((Math.PI * (i + 1)) / (n + 1)), 13);
    });
  });

  test('vectors are orthonormal and make the matrix again, where eigenvalues repeat or are 0 too', () => {
    for (const [n, rank] of [
      [1, 1],
      [2, 2],
      [9, 3],
      [50, 50],
      [200, 150],
    ]) {
      const root = new Float64Array(n * n);
      new Random(n, 'root').fillNormal(root.subarray(0, n * rank), 1);
      const matrix = timesTranspose(transpose(root, n), transpose(root, n), n);
      const { values, vectors } = symmetricEigen(matrix, n);
      const identity = Float64Array.from({ length: n * n }, (_, at) => (at % (n + 1) === 0 ? 1 : 0));
      expect(largestDifference(timesTranspose(vectors, vectors, n), identity)).toBeLessThan(1e-12);
      const scaled = vectors.map((value, at) => value * values[Math.floor(at / n)]);
      const again = timesTranspose(transpose(scaled, n), transpose(vectors, n), n);
      expect(largestDifference(again, matrix)).toBeLessThan(1e-11);
      expect(values.filter((value) => Math.abs(value) > 1e-9)).toHaveLength(rank);
    }
  });

  test('one that is 0, diagonal, or in blocks', () => {
    expect([...symmetricEigen(new Float64Array(9), 3).values]).toEqual([0, 0, 0]);
    expect([...symmetricEigen(Float64Array.of(3, 0, 0, -2), 2).values]).toEqual([3, -2]);
    const blocks = Float64Array.of(0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1e-300, 0, 0, 1e-300, 0);
    const { values } = symmetricEigen(blocks, 4);
    for (const [i, value] of [...values].sort((a, b) => a - b).entries())
      expect(value).toBeCloseTo([-1, 0, 0, 1][i], 15);
  });

  test('a matrix that is not symmetric, or not finite, is refused', () => {
    expect(() => symmetricEigen(Float64Array.of(1, 2, 3, 4), 2)).toThrow(/at 1, 0 it has 3 and across 2/);
    expect(() => symmetricEigen(Float64Array.of(1, NaN, NaN, 1), 2)).toThrow(/it has NaN/);
  });
});
