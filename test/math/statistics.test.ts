import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { mean, quantile } from '../../src/math/statistics.ts';

test('mean', () => {
  expect(mean([1, 2, 6])).toBe(3);
  expect(mean(Float32Array.of(-1, 1))).toBe(0);
  expect(mean([])).toBeNaN();
});

describe('quantile', () => {
  test('type 7, as numpy.quantile and R have it', () => {
    const values = [15, 20, 35, 40, 50];
    expect(quantile(values, 0.4)).toBeCloseTo(29, 12);
    expect(quantile(values, 0.05)).toBeCloseTo(16, 12);
    expect(quantile([1, 2, 3, 4], 0.5)).toBe(2.5);
    expect(quantile([1, 2, 3, 4], 0.25)).toBe(1.75);
  });

  test('the ends are the extremes, it never falls as p rises, and the input keeps its order', () => {
    const finite = fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e100, max: 1e100 });
    const share = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(fc.array(finite, { minLength: 1 }), share, share, (values, p, q) => {
        const before = [...values];
        expect(quantile(values, 0)).toBe(Math.min(...values));
        expect(quantile(values, 1)).toBe(Math.max(...values));
        const [low, high] = [quantile(values, Math.min(p, q)), quantile(values, Math.max(p, q))];
        expect(low).toBeLessThanOrEqual(high + 1e-12 * Math.abs(high));
        expect(values).toEqual(before);
      }),
    );
  });

  test('infinite values are taken, NaN and no values give NaN, a bad probability is refused', () => {
    expect(quantile([1, Infinity, Infinity], 0.75)).toBe(Infinity);
    expect(quantile([1, NaN], 0)).toBeNaN();
    expect(quantile([], 0.5)).toBeNaN();
    for (const bad of [-0.1, 1.1, NaN]) expect(() => quantile([1], bad)).toThrow(RangeError);
  });
});
