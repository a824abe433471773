import { describe, expect, test } from 'vitest';
import { absorptionScores, countAbsorption } from '../../src/evaluation/groundTruthAbsorption.ts';
import { Random } from '../../src/math/random.ts';
import { once, sparse } from './sparse.ts';

/** Feature 0 fires half the time, and its children 1 and 2 with it, each with a chance of 1 in 4; 3 is a root of its own. */
const parentOf = Int32Array.of(-1, 0, 0, -1);
const random = new Random(1, 'tree');
const labels = Array.from({ length: 4000 }, () => {
  const row = random.below(2) === 0 ? [0] : [];
  if (row.length > 0) for (const child of [1, 2]) if (random.below(4) === 0) row.push(child);
  if (random.below(3) === 0) row.push(3);
  return row;
});
const pairedFeature = Int32Array.of(0, 1, 2, 3);

function score(codes: number[][], blocks = 1, paired = pairedFeature) {
  const counts = countAbsorption(
    { codes: sparse(codes), labels: sparse(labels), parentOf, pairedFeature: paired },
    blocks,
  );
  return absorptionScores(counts, once(blocks));
}

describe('absorption', () => {
  test('codes that fire as the features do keep the parent with each child', () => {
    const { kept, children, mean } = score(labels);
    expect(Array.from(children)).toEqual([1, 2]);
    expect(Array.from(kept)).toEqual([1, 1]);
    expect(mean).toBe(1);
  });

  test('a child that takes the parent’s place leaves 0 of it, and its sibling less than all', () => {
    const absorbed = labels.map((row) => (row.includes(1) ? row.filter((feature) => feature !== 0) : row));
    const { kept } = score(absorbed);
    expect(kept[0]).toBe(0);
    // With child 2 the parent fires where child 1 is off, 3 in 4, as it does without child 2.
    expect(Math.abs(kept[1] - 1)).toBeLessThan(0.1);
  });

  test('a parent that fires half the time with a child and always without: 1/2', () => {
    const halved = labels.map((row) =>
      row.includes(2) && random.below(2) === 0 ? row.filter((feature) => feature !== 0) : row,
    );
    expect(Math.abs(score(halved).kept[1] - 0.5)).toBeLessThan(0.06);
  });

  test('the cut into blocks does not matter where each counts once', () => {
    const codes = labels.map((row) => (row.includes(2) ? [2] : row));
    expect(score(codes, 7)).toEqual(score(codes));
  });

  test('a parent without a latent, or one that is silent without a child, tells nothing', () => {
    expect(score(labels, 1, Int32Array.of(-1, 1, 2, 3)).mean).toBeNaN();
    expect(score(labels.map(() => [])).mean).toBeNaN();
  });

  test('parents that are not features are refused', () => {
    const options = { codes: sparse([[0]]), labels: sparse([[0]]), pairedFeature };
    for (const parent of [2, -2, 1])
      expect(() => countAbsorption({ ...options, parentOf: Int32Array.of(-1, parent) }, 1)).toThrow(
        `feature 1 was given ${parent}, of 2 features`,
      );
    expect(() => countAbsorption({ ...options, codes: sparse([]), parentOf }, 1)).toThrow(
      '0 rows were given',
    );
  });
});
