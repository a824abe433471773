import { describe, expect, test } from 'vitest';
import { repairCorrelation } from '../../src/math/correlation.ts';
import { symmetricEigen } from '../../src/math/eigen.ts';
import { largestDifference } from './matrices.ts';

describe('repairCorrelation', () => {
  test('what is a correlation matrix stays', () => {
    const matrix = Float64Array.of(1, 0.5, -0.2, 0.5, 1, 0.1, -0.2, 0.1, 1);
    expect(largestDifference(repairCorrelation(matrix, 3, 1e-6), matrix)).toBeLessThan(1e-14);
  });

  test('three that are all correlated at -c with c > 1/2 come back at -1/2, the least there is', () => {
    const c = 0.9;
    const matrix = Float64Array.of(1, -c, -c, -c, 1, -c, -c, -c, 1);
    const repaired = repairCorrelation(matrix, 3, 1e-9);
    for (const at of [1, 2, 3, 5, 6, 7]) expect(repaired[at]).toBeCloseTo(-0.5, 8);
    for (const at of [0, 4, 8]) expect(repaired[at]).toBe(1);
    expect(Math.min(...symmetricEigen(repaired, 3).values)).toBeGreaterThan(0);
  });
});
