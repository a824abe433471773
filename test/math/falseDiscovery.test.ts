import fc from 'fast-check';
import { expect, test } from 'vitest';
import { benjaminiHochberg } from '../../src/math/falseDiscovery.ts';
import { Random } from '../../src/math/random.ts';

test('the example of Benjamini and Hochberg: fifteen p-values, four rejected at .05', () => {
  const p = [
    0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.324, 0.4262, 0.5719, 0.6528,
    0.759, 1,
  ];
  expect([...benjaminiHochberg(p, 0.05)]).toEqual(p.map((_, i) => Number(i < 4)));
});

test('what is rejected are the smallest, more of them at a larger level, and none that was not tested', () => {
  const values = fc.array(fc.oneof(fc.double({ min: 0, max: 1, noNaN: true }), fc.constant(NaN)), {
    maxLength: 40,
  });
  fc.assert(
    fc.property(values, fc.double({ min: 0.01, max: 0.5, noNaN: true }), (p, level) => {
      const [some, more] = [benjaminiHochberg(p, level), benjaminiHochberg(p, 2 * level)];
      const largest = Math.max(-1, ...p.filter((_, i) => some[i]));
      p.forEach((value, i) => {
        if (Number.isNaN(value)) expect(some[i]).toBe(0);
        else expect(some[i]).toBe(Number(value <= largest));
        expect(more[i]).toBeGreaterThanOrEqual(some[i]);
      });
    }),
  );
});

test('of tests of which four in five are of nothing, at most the level is falsely rejected', () => {
  const random = new Random(3, 'p-values');
  const shares = Array.from({ length: 300 }, () => {
    const p = Array.from({ length: 100 }, (_, i) => (i < 80 ? random.uniform() : random.uniform() ** 8));
    const rejected = benjaminiHochberg(p, 0.2);
    const all = rejected.reduce((sum, one) => sum + one, 0);
    return all === 0 ? 0 : rejected.subarray(0, 80).reduce((sum, one) => sum + one, 0) / all;
  });
  const mean = shares.reduce((sum, share) => sum + share, 0) / shares.length;
  // It is .2 x .8 = .16 in expectation.
  expect(mean).toBeGreaterThan(0.12);
  expect(mean).toBeLessThan(0.2);
});
