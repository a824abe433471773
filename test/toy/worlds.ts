/** What tests of worlds share: labels without directions, frequencies against probabilities, and forests by enumeration. */
import { expect } from 'vitest';
import type { SparseRows } from '../../src/kernels/backend.ts';
import { loadBackend } from '../../src/kernels/index.ts';
import { drawLaw } from '../../src/toy/drawLaw.ts';
import type { ChildGroup, FiringLaw, FiringNode } from '../../src/toy/firingLaw.ts';

/** Labels of the first `count` samples. */
export async function labelsOf(law: FiringLaw, count: number, seed = 1): Promise<SparseRows> {
  return (await drawLaw(loadBackend(), law, seed, 0, count)).labels;
}

/** The features of each row. */
export function rowsOf({ rows, offsets, indices }: SparseRows): number[][] {
  return Array.from({ length: rows }, (_, r) => [...indices.subarray(offsets[r], offsets[r + 1])]);
}

/** A share of `count` draws within 4.5 standard errors of p: 1 in 150,000 fails. */
export function expectShare(share: number, p: number, count: number): void {
  expect(Math.abs(share - p)).toBeLessThanOrEqual(4.5 * Math.sqrt((p * (1 - p)) / count) + 1e-12);
}

/** Each feature fires as often as the law says. */
export function expectFrequencies(labels: SparseRows, law: Pick<FiringLaw, 'firingProbabilities'>): void {
  const counts = new Float64Array(law.firingProbabilities.length);
  for (const feature of labels.indices) counts[feature]++;
  law.firingProbabilities.forEach((p, i) => {
    expectShare(counts[i] / labels.rows, p, labels.rows);
  });
}

/** The probability of each support, features joined by spaces, of a forest without coupling: every outcome in turn. */
export function supports(roots: readonly FiringNode[]): Map<string, number> {
  type Outcomes = { fired: number[]; p: number }[];
  const both = (a: Outcomes, b: Outcomes): Outcomes =>
    a.flatMap((x) => b.map((y) => ({ fired: [...x.fired, ...y.fired], p: x.p * y.p })));
  const firing = ({ feature, children = [] }: FiringNode): Outcomes => {
    const own = [{ fired: feature === undefined ? [] : [feature], p: 1 }];
    return children.map(ofGroup).reduce(both, own);
  };
  const scaled = (outcomes: Outcomes, by: number) => outcomes.map(({ fired, p }) => ({ fired, p: p * by }));
  const ofGroup = ({ exclusive, nodes }: ChildGroup): Outcomes => {
    const none = (q: number) => [{ fired: [], p: q }];
    if (exclusive) {
      const total = nodes.reduce((sum, { probability }) => sum + probability, 0);
      return [...none(1 - total), ...nodes.flatMap((node) => scaled(firing(node), node.probability))];
    }
    return nodes
      .map((node) => [...none(1 - node.probability), ...scaled(firing(node), node.probability)])
      .reduce(both, none(1));
  };
  const probabilities = new Map<string, number>();
  for (const { fired, p } of ofGroup({ exclusive: false, nodes: roots })) {
    const key = [...new Set(fired)].sort((a, b) => a - b).join(' ');
    if (p > 0) probabilities.set(key, (probabilities.get(key) ?? 0) + p);
  }
  return probabilities;
}

export function bitsOf(probabilities: Map<string, number>): number {
  return [...probabilities.values()].reduce((sum, p) => sum - p * Math.log2(p), 0);
}
