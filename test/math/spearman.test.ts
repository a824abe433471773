/** Rank correlation against its textbook formula, and by what may not change it. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pearson, ranks, spearman } from '../../src/math/spearman.ts';

describe('spearman', () => {
  it('without ties is 1 - 6 sum d^2 / (n (n^2 - 1))', () => {
    const distinct = fc.uniqueArray(fc.integer({ min: -1000, max: 1000 }), { minLength: 3, maxLength: 30 });
    fc.assert(
      fc.property(distinct, fc.integer(), (a, salt) => {
        const b = a.map((value) => Math.sin(value * 12.9898 + salt));
        const [ra, rb] = [ranks(a), ranks(b)];
        const n = a.length;
        const squares = ra.reduce((sum, rank, i) => sum + (rank - rb[i]) ** 2, 0);
        expect(spearman(a, b)).toBeCloseTo(1 - (6 * squares) / (n * (n * n - 1)), 9);
      }),
    );
  });

  it('sees order alone, and its sign', () => {
    const a = [3, 1, 4, 1.5, 9, 2.6];
    expect(spearman(a, a.map(Math.exp))).toBeCloseTo(1, 12);
    expect(
      spearman(
        a,
        a.map((value) => -(value ** 3)),
      ),
    ).toBeCloseTo(-1, 12);
  });

  it('gives equal values the mean of their ranks', () => {
    expect([...ranks([5, 1, 5, 0])]).toEqual([2.5, 1, 2.5, 0]);
    // Worked by hand: ranks 0, 1.5, 1.5, 3 against 0, 1, 2, 3.
    expect(spearman([1, 2, 2, 3], [1, 2, 3, 4])).toBeCloseTo(4.5 / Math.sqrt(4.5 * 5), 12);
  });

  it('has no value where all are equal, and refuses lists of different lengths', () => {
    expect(spearman([1, 1, 1], [1, 2, 3])).toBeNaN();
    expect(() => spearman([1], [1, 2])).toThrow(RangeError);
  });
});

it('pearson of a line is 1, and of its mirror -1', () => {
  expect(pearson([1, 2, 3], [5, 7, 9])).toBeCloseTo(1, 12);
  expect(pearson([1, 2, 3], [9, 7, 5])).toBeCloseTo(-1, 12);
});
