/** Exact probabilities of pairs against the enumeration of forests, closed forms and samples. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { pairAt } from '../../src/math/pairList.ts';
import { Random } from '../../src/math/random.ts';
import { UNIT_UNIFORM } from '../../src/toy/amplitudes.ts';
import { conjunctionFirings } from '../../src/toy/composition.ts';
import { lowRankFirings, randomLoadings } from '../../src/toy/copula.ts';
import { type FiringNode, firingLaw } from '../../src/toy/firingLaw.ts';
import { pairLift, pairProbabilities } from '../../src/toy/pairProbabilities.ts';
import { anticorrelatedSets, correlatedSets, exclusiveSets } from '../../src/toy/sets.ts';
import { expectShare, labelsOf, rowsOf, supports } from './worlds.ts';

const amplitudes = UNIT_UNIFORM;

/** A random forest in which features return in branches that exclude each other, and some nodes have none. */
function forest(draw: (most: number) => number): FiringNode[] {
  const share = () => draw(10) / 10;
  return Array.from({ length: 1 + draw(2) }, (_, root) => {
    const own = [2 * root, 2 * root + 1];
    const leaves = (scale: number) =>
      own.slice(0, 1 + draw(1)).map((feature) => ({ feature, probability: scale * share() }));
    const branch = (): FiringNode => ({
      probability: share() / 2,
      children: [draw(1) ? { exclusive: false, nodes: leaves(1) } : { exclusive: true, nodes: leaves(0.5) }],
    });
    return { probability: share(), children: [{ exclusive: true, nodes: [branch(), branch()] }] };
  });
}

describe('pairProbabilities', () => {
  test('of any forest are those of its enumeration', () => {
    fc.assert(
      fc.property(fc.infiniteStream(fc.nat(1000)), (numbers) => {
        const roots = forest((most) => numbers.next().value % (most + 1));
        const features = 2 * roots.length;
        const found = pairProbabilities(firingLaw({ features, roots, amplitudes }));
        const all = [...supports(roots)].map(([key, p]) => ({ fired: key.split(' ').map(Number), key, p }));
        for (let i = 0; i < features; i++)
          for (let j = 0; j < i; j++) {
            const exact = all
              .filter(({ key, fired }) => key !== '' && fired.includes(i) && fired.includes(j))
              .reduce((sum, { p }) => sum + p, 0);
            expect(found[pairAt(i, j)]).toBeCloseTo(exact, 12);
          }
      }),
      { numRuns: 200 },
    );
  });

  test('of a child and its parent is the child’s', () => {
    const child = { feature: 0, probability: 0.3 };
    const roots = [{ feature: 1, probability: 0.4, children: [{ exclusive: false, nodes: [child] }] }];
    expect(pairProbabilities(firingLaw({ features: 2, roots, amplitudes }))[0]).toBeCloseTo(0.12, 12);
  });

  test('of a copula are what samples show', async () => {
    const probabilities = [0.05, 0.1, 0.2, 0.3, 0.4, 0.02];
    const loadings = randomLoadings(6, 2, 0.6, new Random(4));
    const law = lowRankFirings({ probabilities, loadings, rank: 2, amplitudes });
    const found = pairProbabilities(law);
    const count = 100_000;
    const counts = new Float64Array(15);
    for (const row of rowsOf(await labelsOf(law, count)))
      row.forEach((i, at) => {
        for (const j of row.slice(0, at)) counts[pairAt(i, j)]++;
      });
    found.forEach((p, pair) => {
      expectShare(counts[pair] / count, p, count);
    });
  });

  test('are not worked out for conjunctions', () => {
    const law = conjunctionFirings({ probabilities: [0.2, 0.3], pairs: [[0, 1]], product: true, amplitudes });
    expect(() => pairProbabilities(law)).toThrow(RangeError);
  });
});

test('the lift of sets: 1 across; within, s / p + 1 - s together, 1 - s apart, 0 where they exclude each other', () => {
  const sets = { sets: 3, size: 3, probability: 0.1, amplitudes };
  const within = (i: number, j: number) => Math.floor(i / 3) === Math.floor(j / 3);
  for (const strength of [0, 0.4, 1]) {
    const laws = [
      [correlatedSets({ ...sets, strength }), strength / 0.1 + 1 - strength],
      [anticorrelatedSets({ ...sets, strength }), 1 - strength],
      [exclusiveSets({ probabilities: new Array(3).fill([0.1, 0.2, 0.3]), amplitudes }), 0],
    ] as const;
    for (const [law, expected] of laws) {
      const lift = pairLift(law);
      for (let i = 0; i < 9; i++)
        for (let j = 0; j < i; j++) expect(lift[pairAt(i, j)]).toBeCloseTo(within(i, j) ? expected : 1, 10);
    }
  }
});
