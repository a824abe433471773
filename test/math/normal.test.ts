import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { normalProbability as closed, normalDensity, normalQuantile } from '../../src/math/normal.ts';
import { integrate, normalProbability } from './normalProbability.ts';

describe('normalQuantile', () => {
  test('values from tables', () => {
    const table = [
      [0.5, 0],
      [0.75, 0.6744897501960817],
      [0.9, 1.2815515655446004],
      [0.975, 1.959963984540054],
      [0.999, 3.090232306167813],
      [1e-6, -4.753424308822899],
      [1e-20, -9.262340089798409],
    ];
    for (const [p, x] of table) expect(normalQuantile(p)).toBeCloseTo(x, 13);
    expect(normalQuantile(0)).toBe(-Infinity);
    expect(normalQuantile(1)).toBe(Infinity);
  });

  test('inverts the integral of the density, in the centre, the flanks and the tails', () => {
    fc.assert(
      fc.property(fc.double({ min: -6, max: 6, noNaN: true }), (x) => {
        // Seen from the far side the probability is near 1 and has lost the digits that tell x.
        const p = normalProbability(x);
        expect(Math.abs(normalQuantile(p) - x) * normalDensity(x)).toBeLessThan(1e-14);
      }),
      { numRuns: 200 },
    );
  });

  test('is odd about 1/2 and refuses what is no probability', () => {
    for (const p of [0.01, 0.07, 0.2, 0.43])
      expect(normalQuantile(1 - p)).toBeCloseTo(-normalQuantile(p), 12);
    for (const p of [-0.1, 1.1, NaN]) expect(() => normalQuantile(p)).toThrow(`not ${p}`);
  });
});

describe('normalProbability', () => {
  test('values from tables, far out too, and symmetry', () => {
    const table = [
      [0, 0.5],
      [1, 0.15865525393145705],
      [2, 0.02275013194817921],
      [3, 0.0013498980316300946],
      [5, 2.866515718791939e-7],
      [8, 6.220960574271785e-16],
      [20, 2.7536241186062337e-89],
    ];
    for (const [x, tail] of table) {
      expect(closed(-x) / tail).toBeCloseTo(1, x > 7 ? 7 : 10);
      expect(closed(x)).toBeCloseTo(1 - tail, 14);
    }
  });

  test('is the integral of the density, on both sides of where its formula changes', () => {
    for (const x of [-3.2, -3, -2.7, -0.4, 0.3, 1.5, 2.9, 2.999999, 3.000001, 3.3]) {
      expect(closed(-x)).toBeCloseTo(1 - normalProbability(x), 13);
      const beyond = integrate(normalDensity, x, x + 20, 20_000);
      expect(closed(-x) / beyond).toBeCloseTo(1, 10);
    }
  });
});
