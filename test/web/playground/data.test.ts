/** Inputs against the laws of `src/toy/sets.ts`, of which they are to be, but for empty ones. */
import { describe, expect, it } from 'vitest';
import { pairAt } from '../../../src/math/pairList.ts';
import { Random } from '../../../src/math/random.ts';
import { UNIT_UNIFORM } from '../../../src/toy/amplitudes.ts';
import { pairProbabilities } from '../../../src/toy/pairProbabilities.ts';
import { anticorrelatedSets, correlatedSets } from '../../../src/toy/sets.ts';
import {
  anythingFires,
  bothFire,
  drawBatch,
  drawInputs,
  type Firing,
} from '../../../web/src/playground/data.ts';

const FIRINGS: Firing[] = [
  { features: 6, probability: 0.1, correlation: 0, setSize: 3 },
  { features: 6, probability: 0.1, correlation: 0.7, setSize: 3 },
  { features: 6, probability: 0.1, correlation: -0.7, setSize: 3 },
  { features: 6, probability: 0.5, correlation: -1, setSize: 2 },
  { features: 6, probability: 0.02, correlation: 1, setSize: 2 },
];
const lawOf = ({ features, probability, correlation, setSize: size }: Firing) => {
  const options = {
    sets: features / size,
    size,
    probability,
    strength: Math.abs(correlation),
    amplitudes: UNIT_UNIFORM,
  };
  return correlation < 0 ? anticorrelatedSets(options) : correlatedSets(options);
};

describe('inputs', () => {
  it.each(FIRINGS)('of %o fire as often as the law has it, alone and in pairs', (firing) => {
    const { features: n, setSize } = firing;
    const count = 60_000;
    const x = drawInputs(new Random(1, 'test'), firing, count);
    const any = anythingFires(firing);
    const law = pairProbabilities(lawOf(firing));
    expect(bothFire(firing)).toBeCloseTo(law[pairAt(0, setSize - 1)], 12);
    const share = (of: (row: Float32Array) => boolean) => {
      let sum = 0;
      for (let row = 0; row < count; row++) if (of(x.subarray(row * n, (row + 1) * n))) sum++;
      return (any * sum) / count;
    };
    // Five standard deviations of a share of rows.
    const near = (found: number, expected: number) =>
      expect(Math.abs(found - expected)).toBeLessThan(5 * Math.sqrt((expected * any) / count) + 1e-12);
    expect(share((row) => row.every((value) => value === 0))).toBe(0);
    for (let i = 0; i < n; i++) {
      near(
        share((row) => row[i] > 0),
        firing.probability,
      );
      for (let j = 0; j < i; j++)
        near(
          share((row) => row[i] > 0 && row[j] > 0),
          law[pairAt(i, j)],
        );
    }
    expect(x.every((value) => value >= 0 && value <= 1)).toBe(true);
  });

  it('leave a smaller set where features do not divide', () => {
    const firing = { features: 5, probability: 0.2, correlation: 1, setSize: 2 };
    expect(anythingFires(firing)).toBeCloseTo(1 - 0.8 ** 3, 12);
    const x = drawInputs(new Random(2, 'test'), firing, 200);
    for (let row = 0; row < 200; row++) expect(x[5 * row] > 0).toBe(x[5 * row + 1] > 0);
  });

  it('all fire where the probability is 1', () => {
    const firing = { features: 3, probability: 1, correlation: 0, setSize: 2 };
    expect(drawInputs(new Random(3, 'test'), firing, 50).every((value) => value > 0)).toBe(true);
    expect(anythingFires(firing)).toBe(1);
  });
});

it('a batch has the empty input with its weight, and is the same for the same stream', () => {
  const batch = drawBatch(new Random(4, 'test'), FIRINGS[0], 64);
  expect(batch.x.subarray(0, 6)).toEqual(new Float32Array(6));
  expect(batch.weights[0]).toBeCloseTo(0.9 ** 6, 6);
  expect(batch.weights.reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1, 5);
  expect(drawBatch(new Random(4, 'test'), FIRINGS[0], 64)).toEqual(batch);
});
