import { describe, expect, test } from 'vitest';
import { poissonCumulative } from '../../src/math/poisson.ts';

describe('poissonCumulative', () => {
  test.each([0, 1e-9, 0.3, 1, 7.5, 68, 2000])(
    'mean %f: the first terms by the formula, mean and variance',
    (mean) => {
      const cumulative = poissonCumulative(mean);
      expect(cumulative[0]).toBeCloseTo(Math.exp(-mean), 12);
      if (cumulative.length > 1) expect(cumulative[1]).toBeCloseTo((1 + mean) * Math.exp(-mean), 12);
      expect(cumulative[cumulative.length - 1]).toBe(1);
      let [first, second, before] = [0, 0, 0];
      cumulative.forEach((p, k) => {
        expect(p).toBeGreaterThanOrEqual(before);
        first += k * (p - before);
        second += (k - mean) ** 2 * (p - before);
        before = p;
      });
      expect(Math.abs(first - mean)).toBeLessThan(1e-10 * (1 + mean));
      expect(Math.abs(second - mean)).toBeLessThan(1e-8 * (1 + mean));
    },
  );

  test('what is no mean is refused', () => {
    for (const mean of [-1, NaN, Infinity]) expect(() => poissonCumulative(mean)).toThrow(/a mean is >= 0/);
  });
});
