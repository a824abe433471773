import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { normalDensity, normalQuantile, normalProbability as probability } from '../../src/math/normal.ts';
import { normalProbability } from './normalProbability.ts';

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
  test('is the integral of the density, and in the tail its asymptotic series', () => {
    for (let x = -6; x <= 6; x += 0.37)
      expect(Math.abs(probability(x) - normalProbability(x))).toBeLessThan(5e-15);
    for (const x of [-7.2, -10, -20, -36]) {
      const series = 1 - x ** -2 + 3 * x ** -4 - 15 * x ** -6 + 105 * x ** -8;
      expect(probability(x) / ((normalDensity(x) / -x) * series)).toBeCloseTo(1, 5);
    }
    expect([probability(-Infinity), probability(-40), probability(40), probability(Infinity)]).toEqual([
      0, 0, 1, 1,
    ]);
  });

  test('inverts the quantile, digits of small probabilities too', () => {
    for (const p of [0.5, 0.01, 1e-4, 1e-8, 1e-11])
      expect(probability(normalQuantile(p)) / p).toBeCloseTo(1, 8);
  });
});
