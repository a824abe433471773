import { describe, expect, test } from 'vitest';
import { normalDensity, normalProbability } from '../../src/math/normal.ts';
import { type Amplitude, amplitudeMean } from '../../src/toy/amplitudes.ts';
import { independentFirings } from '../../src/toy/independent.ts';
import { labelsOf } from './worlds.ts';

const COUNT = 60_000;
const always = (amplitudes: Amplitude) => independentFirings({ probabilities: [1], amplitudes });

/** Kolmogorov's distance between draws and a cumulative distribution. */
function distance(values: Float32Array, cumulative: (a: number) => number): number {
  const sorted = values.slice().sort();
  return Math.max(
    ...Array.from(sorted, (a, i) => Math.abs(cumulative(a) - (i + 0.5) / sorted.length)).filter(
      (_, i) => i % 50 === 0,
    ),
  );
}

describe('amplitudes', () => {
  const folded = (mean: number, sd: number) => (a: number) =>
    normalProbability((a - mean) / sd) - normalProbability((-a - mean) / sd);
  test.each<[string, Amplitude, (a: number) => number]>([
    ['uniform in (0, 2]', { kind: 'uniform', low: 0, high: 2 }, (a) => Math.min(1, a / 2)],
    ['half-normal', { kind: 'folded normal', mean: 0, sd: 1 }, folded(0, 1)],
    ['folded normal', { kind: 'folded normal', mean: 0.5, sd: 0.8 }, folded(0.5, 0.8)],
    ['normal around 1', { kind: 'normal', mean: 1, sd: 0.15 }, (a) => normalProbability((a - 1) / 0.15)],
    [
      'normal, of which much is drawn again',
      { kind: 'normal', mean: 0.5, sd: 1 },
      (a) => (normalProbability(a - 0.5) - normalProbability(-0.5)) / normalProbability(0.5),
    ],
  ])('%s: the distribution and its mean', async (_, amplitude, cumulative) => {
    const { values } = await labelsOf(always(amplitude), COUNT);
    expect(values.length).toBe(COUNT);
    expect(values.every((a) => a > 0)).toBe(true);
    // 1 in 15,000 is above 2.3 / sqrt n.
    expect(distance(values, cumulative)).toBeLessThan(2.3 / Math.sqrt(COUNT));
    let [mean, step] = [0, 1e-3];
    for (let a = step / 2; a < 8; a += step) mean += step * (1 - cumulative(a));
    expect(amplitudeMean(amplitude)).toBeCloseTo(mean, 4);
  });

  test('constants are constant, and their mean themselves', async () => {
    const { values } = await labelsOf(always({ kind: 'constant', value: 0.3 }), 1000);
    expect(values.every((a) => a === Math.fround(0.3))).toBe(true);
    expect(amplitudeMean({ kind: 'constant', value: 0.3 })).toBe(0.3);
    expect(amplitudeMean({ kind: 'folded normal', mean: 0, sd: 1 })).toBeCloseTo(2 * normalDensity(0), 12);
  });

  test.each<[Amplitude, RegExp]>([
    [{ kind: 'constant', value: 0 }, /expected a value > 0, not 0/],
    [{ kind: 'uniform', low: 2, high: 1 }, /expected 0 <= low < high, not 2 and 1/],
    [{ kind: 'normal', mean: 0, sd: 1 }, /a normal of mean 0/],
    [{ kind: 'folded normal', mean: 0, sd: 0 }, /a folded normal of mean 0/],
    [{ kind: 'normal', mean: 1, sd: -1 }, /standard deviation -1/],
  ])('%j has no amplitudes', (amplitude, message) => {
    expect(() => always(amplitude)).toThrow(message);
  });

  test('laws for each feature must be as many', () => {
    const amplitudes: Amplitude[] = [{ kind: 'constant', value: 1 }];
    expect(() => independentFirings({ probabilities: [0.5, 0.5], amplitudes })).toThrow(
      /1 laws .* 2 features/,
    );
  });
});
