import { describe, expect, test } from 'vitest';
import { poissonCumulative, poissonTails } from '../../src/math/poisson.ts';

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

describe('poissonTails', () => {
  test.each([0.3, 1, 7.5, 68, 2000])('mean %f: as the cumulative sums say', (mean) => {
    const cumulative = poissonCumulative(mean);
    for (const count of [0, 1, 2, 5, Math.round(mean), Math.round(mean + 3 * Math.sqrt(mean))]) {
      const { below, above } = poissonTails(mean, count);
      expect(below).toBeCloseTo(cumulative[count] ?? 1, 10);
      expect(above).toBeCloseTo(1 - (count > 0 ? (cumulative[count - 1] ?? 1) : 0), 10);
    }
  });

  test('what is small is right to its last digits, far out', () => {
    // 1 - cumulative sums would give 0. P(N >= 60 | 10) by its first terms.
    let [term, sum] = [Math.exp(-10), 0];
    for (let k = 1; k < 200; k++) {
      term *= 10 / k;
      if (k >= 60) sum += term;
    }
    expect(poissonTails(10, 60).above / sum).toBeCloseTo(1, 8);
    expect(poissonTails(700, 0).below / Math.exp(-700)).toBeCloseTo(1, 8);
  });

  test('nothing is expected', () => {
    expect(poissonTails(0, 0)).toEqual({ below: 1, above: 1 });
    expect(poissonTails(0, 2)).toEqual({ below: 1, above: 0 });
    expect(() => poissonTails(1, 0.5)).toThrow(/whole number/);
  });
});
