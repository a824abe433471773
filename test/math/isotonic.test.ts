import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isotonic } from '../../src/math/isotonic.ts';

test('neighbours out of order are pooled, by weight', () => {
  expect([...isotonic([1, 3, 2, 4])]).toEqual([1, 2.5, 2.5, 4]);
  expect([...isotonic([3, 0], [1, 2])]).toEqual([1, 1]);
  expect([...isotonic([])]).toEqual([]);
});

test('it rises, keeps the mean, and is the max-min of means of runs', () => {
  const pairs = fc.array(fc.tuple(fc.integer({ min: -5, max: 5 }), fc.integer({ min: 1, max: 4 })), {
    minLength: 1,
    maxLength: 12,
  });
  fc.assert(
    fc.property(pairs, (values) => {
      const [y, w] = [values.map(([value]) => value), values.map(([, weight]) => weight)];
      const fitted = isotonic(y, w);
      const meanOf = (from: number, to: number) => {
        let [sum, weight] = [0, 0];
        for (let i = from; i <= to; i++) {
          sum += w[i] * y[i];
          weight += w[i];
        }
        return sum / weight;
      };
      fitted.forEach((value, i) => {
        const highest = Math.max(
          ...Array.from({ length: i + 1 }, (_, from) =>
            Math.min(...Array.from({ length: y.length - i }, (__, more) => meanOf(from, i + more))),
          ),
        );
        expect(value).toBeCloseTo(highest, 10);
        if (i > 0) expect(value).toBeGreaterThanOrEqual(fitted[i - 1]);
      });
    }),
  );
});
