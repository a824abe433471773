/** Whether features come to share dimensions because their amplitudes have heavy tails. */
import * as Plot from '@observablehq/plot';
import type { SparseRows } from '../kernels/backend.ts';
import { spearman } from '../math/spearman.ts';
import { COLOURS, figure } from '../report/figure.ts';
import { UNIT_UNIFORM } from '../toy/amplitudes.ts';
import { drawLaw } from '../toy/drawLaw.ts';
import { featureGeometry } from '../toy/geometry/features.ts';
import { independentFirings } from '../toy/independent.ts';
import { encoderOf, reluOutput } from '../toy/models/model.ts';
import { ELHAGE, trainToyModels } from '../toy/models/train.ts';
import { falling, sharing } from './capacityAllocation.ts';
import type { Experiment } from './experiment.ts';
import { judge, overSeeds } from './verdict.ts';

const PROBABILITY = 0.2;
const FULL = { seeds: 5, features: 60, hidden: 15, batch: 512, steps: 5000, learningRate: 2e-3 };
const QUICK = { seeds: 3, features: 40, hidden: 10, batch: 256, steps: 1000, learningRate: 1e-2 };

/** Amplitudes `u^power` of u uniform in (0, 1], by roots and products, which are the same on every machine. */
const AMPLITUDES: readonly { power: number; of: (u: number) => number }[] = [
  { power: 0, of: () => 1 },
  { power: 0.5, of: Math.sqrt },
  { power: 1, of: (u) => u },
  { power: 2, of: (u) => u * u },
  { power: 4, of: (u) => u * u * u * u },
];
const [UNIFORM, HEAVIEST] = [1, 4];

/** The variance of `b u^power`, b being 1 with probability p and else 0: `p / (2 power + 1) - p^2 / (power + 1)^2`. */
export function powerVariance(power: number, p: number): number {
  return p / (2 * power + 1) - (p / (power + 1)) ** 2;
}

/** `E[x^4] / E[x^2]^2` of the same, `(2 power + 1)^2 / (p (4 power + 1))`. */
export function powerKurtosis(power: number, p: number): number {
  return (2 * power + 1) ** 2 / (p * (4 * power + 1));
}

export const kurtosis: Experiment = {
  name: 'kurtosis',
  title: 'Heavy tails and sharing',
  claim:
    'At the same density and variance, more features share dimensions the higher the kurtosis of their values is.',
  prediction:
    'n = 60, m = 15, importances from 1 to .01, probability of firing .2, amplitudes u^q of uniform u with q = 0, 1/2, 1, 2, 4 scaled to the same ' +
    'variance: the number of features that share (capacity .05 to .95) has a rank correlation with kurtosis of at least .7, and is greater by at least 5 at q = 4 than at q = 1.',
  source: 'Scherlis et al. 2022, arXiv 2210.01892, abstract',
  minutes: 1,
  async run({ backend, quick, seed, update }) {
    const { seeds, features, hidden, batch, steps, learningRate } = quick ? QUICK : FULL;
    const importance = falling(features);
    const law = independentFirings({
      probabilities: new Float64Array(features).fill(PROBABILITY),
      amplitudes: UNIT_UNIFORM,
    });
    const kinds = AMPLITUDES.map(({ power, of }) => {
      const scale = Math.sqrt(powerVariance(UNIFORM, PROBABILITY) / powerVariance(power, PROBABILITY));
      return { power, of: (u: number) => scale * of(u) };
    });
    const instances = Array.from({ length: seeds }, (_, s) => kinds.map((kind) => ({ ...kind, s }))).flat();
    const { model, log } = await trainToyModels(backend, {
      ...ELHAGE,
      architecture: reluOutput(features, hidden),
      batch,
      steps,
      learningRate,
      schedule: { kind: 'linear', warmupSteps: 0 },
      instances: instances.map(({ s }) => ({ seed: seed * seeds + s, importance })),
      inputs: {
        kind: 'world',
        // Laws of one seed differ in amplitudes alone: the same features fire, and the same weights are the first.
        draw: async (step) => {
          const drawn = await Promise.all(
            Array.from({ length: seeds }, async (_, s) => {
              return (await drawLaw(backend, law, seed * seeds + s, (step - 1) * batch, batch)).labels;
            }),
          );
          return instances.map(({ s, of }): SparseRows => ({ ...drawn[s], values: drawn[s].values.map(of) }));
        },
      },
      logEvery: Math.ceil(steps / 50),
      onLog: ({ step }) => update(step, steps),
    });
    const { losses } = log[log.length - 1];
    const data = instances.map(({ s, power }, i) => {
      const { dimensionality } = featureGeometry({ values: encoderOf(model, i), features, hidden });
      return {
        seed: s,
        power,
        kurtosis: powerKurtosis(power, PROBABILITY),
        sharing: sharing(dimensionality),
        loss: losses[i],
      };
    });
    const own = Array.from({ length: seeds }, (_, s) => data.filter((row) => row.seed === s));
    const correlation = (rows: typeof data) =>
      spearman(
        rows.map((row) => row.kurtosis),
        rows.map((row) => row.sharing),
      );
    const at = (power: number) => own.map((rows) => rows.find((row) => row.power === power)!.sharing);
    const uniform = at(UNIFORM);
    // The standard deviation of a rank correlation of k values by chance is 1 / sqrt(k - 1).
    const chance = 1.96 / Math.sqrt((kinds.length - 1) * seeds);
    const findings = [
      overSeeds('rank correlation of features that share with kurtosis', own.map(correlation), {
        predicted: { low: 0.7 },
        null: { name: 'no effect', value: 0, low: -chance, high: chance },
      }),
      overSeeds(
        'features that share at q = 4 less those at q = 1',
        at(HEAVIEST).map((count, s) => count - uniform[s]),
        { predicted: { low: 5 } },
      ),
      overSeeds(
        'the rank correlation without constant amplitudes',
        own.map((rows) => correlation(rows.filter(({ power }) => power > 0))),
      ),
      ...kinds.map(({ power }) => overSeeds(`features that share, q = ${power}`, at(power))),
    ];
    const picture = figure(
      'sharing',
      'Features that share a dimension against the kurtosis of their values, at one density and variance. A dot for each seed.',
      data,
      {
        x: { label: 'kurtosis, E x^4 / (E x^2)^2', type: 'log' },
        y: { label: 'features that share', grid: true, domain: [0, features] },
        marks: [
          Plot.line(data, { x: 'kurtosis', y: 'sharing', z: 'seed', stroke: COLOURS[0], strokeOpacity: 0.4 }),
          Plot.dot(data, { x: 'kurtosis', y: 'sharing', fill: COLOURS[0], r: 3 }),
        ],
      },
    );
    return { findings, figures: [picture], ...judge(findings) };
  },
};
