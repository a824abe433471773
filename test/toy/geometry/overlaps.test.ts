/** Squared overlaps, against the Welch bound and random directions. */
import { describe, expect, it } from 'vitest';
import { Random } from '../../../src/math/random.ts';
import { pairCosines } from '../../../src/toy/geometry/cosines.ts';
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

  it('are the mean over pairs, whatever the lengths of rows', () => {
    const [features, hidden, values] = [12, 4, new Float64Array(48)];
    new Random(2).fillNormal(values, 3);
    const cosines = pairCosines({ values, features, hidden });
    const direct = cosines.reduce((sum, cosine) => sum + cosine ** 2, 0) / cosines.length;
    expect(meanSquaredOverlap({ values, features, hidden })).toBeCloseTo(hidden * direct, 12);
  });

  it('leave zero rows out', () => {
    expect(meanSquaredOverlap(rowsOf([1, 0], [1, 0], [0, 0]))).toBe(2);
    expect(meanSquaredOverlap(rowsOf([1, 0], [0, 0]))).toBeNaN();
  });

  it('refuse values that do not fit', () => {
    expect(() => meanSquaredOverlap({ values: [1, 2, 3], features: 2, hidden: 2 })).toThrow('3 were given');
    expect(() => meanSquaredOverlap(rowsOf([1, 0], [NaN, 0]))).toThrow('feature 1');
  });
});
