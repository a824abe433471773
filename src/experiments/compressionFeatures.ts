/** Compression 1: does a network store more features per dimension when there are more of them, and when they are sparser? */
import * as Plot from '@observablehq/plot';
import { spearman } from '../math/spearman.ts';
import { mean } from '../math/statistics.ts';
import { COLOURS, figure } from '../report/figure.ts';
import { featureGeometry } from '../toy/geometry/features.ts';
import { encoderOf, type ToyArchitecture } from '../toy/models/model.ts';
import { ELHAGE, trainToyModels } from '../toy/models/train.ts';
import type { Experiment } from './experiment.ts';
import { judge, overSeeds } from './verdict.ts';

const HIDDEN = 16;
const PROBABILITIES = [0.3, 0.1, 0.03, 0.01];
const FULL = { seeds: 3, ratios: [0.5, 1, 2, 4, 8, 16, 32], batch: 512, steps: 3000, learningRate: 3e-3 };
const QUICK = { seeds: 3, ratios: [0.5, 1, 2, 4, 8], batch: 256, steps: 600, learningRate: 1e-2 };

interface Point {
  kind: 'relu' | 'linear';
  seed: number;
  /** Features per dimension, n / m. */
  ratio: number;
  probability: number;
  /** Features with a norm above 1/2, per dimension. */
  stored: number;
  /** `|W|_F^2 / m`, which counts what a linear model has of each feature of a subspace that lies across them. */
  squares: number;
  /** Mean of `sum_{j != i} (What_i . W_j)^2` over stored features. */
  interference: number;
}

export const compressionFeatures: Experiment = {
  name: 'compression-features',
  title: 'Compression 1: more features, more superposition',
  claim:
    'Superposition is compression: a network stores the more features in a dimension, the more there are for each and the sparser they ' +
    'are; without a nonlinearity it stores no more than one.',
  prediction:
    '16 dimensions, n/m from 1/2 to 32: where features fire with probability .01, stored features per dimension grow with n/m from 1 on (rank ' +
    'correlation above .9) and reach at least 4 at the largest; at every n/m above 2 they are more at .03 than at .3, by at least 1; interference ' +
    'of a stored feature grows with n/m (above .8); the linear model has at most 1.05 features per dimension, as |W|^2 / m, everywhere. Two of these were put otherwise before a first look at reduced size: a rank correlation with sparsity, which has no order where all features are stored, and a count of norms above 1/2 in the linear model, which counts parts of features.',
  source: 'Elhage et al. 2022, arXiv 2209.10652; the compression hypothesis of this project',
  minutes: 2,
  async run({ backend, quick, seed, update }) {
    const { seeds, ratios, batch, steps, learningRate } = quick ? QUICK : FULL;
    const points: Point[] = [];
    const weights = ratios.flatMap((ratio) => [ratio, ratio]);
    const all = weights.reduce((sum, ratio) => sum + ratio, 0);
    let done = 0;
    for (const ratio of ratios) {
      const features = Math.round(HIDDEN * ratio);
      for (const kind of ['relu', 'linear'] as const) {
        const instances = Array.from({ length: seeds }, (_, s) =>
          PROBABILITIES.map((probability) => ({ seed: s, probability })),
        ).flat();
        const architecture: ToyArchitecture = { kind, features, hidden: HIDDEN, tied: true, biased: true };
        const { model } = await trainToyModels(backend, {
          ...ELHAGE,
          architecture,
          batch,
          steps,
          learningRate,
          schedule: { kind: 'linear', warmupSteps: 0 },
          instances: instances.map((_, i) => ({ seed: seed * instances.length + i, importance: 1 })),
          inputs: {
            kind: 'independent',
            probabilities: instances.map(({ probability }) => probability),
            low: 0,
            high: 1,
          },
          logEvery: Math.ceil(steps / 10),
          onLog: ({ step }) => update(done + ratio * step, steps * all),
        });
        done += ratio * steps;
        for (const [i, { seed: s, probability }] of instances.entries()) {
          const { norms, represented, dimensionsPerFeature, interference } = featureGeometry({
            values: encoderOf(model, i),
            features,
            hidden: HIDDEN,
          });
          const own = interference.filter((_, j) => norms[j] > 0.5);
          points.push({
            kind,
            seed: s,
            ratio,
            probability,
            stored: represented / HIDDEN,
            squares: 1 / dimensionsPerFeature,
            interference: own.length === 0 ? 0 : mean(own),
          });
        }
      }
    }
    const relu = points.filter(({ kind }) => kind === 'relu');
    const eachSeed = (of: (own: Point[]) => number, from = relu) =>
      Array.from({ length: seeds }, (_, s) => of(from.filter((point) => point.seed === s)));
    const sparsest = PROBABILITIES[PROBABILITIES.length - 1];
    const growing = (key: 'stored' | 'interference') => (own: Point[]) => {
      const at = own.filter(({ probability, ratio }) => probability === sparsest && ratio >= 1);
      return spearman(
        at.map(({ ratio }) => ratio),
        at.map((point) => point[key]),
      );
    };
    const largest = ratios[ratios.length - 1];
    const findings = [
      overSeeds(
        'rank correlation of stored features with n/m, probability .01',
        eachSeed(growing('stored')),
        {
          predicted: { low: 0.9 },
        },
      ),
      overSeeds(
        `stored features per dimension at n/m = ${largest}, probability .01`,
        eachSeed(
          (own) =>
            own.find(({ ratio, probability }) => ratio === largest && probability === sparsest)!.stored,
        ),
        { predicted: { low: 4 } },
      ),
      overSeeds(
        'stored features per dimension at probability .03 less those at .3, least over n/m > 2',
        eachSeed((own) => {
          const at = (ratio: number, p: number) =>
            own.find((point) => point.ratio === ratio && point.probability === p)!.stored;
          return Math.min(
            ...ratios.filter((ratio) => ratio > 2).map((ratio) => at(ratio, 0.03) - at(ratio, 0.3)),
          );
        }),
        { predicted: { low: 1 } },
      ),
      overSeeds(
        'rank correlation of interference with n/m, probability .01',
        eachSeed(growing('interference')),
        {
          predicted: { low: 0.8 },
        },
      ),
      overSeeds(
        'features per dimension, |W|^2 / m, in the linear model, at most',
        eachSeed(
          (own) => Math.max(...own.map(({ squares }) => squares)),
          points.filter(({ kind }) => kind === 'linear'),
        ),
        { predicted: { high: 1.05 } },
      ),
    ];
    const lines = points.map((point) => ({
      ...point,
      line: point.kind === 'linear' ? 'linear' : `p = ${point.probability}`,
    }));
    const domain = [...PROBABILITIES.map((p) => `p = ${p}`), 'linear'];
    const draw = (name: string, key: 'stored' | 'interference', caption: string) =>
      figure(name, caption, lines, {
        x: { label: 'features per dimension, n / m', type: 'log', base: 2 },
        y: { label: null, grid: true },
        color: { domain, range: COLOURS },
        marks: [
          Plot.line(lines, Plot.groupX({ y: 'mean' }, { x: 'ratio', y: key, stroke: 'line' })),
          Plot.dot(lines, { x: 'ratio', y: key, stroke: 'line', r: 2 }),
        ],
      });
    const figures = [
      draw(
        'stored',
        'stored',
        'Features stored per dimension, against features per dimension, by probability of firing; and of the linear model.',
      ),
      draw(
        'interference',
        'interference',
        'Interference of a stored feature, against features per dimension.',
      ),
    ];
    return { findings, figures, ...judge(findings) };
  },
};
