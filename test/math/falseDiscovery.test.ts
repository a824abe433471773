import fc from 'fast-check';
import { expect, test } from 'vitest';
import { falseDiscoveryRates } from '../../src/math/falseDiscovery.ts';
import { Random } from '../../src/math/random.ts';

test('by hand', () => {
  const rates = [...falseDiscoveryRates([0.01, 0.04, 0.03, 0.5])];
  expect(rates).toEqual([0.04, 0.16 / 3, 0.16 / 3, 0.5].map((q) => expect.closeTo(q, 12)));
  expect(falseDiscoveryRates([])).toHaveLength(0);
  expect(() => falseDiscoveryRates([0.1, Number.NaN])).toThrow(/p-value 1/);
});

test('no smaller than the p-values, in their order, wherever they stand', () => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 40 }), (p) => {
      const q = falseDiscoveryRates(p);
      p.forEach((value, i) => {
        expect(q[i]).toBeGreaterThanOrEqual(value);
        expect(q[i]).toBeLessThanOrEqual(1);
        p.forEach((other, j) => {
          if (value <= other) expect(q[i]).toBeLessThanOrEqual(q[j]);
        });
      });
      expect([...falseDiscoveryRates([...p].reverse())]).toEqual([...q].reverse());
    }),
  );
});

test('of what is called at a level, that share is false or less, on average', () => {
  const random = new Random(1, 'tests');
  let share = 0;
  for (let run = 0; run < 400; run++) {
    const p = Array.from({ length: 100 }, (_, i) => random.uniform() * (i < 20 ? 1e-3 : 1));
    const rates = falseDiscoveryRates(p);
    const called = [...rates.keys()].filter((i) => rates[i] <= 0.1);
    share += called.filter((i) => i >= 20).length / Math.max(1, called.length) / 400;
  }
  expect(share).toBeLessThan(0.1);
  expect(share).toBeGreaterThan(0.04);
});
