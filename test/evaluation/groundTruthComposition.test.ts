import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  compositionScores,
  countCompositions,
  isMixed,
} from '../../src/evaluation/groundTruthComposition.ts';
import { Random } from '../../src/math/random.ts';
import { once, sparse } from './sparse.ts';

/** Samples of two groups of features, one of each on: feature i of the first with feature `size + j` of the second. */
function twoGroups(rows: number, size: number): number[][] {
  const random = new Random(1, 'groups');
  return Array.from({ length: rows }, () => [random.below(size), size + random.below(size)]);
}

function score(codes: number[][], labels: number[][], latents: number, features: number, blocks = 1) {
  const counts = countCompositions(
    { codes: sparse(codes), labels: sparse(labels), latents, features },
    blocks,
  );
  return compositionScores(counts, once(blocks));
}

describe('compositions', () => {
  const labels = twoGroups(2000, 6);

  test('latents that fire as the features do are atomic, and cover them', () => {
    const scores = score(labels, labels, 12, 12);
    expect(scores).toMatchObject({ composed: 0, atomic: 1, atomsCovered: 1 });
    expect(Array.from(scores.standsFor)).toEqual(Array.from({ length: 12 }, (_, i) => [i, -1]).flat());
  });

  test('a latent for each pair of 6 by 6 is composed, and covers none', () => {
    const codes = labels.map(([i, j]) => [6 * i + (j - 6)]);
    const scores = score(codes, labels, 36, 12);
    expect(scores).toMatchObject({ composed: 1, atomic: 0, atomsCovered: 0 });
    for (let latent = 0; latent < 36; latent++)
      expect(Array.from(scores.standsFor.subarray(2 * latent, 2 * latent + 2))).toEqual([
        Math.floor(latent / 6),
        6 + (latent % 6),
      ]);
  });

  test('latents that fire at random stand for nothing', () => {
    const random = new Random(2, 'codes');
    const codes = labels.map(() => [random.below(12)]);
    expect(score(codes, labels, 12, 12)).toMatchObject({ composed: 0, atomic: 0, atomsCovered: 0 });
  });

  test('the best label of every latent, against all features and all pairs one by one', () => {
    const [latents, features, rows] = [3, 4, 24];
    const table = (columns: number, chance: number) =>
      fc.array(
        fc.array(
          fc.integer({ min: 0, max: 9 }).map((n) => n < chance),
          { minLength: columns, maxLength: columns },
        ),
        { minLength: rows, maxLength: rows },
      );
    const columnsOf = (row: boolean[]) => row.flatMap((fires, column) => (fires ? [column] : []));
    fc.assert(
      fc.property(
        table(features, 5),
        table(latents, 1),
        fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 3, maxLength: 3 }),
        (truth, noise, of) => {
          // Each latent is a pair or a feature with some noise, so that some are composed and some not.
          const codes = truth.map((row, r) =>
            noise[r].map(
              (flip, j) => flip !== (row[of[j] % features] && row[Math.floor(of[j] / 3) % features]),
            ),
          );
          const { standsFor } = score(codes.map(columnsOf), truth.map(columnsOf), latents, features, 2);
          const f1 = (j: number, label: number[]) => {
            const on = (row: boolean[]) => label.every((feature) => row[feature]);
            const both = truth.filter((row, r) => codes[r][j] && on(row)).length;
            return (2 * both) / (codes.filter((row) => row[j]).length + truth.filter(on).length);
          };
          for (let j = 0; j < latents; j++) {
            const single = Math.max(0, ...truth[0].map((_, i) => f1(j, [i]) || 0));
            let pair = 0;
            for (let i = 0; i < features; i++)
              for (let k = 0; k < i; k++) pair = Math.max(pair, f1(j, [k, i]) || 0);
            const kind = [standsFor[2 * j], standsFor[2 * j + 1]].filter((feature) => feature >= 0).length;
            const expected = pair > 0.6 && pair > single ? 2 : single > 0.6 ? 1 : 0;
            expect(kind).toBe(expected);
          }
        },
      ),
      { numRuns: 200 },
    );
  });

  test('features that never fire need no latent; blocks of weight 0 are as if they were not there', () => {
    expect(score([[0], [0]], [[0], [0]], 1, 5).atomsCovered).toBe(1);
    const options = { latents: 1, features: 2 };
    const first = sparse([[0], [0]]);
    const labelsOfFirst = sparse([[0], [0]]);
    const counts = countCompositions(
      { codes: sparse([[0], [0], [0], [0]]), labels: sparse([[0], [0], [1], [1]]), ...options },
      2,
    );
    const alone = countCompositions({ codes: first, labels: labelsOfFirst, ...options }, 1);
    expect(compositionScores(counts, Float64Array.of(2, 0))).toEqual(compositionScores(alone, once(1)));
    expect(() => countCompositions({ codes: first, labels: sparse([[0]]), ...options }, 1)).toThrow(
      '2 rows were given for labels of 1',
    );
  });
});

test('mixed: near to a second feature', () => {
  expect(isMixed(Float64Array.of(0.9, 0.3, 0.1))).toBe(false);
  expect(isMixed(Float64Array.of(0.1, 0.71, 0.71))).toBe(true);
  expect(isMixed(Float64Array.of(0.41))).toBe(false);
});
