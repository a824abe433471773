import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { nonNegativeLeastSquares } from '../../src/math/nonNegativeLeastSquares.ts';
import { Random } from '../../src/math/random.ts';

/** `D D^T` and `D x` of rows D `[k, width]` and x `[width]` drawn from `seed`. */
function problem(k: number, width: number, seed: number) {
  const random = new Random(seed, 'nnls');
  const [rows, x] = [new Float64Array(k * width), new Float64Array(width)];
  random.fillNormal(rows, 1);
  random.fillNormal(x, 1);
  const dot = (i: number, other: Float64Array, j: number) => {
    let sum = 0;
    for (let c = 0; c < width; c++) sum += rows[i * width + c] * other[j * width + c];
    return sum;
  };
  const gram = Float64Array.from({ length: k * k }, (_, at) => dot(Math.floor(at / k), rows, at % k));
  return { gram, right: Float64Array.from({ length: k }, (_, i) => dot(i, x, 0)) };
}

/** Slopes of the objective downhill, `right - gram z`. */
const slopes = (gram: Float64Array, right: Float64Array, z: Float64Array) =>
  right.map((value, i) => value - z.reduce((sum, zj, j) => sum + gram[i * z.length + j] * zj, 0));

describe('nonNegativeLeastSquares', () => {
  test('nothing can be gained: level where z > 0, downhill nowhere else; more rows than dimensions too', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 12 }),
        fc.integer({ min: 1, max: 15 }),
        fc.integer(),
        (k, width, seed) => {
          const { gram, right } = problem(k, width, seed);
          const z = nonNegativeLeastSquares(gram, right);
          const elsewhere = nonNegativeLeastSquares(gram, right, right.map(Math.abs));
          const size = Math.max(...right.map(Math.abs));
          if (k <= width) for (let i = 0; i < k; i++) expect(elsewhere[i]).toBeCloseTo(z[i], 3);
          slopes(gram, right, z).forEach((slope, i) => {
            expect(z[i]).toBeGreaterThanOrEqual(0);
            if (z[i] > 0) expect(Math.abs(slope)).toBeLessThan(1e-5 * size);
            else expect(slope).toBeLessThan(1e-5 * size);
          });
        },
      ),
      { numRuns: 300 },
    );
  });

  test('orthogonal unknowns are read one by one; a copy takes nothing from its original but its share', () => {
    expect(Array.from(nonNegativeLeastSquares(Float64Array.of(1, 0, 0, 2), [3, -4]))).toEqual([
      expect.closeTo(3, 6),
      0,
    ]);
    const copies = nonNegativeLeastSquares(Float64Array.of(1, 1, 1, 1), [2, 2]);
    expect(copies[0] + copies[1]).toBeCloseTo(2, 6);
  });

  test('where all must be 0, they are', () => {
    expect(Array.from(nonNegativeLeastSquares(Float64Array.of(1, 0.5, 0.5, 1), [-1, -2]))).toEqual([0, 0]);
    expect(nonNegativeLeastSquares(new Float64Array(0), [])).toHaveLength(0);
    expect(() => nonNegativeLeastSquares(new Float64Array(3), [1, 2])).toThrow(
      '3 values were given for 2 x 2',
    );
  });
});
