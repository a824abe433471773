/** Squared overlaps, against the Welch bound and random directions. */
import { describe, expect, it } from 'vitest';
import { Random } from '../../../src/math/random.ts';
import { meanSquaredOverlap } from '../../../src/toy/geometry/overlaps.ts';
import { ANTIPRISM, polygon, rowsOf, TETRAHEDRON } from './shapes.ts';

describe('overlaps', () => {
  it('are the Welch bound for tight frames, and 1 for random directions', () => {
    for (const shape of [TETRAHEDRON, ANTIPRISM, polygon(5)]) {
      const [n, m] = [shape.length, shape[0].length];
      expect(meanSquaredOverlap(rowsOf(...shape))).toBeCloseTo((n - m) / (n - 1), 12);
    }
    const values = new Float64Array(300 * 20);
    new Random(1).fillNormal(values, 1);
    expect(Math.abs(meanSquaredOverlap({ values, features: 300, hidden: 20 }) - 1)).toBeLessThan(0.03);
  });

  it('leave zero rows out', () => {
    expect(meanSquaredOverlap(rowsOf([1, 0], [1, 0], [0, 0]))).toBe(2);
    expect(meanSquaredOverlap(rowsOf([1, 0], [0, 0]))).toBeNaN();
  });
});
