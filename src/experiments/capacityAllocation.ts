/** How a network deals out its dimensions among features of unequal importance. */
import * as Plot from '@observablehq/plot';
import { spearman } from '../math/spearman.ts';
import { COLOURS, figure } from '../report/figure.ts';
import { featureGeometry } from '../toy/geometry/features.ts';
import { encoderOf, reluOutput } from '../toy/models/model.ts';
import { ELHAGE, trainToyModels } from '../toy/models/train.ts';
import type { Experiment } from './experiment.ts';
import { judge, overSeeds } from './verdict.ts';

const PROBABILITIES = [0.5, 0.2, 0.05];
/** Importances fall from 1 to one over this. */
const IMPORTANCE_RANGE = 100;
const FULL = { seeds: 5, features: 60, hidden: 15, batch: 1024, steps: 5000, learningRate: 2e-3 };
const QUICK = { seeds: 3, features: 40, hidden: 10, batch: 256, steps: 1000, learningRate: 1e-2 };
/** A feature between these shares its dimension. */
const [NONE, WHOLE] = [0.05, 0.95];

/** Importances from 1 to .01, each the same share of the one before. */
export function falling(features: number): Float64Array {
  return Float64Array.from({ length: features }, (_, i) => IMPORTANCE_RANGE ** (-i / (features - 1)));
}

/** How many features share a dimension: those with a capacity from .05 to .95. */
export function sharing(capacities: ArrayLike<number>): number {
  return Array.from(capacities).filter((c) => c > NONE && c < WHOLE).length;
}

export const capacityAllocation: Experiment = {
  name: 'capacity-allocation',
  title: 'How capacity is dealt out',
  claim:
    'A model deals out its dimensions by marginal benefit: the most important features have a dimension of their own (capacity 1), those in ' +
    'between share, the least important have none; all capacity is used; and the sparser the features, the more of them share.',
  prediction:
    'n = 60, m = 15, importances from 1 to .01: capacities sum to at least .98 m at every sparsity; where features fire with probability .2 their ' +
    'rank correlation with importance is above .8; and features that share (capacity .05 to .95) are more at probability .05 than at .5, by at least 5.',
  source: 'Scherlis et al. 2022, arXiv 2210.01892',
  minutes: 0.2,
  async run({ backend, quick, seed, update }) {
    const { seeds, features, hidden, batch, steps, learningRate } = quick ? QUICK : FULL;
    const importance = falling(features);
    const instances = Array.from({ length: seeds }, (_, s) =>
      PROBABILITIES.map((probability) => ({ seed: s, probability })),
    ).flat();
    const { model } = await trainToyModels(backend, {
      ...ELHAGE,
      architecture: reluOutput(features, hidden),
      batch,
      steps,
      learningRate,
      schedule: { kind: 'linear', warmupSteps: 0 },
      instances: instances.map((_, i) => ({ seed: seed * instances.length + i, importance })),
      inputs: {
        kind: 'independent',
        probabilities: instances.map(({ probability }) => probability),
        low: 0,
        high: 1,
      },
      logEvery: Math.ceil(steps / 50),
      onLog: ({ step }) => update(step, steps),
    });
    const capacities = instances.map((instance, i) => {
      const { dimensionality } = featureGeometry({ values: encoderOf(model, i), features, hidden });
      return { ...instance, capacity: [...dimensionality] };
    });
    const at = (probability: number, of: (capacity: number[]) => number) =>
      capacities.filter((own) => own.probability === probability).map(({ capacity }) => of(capacity));
    const used = (capacity: number[]) => capacity.reduce((sum, c) => sum + c, 0) / hidden;
    const [dense, middle, sparse] = PROBABILITIES;
    const sharingWhenDense = at(dense, sharing);
    const findings = [
      ...PROBABILITIES.map((p) =>
        overSeeds(`capacity in use, sum C / m, probability ${p}`, at(p, used), { predicted: { low: 0.98 } }),
      ),
      overSeeds(
        `rank correlation of capacity with importance, probability ${middle}`,
        at(middle, (capacity) => spearman(capacity, importance)),
        { predicted: { low: 0.8 } },
      ),
      overSeeds(
        `features that share at probability ${sparse} less those at ${dense}`,
        at(sparse, sharing).map((count, s) => count - sharingWhenDense[s]),
        { predicted: { low: 5 } },
      ),
    ];
    const data = capacities.flatMap(({ seed: s, probability, capacity }) =>
      capacity.map((value, feature) => ({ seed: s, probability, feature, capacity: value })),
    );
    const picture = figure(
      'capacities',
      'Capacity of each feature, from the most important to the least, by probability of firing.',
      data,
      {
        fx: { label: 'probability of firing', domain: PROBABILITIES },
        x: { label: 'feature' },
        y: { label: 'capacity', grid: true, domain: [0, 1] },
        marks: [Plot.dot(data, { fx: 'probability', x: 'feature', y: 'capacity', r: 1.5, fill: COLOURS[0] })],
      },
    );
    return { findings, figures: [picture], ...judge(findings) };
  },
};
