import { describe, expect, test } from 'vitest';
import type { Entropy } from '../../src/toy/distribution.ts';
import type { FiringLaw } from '../../src/toy/firingLaw.ts';
import { anticorrelatedSets, correlatedSets, exclusiveSets } from '../../src/toy/sets.ts';
import { bitsOf, expectFrequencies, expectShare, labelsOf, rowsOf } from './worlds.ts';

const COUNT = 100_000;
const amplitudes = { kind: 'constant', value: 1 } as const;
const shape = { sets: 2, size: 3, amplitudes };
const bits = (entropy: Entropy) => ('bits' in entropy ? entropy.bits : NaN);

/** The probability of each support of the first set, by what `probability` says of one of so many features. */
function ofOneSet(probability: (firing: number) => number): Map<string, number> {
  const all = Array.from({ length: 8 }, (_, mask) => [0, 1, 2].filter((i) => (mask >> i) & 1));
  return new Map(all.map((fired) => [fired.join(' '), probability(fired.length)]));
}

async function expectSupports(law: FiringLaw, one: Map<string, number>): Promise<void> {
  const labels = await labelsOf(law, COUNT);
  expectFrequencies(labels, law);
  const counts = new Map<string, number>();
  for (const row of rowsOf(labels)) {
    const key = row.filter((feature) => feature < 3).join(' ');
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  for (const [key, p] of one) expectShare((counts.get(key) ?? 0) / COUNT, p, COUNT);
  expect(law.entropy.kind).toBe('exact');
  const possible = new Map([...one].filter(([, p]) => p > 0));
  expect(bits(law.entropy)).toBeCloseTo(2 * bitsOf(possible), 9);
}

const independent = (p: number) => (firing: number) => p ** firing * (1 - p) ** (3 - firing);

describe('correlatedSets', () => {
  test.each([0, 0.3, 1])(
    'at strength %f: supports, entropy and correlation of the mixture',
    async (strength) => {
      const p = 0.2;
      const law = correlatedSets({ ...shape, probability: p, strength });
      expect([...law.firingProbabilities].every((q) => Math.abs(q - p) < 1e-12)).toBe(true);
      const tied = [1 - p, 0, 0, p];
      const one = ofOneSet((n) => strength * tied[n] + (1 - strength) * independent(p)(n));
      const both = one.get('0 1')! + one.get('0 1 2')!;
      expect((both - p * p) / (p * (1 - p))).toBeCloseTo(strength, 10);
      await expectSupports(law, one);
    },
  );
});

describe('anticorrelatedSets', () => {
  test.each([0, 0.5, 1])(
    'at strength %f: supports, entropy and correlation of the mixture',
    async (strength) => {
      const p = 0.25;
      const law = anticorrelatedSets({ ...shape, probability: p, strength });
      const tied = [1 - 3 * p, p, 0, 0];
      const one = ofOneSet((n) => strength * tied[n] + (1 - strength) * independent(p)(n));
      const both = one.get('0 1')! + one.get('0 1 2')!;
      expect((both - p * p) / (p * (1 - p))).toBeCloseTo((-strength * p) / (1 - p), 10);
      await expectSupports(law, one);
    },
  );

  test('strengths and probabilities that do not fit are refused', () => {
    expect(() => anticorrelatedSets({ ...shape, probability: 0.4, strength: 1 })).toThrow(/3 features/);
    expect(() => correlatedSets({ ...shape, probability: 0.4, strength: 1.5 })).toThrow(/strength: expected/);
    expect(() => correlatedSets({ ...shape, probability: -1, strength: 1 })).toThrow(
      /-1 is not a probability/,
    );
  });
});

describe('exclusiveSets', () => {
  test('one of a set at most, each as often as asked', async () => {
    const law = exclusiveSets({ probabilities: [[0.5, 0.2, 0.1], [0.3]], amplitudes });
    const labels = await labelsOf(law, COUNT);
    expectFrequencies(labels, law);
    for (const row of rowsOf(labels)) expect(row.filter((feature) => feature < 3).length).toBeLessThan(2);
    const h = (...p: number[]) => p.reduce((sum, q) => sum - q * Math.log2(q), 0);
    expect(bits(law.entropy)).toBeCloseTo(h(0.5, 0.2, 0.1, 0.2) + h(0.3, 0.7), 10);
    expect(() => exclusiveSets({ probabilities: [[0.6, 0.6]], amplitudes })).toThrow(/sum to 1.2/);
  });
});
