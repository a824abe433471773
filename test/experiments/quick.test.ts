/**
 * The figures of docs/reproductions.md at reduced size: what others found is found again, if less exactly. T7 is in
 * `toy/bounds/randomDirections.test.ts` and T11 in `full/evaluation/`.
 */
import { describe, expect, it } from 'vitest';
import { donohoTanner } from '../../src/experiments/donohoTanner.ts';
import type { Experiment } from '../../src/experiments/experiment.ts';
import { fiveFeatures } from '../../src/experiments/fiveFeatures.ts';
import { kurtosis, powerKurtosis, powerVariance } from '../../src/experiments/kurtosis.ts';
import { layerOf512 } from '../../src/experiments/layerOf512.ts';
import { magnitude } from '../../src/experiments/magnitude.ts';
import { overlapLaw } from '../../src/experiments/overlapLaw.ts';
import { pairs } from '../../src/experiments/pairs.ts';
import { phaseBoundary } from '../../src/experiments/phaseBoundary.ts';
import { stickyDimensions } from '../../src/experiments/stickyDimensions.ts';
import { loadBackend } from '../../src/kernels/index.ts';

const backend = loadBackend();

/** The finding whose name starts so, of a run at reduced size. */
async function quick(experiment: Experiment) {
  const { findings, figures } = await experiment.run({ backend, quick: true, seed: 1, update: () => {} });
  return {
    figures,
    value(start: string): number {
      const found = findings.find(({ name }) => name.startsWith(start));
      expect(found, start).toBeDefined();
      return found!.value!;
    },
  };
}

// A few seconds each, or many where others use the machine.
describe('at reduced size', { timeout: 240_000 }, () => {
  it('T1: two features share one dimension where the boundary says so', async () => {
    expect((await quick(phaseBoundary)).value('share of cells')).toBeGreaterThan(0.8);
  });

  it('T2: two of five features are stored where all fire, four or five where few do; single models settle in less', async () => {
    const { value, figures } = await quick(fiveFeatures);
    expect(Math.abs(value('|W|^2 where all features fire') - 2)).toBeLessThan(0.1);
    expect(value('features stored at probability .05')).toBeGreaterThanOrEqual(4);
    expect(value('rank correlation')).toBeGreaterThan(0.8);
    const singles = figures.find(({ name }) => name === 'single')!.data;
    const dense = singles.filter((row) => row.probability === 1);
    for (const { squares } of dense) expect(Math.abs(Number(squares) - 2)).toBeLessThan(0.1);
    // No single model has less than the two, nor more than a pentagon of rows longer than 1.
    for (const { squares, represented } of singles) {
      expect(Number(represented)).toBeGreaterThanOrEqual(2);
      expect(Number(squares)).toBeLessThan(7);
    }
    expect(value('features stored at probability .05, single')).toBeGreaterThan(3);
  });

  it('T3: dimensions per feature stay near a half, in antipodal pairs', async () => {
    const { value } = await quick(stickyDimensions);
    expect(value('levels with D* within .03 of 1/2')).toBeGreaterThanOrEqual(2);
    expect(value('share of seeds with a line at 1/2')).toBe(1);
  });

  it('T4: correlated pairs lie at right angles, the best anticorrelated ones on one line', async () => {
    const { value } = await quick(pairs);
    expect(value('share of restarts with |cos| < .2')).toBeGreaterThan(0.9);
    expect(value('share of the best restarts')).toBeGreaterThan(0.9);
    expect(value('share of all restarts')).toBeLessThan(0.8);
  });

  it('T5: neurons that compute |x| serve one dense feature, and several sparse ones', async () => {
    const { value } = await quick(magnitude);
    expect(value('features of a neuron, dense')).toBeLessThan(1.3);
    expect(value('features of a neuron, probability .01')).toBeGreaterThan(1.5);
  });

  it('T6: linear programming finds codes up to the threshold', async () => {
    const { value } = await quick(donohoTanner);
    for (const sign of ['signed', 'nonnegative'])
      expect(
        Math.abs(Math.log(value(`active features at which half are found, over the threshold, ${sign}`))),
      ).toBeLessThan(0.25);
  });

  it('T12: mean squared cosines are about 1 / m where all is stored, and decay leaves some out', async () => {
    const { value } = await quick(overlapLaw);
    expect(Math.abs(value('m times the mean squared cosine, frequencies as 1 / i') - 1)).toBeLessThan(0.15);
    expect(value('share of features stored, drawn')).toBeGreaterThan(0.95);
    expect(value('share of features stored, with')).toBeLessThan(0.65);
  });

  it('a wide layer stores nearly all of rare features, evenly, and to the same loss in bfloat16', async () => {
    const { value } = await quick(layerOf512);
    expect(value('share of features stored')).toBeGreaterThan(0.9);
    expect(value('m times')).toBeGreaterThan(0.87);
    expect(Math.abs(value('loss in bfloat16') - 1)).toBeLessThan(0.02);
  });
});

describe('amplitudes of other kurtosis', () => {
  it('have the moments of u^q, and for q = 1 those of uniform amplitudes', () => {
    expect(powerVariance(1, 0.2)).toBeCloseTo(0.2 / 3 - 0.04 / 4, 12);
    expect(powerVariance(0, 0.2)).toBeCloseTo(0.2 * 0.8, 12);
    expect(powerKurtosis(0, 0.2)).toBeCloseTo(5, 12);
    const points = Array.from({ length: 20_000 }, (_, i) => (i + 0.5) / 20_000);
    const moment = (power: number) => (0.3 * points.reduce((sum, u) => sum + u ** power, 0)) / points.length;
    for (const power of [0.5, 2, 4]) {
      expect(powerVariance(power, 0.3)).toBeCloseTo(moment(2 * power) - moment(power) ** 2, 6);
      expect(powerKurtosis(power, 0.3)).toBeCloseTo(moment(4 * power) / moment(2 * power) ** 2, 3);
    }
  });

  it('come to the same experiment from the same seed', async () => {
    const [one, two] = [await quick(kurtosis), await quick(kurtosis)];
    expect(two.figures).toEqual(one.figures);
  });
});
