/** Lists of pairs against matrices, and Mantel's test: by hand, by all permutations, and where there is nothing to find. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mantel } from '../../src/math/mantel.ts';
import { pairAt, pairList, pairsAmong } from '../../src/math/pairList.ts';
import { Random } from '../../src/math/random.ts';
import { pearson } from '../../src/math/spearman.ts';

describe('lists of pairs', () => {
  it('hold each pair once, in either order', () => {
    const list = pairList(6, (i, j) => 10 * i + j);
    expect(list).toHaveLength(15);
    for (let i = 0; i < 6; i++)
      for (let j = 0; j < i; j++) {
        expect(list[pairAt(i, j)]).toBe(10 * i + j);
        expect(list[pairAt(j, i)]).toBe(10 * i + j);
      }
  });

  it('among some things are rows and columns of the matrix, taken together', () => {
    const things = fc.uniqueArray(fc.nat(8), { minLength: 2 });
    fc.assert(
      fc.property(things, (some) => {
        const matrix = (i: number, j: number) => Math.sin(1 + Math.min(i, j) + 9 * Math.max(i, j));
        const taken = pairsAmong(pairList(9, matrix), some);
        expect([...taken]).toEqual([...pairList(some.length, (a, b) => matrix(some[a], some[b]))]);
      }),
    );
  });
});

/** Every order of 0 .. n - 1. */
function orders(n: number): number[][] {
  if (n === 0) return [[]];
  return orders(n - 1).flatMap((rest) =>
    Array.from({ length: n }, (_, at) => [...rest.slice(0, at), n - 1, ...rest.slice(at)]),
  );
}

describe('mantel', () => {
  const random = () => new Random(1, 'mantel');
  const normals = (n: number, label: string) => {
    const stream = new Random(2, label);
    return pairList(n, () => stream.normal());
  };

  it('comes to the share of all permutations of five things', () => {
    const [a, b] = [normals(5, 'a'), normals(5, 'b')];
    const all = orders(5).map((order) => pearson(a, pairsAmong(b, order)));
    expect(new Set(all).size).toBeGreaterThan(100);
    const value = pearson(a, b);
    const exact = all.filter((other) => other <= value).length / 120;
    const test = mantel({ a, b, things: 5, statistic: pearson, permutations: 4000, random: random() });
    expect(test.value).toBe(value);
    expect(Math.abs(test.percentile - exact)).toBeLessThan(
      4 * Math.sqrt((exact * (1 - exact)) / 4000) + 1e-3,
    );
    expect(test.null.value).toBeCloseTo(all.reduce((sum, r) => sum + r, 0) / 120, 1);
    expect(test.null.low).toBeLessThan(test.null.value);
    expect(test.null.high).toBeGreaterThan(test.null.value);
  });

  it('permutes things and not pairs: what lies in the things themselves widens the null', () => {
    const stream = new Random(3);
    const [ofA, ofB] = [0, 1].map(() => Float64Array.from({ length: 12 }, () => stream.normal()));
    const a = pairList(12, (i, j) => ofA[i] + ofA[j]);
    const b = pairList(12, (i, j) => ofB[i] + ofB[j]);
    const test = mantel({ a, b, things: 12, statistic: pearson, permutations: 500, random: random() });
    // 66 pairs that were independent would have +-.24.
    expect(test.null.high - test.null.low).toBeGreaterThan(0.8);
  });

  it('finds the same list at the top, its opposite at the bottom, and nothing in between', () => {
    const a = normals(10, 'c');
    const of = (b: Float64Array) =>
      mantel({ a, b, things: 10, statistic: pearson, permutations: 199, random: random() }).percentile;
    expect(of(a)).toBeGreaterThan(0.99);
    expect(of(a.map((x) => -x))).toBe(1 / 200);
    const nothing = Array.from({ length: 40 }, (_, i) => of(normals(10, `nothing ${i}`)));
    expect(Math.abs(nothing.reduce((sum, p) => sum + p, 0) / 40 - 0.5)).toBeLessThan(
      4 * Math.sqrt(1 / 12 / 40),
    );
  });

  it('refuses lists that are not of so many things', () => {
    const [a, b] = [normals(4, 'a'), normals(5, 'b')];
    expect(() => mantel({ a, b, things: 4, statistic: pearson, permutations: 9, random: random() })).toThrow(
      /4 things have 6 pairs, not 6 and 10/,
    );
  });
});
