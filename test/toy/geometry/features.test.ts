/** Features' shares of dimensions, against closed forms and what must hold of any weight. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Random } from '../../../src/math/random.ts';
import { featureGeometry } from '../../../src/toy/geometry/features.ts';
import { ANTIPRISM, polygon, rowsOf, TETRAHEDRON } from './shapes.ts';

describe('feature geometry', () => {
  it.each([
    ['alone', [[1, 0, 0]], 1],
    ['a digon', [[1], [-1]], 1 / 2],
    ['a triangle', polygon(3), 2 / 3],
    ['a tetrahedron', TETRAHEDRON, 3 / 4],
    ['a pentagon', polygon(5), 2 / 5],
    ['a square antiprism', ANTIPRISM, 3 / 8],
  ])('of %s', (_, shape, share) => {
    const { dimensionality, capacity, represented, interference } = featureGeometry(rowsOf(...shape));
    expect(represented).toBe(shape.length);
    for (let i = 0; i < shape.length; i++) {
      expect(dimensionality[i]).toBeCloseTo(share, 12);
      expect(capacity[i]).toBeCloseTo(share, 12);
      expect(interference[i]).toBeCloseTo(1 / share - 1, 12);
    }
  });

  it('counts what is represented and the dimensions for it', () => {
    const { norms, represented, dimensionsPerFeature } = featureGeometry(
      rowsOf([1, 0, 0], [0, 0.51, 0], [0, 0.49, 0], [0, 0, 0]),
    );
    expect(Array.from(norms)).toEqual([1, 0.51, 0.49, 0]);
    expect(represented).toBe(2);
    expect(dimensionsPerFeature).toBeCloseTo(3 / (1 + 0.51 ** 2 + 0.49 ** 2), 12);
  });

  it('gives no capacity to rows whose direction is noise, and no dimension to a zero row', () => {
    const { dimensionality, capacity } = featureGeometry(rowsOf([1, 0], [0.005, 0.002], [0, 0]));
    expect(capacity[0]).toBeCloseTo(1, 4);
    expect(capacity[1]).toBeNaN();
    expect(capacity[2]).toBeNaN();
    expect(dimensionality[2]).toBe(0);
  });

  it('shares out at most as many dimensions as there are, whatever the weight, and is blind to rotation', () => {
    const shape = fc.record({
      seed: fc.integer(),
      features: fc.integer({ min: 1, max: 30 }),
      hidden: fc.integer({ min: 1, max: 8 }),
    });
    fc.assert(
      fc.property(shape, ({ seed, features, hidden }) => {
        const values = new Float64Array(features * hidden);
        new Random(seed).fillNormal(values, 1);
        const { dimensionality } = featureGeometry({ values, features, hidden });
        for (const d of dimensionality) expect(d > 0 && d <= 1 + 1e-12).toBe(true);
        const total = dimensionality.reduce((sum, d) => sum + d, 0);
        expect(total).toBeLessThanOrEqual(Math.min(features, hidden) + 1e-9);
        // Rows reversed end for end are rows in a reflected basis.
        const mirrored = values.map((_, at) => values[at - (at % hidden) + hidden - 1 - (at % hidden)]);
        const other = featureGeometry({ values: mirrored, features, hidden }).dimensionality;
        for (let i = 0; i < features; i++) expect(other[i]).toBeCloseTo(dimensionality[i], 9);
      }),
    );
  });

  it('refuses values that do not fit', () => {
    expect(() => featureGeometry({ values: [1, 2, 3], features: 2, hidden: 2 })).toThrow(
      /values: 3 .*2 features/,
    );
    expect(() => featureGeometry(rowsOf([1], [NaN]))).toThrow(/not finite/);
  });
});
