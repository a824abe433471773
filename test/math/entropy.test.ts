import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { binaryEntropy, categoricalEntropy } from '../../src/math/entropy.ts';

describe('entropies', () => {
  test('known values, and 0 where nothing is uncertain', () => {
    expect(binaryEntropy(0.5)).toBe(1);
    expect(binaryEntropy(0.25)).toBeCloseTo(2 - 0.75 * Math.log2(3), 14);
    expect([binaryEntropy(0), binaryEntropy(1), categoricalEntropy([0, 1, 0])]).toEqual([0, 0, 0]);
    expect(() => binaryEntropy(1.5)).toThrow('not 1.5');
    expect(categoricalEntropy(new Array(8).fill(1 / 8))).toBeCloseTo(3, 14);
  });

  test('grouping: H(p, q (r, s)) = H(p, q) + q H(r, s)', () => {
    const share = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(share, share, (q, r) => {
        const whole = categoricalEntropy([1 - q, q * r, q * (1 - r)]);
        expect(whole).toBeCloseTo(binaryEntropy(q) + q * binaryEntropy(r), 10);
      }),
    );
  });
});
