import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { firingLaw } from '../../src/toy/firingLaw.ts';
import { chosenEvenly, regularTrees, treeFeatures } from '../../src/toy/hierarchy.ts';
import { expectFrequencies, labelsOf, rowsOf } from './worlds.ts';

describe('regularTrees', () => {
  const shape = { trees: 2, branching: 3, depth: 2, exclusive: true, scaled: false };
  /** By the numbering: 2 roots, 6 children, 18 grandchildren. */
  const parentOf = (feature: number) =>
    feature < 8 ? Math.floor((feature - 2) / 3) : 2 + Math.floor((feature - 8) / 3);

  test('numbers features by level, and asks for the probability of each, under its parent', () => {
    const asked: [number, number | undefined, readonly number[]][] = [];
    regularTrees({
      ...shape,
      probabilityOf: (feature, parent, siblings) => {
        asked.push([feature, parent, siblings]);
        return 0.1;
      },
    });
    asked.sort(([a], [b]) => a - b);
    expect(asked.map(([feature]) => feature)).toEqual(
      Array.from({ length: treeFeatures(shape) }, (_, i) => i),
    );
    for (const [feature, parent, siblings] of asked) {
      expect(parent).toBe(feature < 2 ? undefined : parentOf(feature));
      if (parent !== undefined) {
        expect(siblings).toContain(feature);
        expect(siblings.every((sibling) => parentOf(sibling) === parent)).toBe(true);
      }
    }
  });

  test('branches of one are chains', () => {
    const chain = { trees: 2, branching: 1, depth: 2 };
    const [first] = regularTrees({ ...chain, exclusive: false, scaled: true, probabilityOf: () => 1 });
    const below = first.children![0].nodes[0];
    expect(
      [first, below, below.children![0].nodes[0]].map(({ feature, scaled }) => [feature, scaled]),
    ).toEqual([
      [0, false],
      [2, true],
      [4, true],
    ]);
    expect(treeFeatures(chain)).toBe(6);
  });

  test('children fire only with their parent, one of them at most where they exclude each other', async () => {
    for (const exclusive of [true, false]) {
      const roots = regularTrees({
        ...shape,
        exclusive,
        probabilityOf: (feature) => (feature < 2 ? 0.6 : 0.3),
      });
      const law = firingLaw({
        features: treeFeatures(shape),
        roots,
        amplitudes: { kind: 'constant', value: 1 },
      });
      const labels = await labelsOf(law, 10_000);
      expectFrequencies(labels, law);
      let several = 0;
      for (const row of rowsOf(labels)) {
        const parents = row.filter((feature) => feature >= 2).map(parentOf);
        expect(parents.every((parent) => row.includes(parent))).toBe(true);
        if (new Set(parents).size < parents.length) several++;
      }
      expect(several > 0).toBe(!exclusive);
    }
  });
});

describe('chosenEvenly', () => {
  test('is what enumerating who stands gives', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 6 }),
        (p) => {
          let chosen = 0;
          for (let mask = 1; mask < 2 ** p.length; mask += 2) {
            const standing = p.filter((_, i) => (mask >> i) & 1).length;
            chosen += p.reduce((product, q, i) => product * ((mask >> i) & 1 ? q : 1 - q), 1) / standing;
          }
          expect(chosenEvenly(p)).toBeCloseTo(chosen, 12);
        },
      ),
    );
  });
});
