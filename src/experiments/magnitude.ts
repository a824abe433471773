/** Computation in superposition: neurons that serve several features where these are sparse. */
import * as Plot from '@observablehq/plot';
import { mean } from '../math/statistics.ts';
import { COLOURS, figure } from '../report/figure.ts';
import { neuronGeometry } from '../toy/geometry/neurons.ts';
import { encoderOf, magnitude as magnitudeModel, type ToyModel } from '../toy/models/model.ts';
import { ELHAGE, trainToyModels } from '../toy/models/train.ts';
import type { Experiment } from './experiment.ts';
import { judge, overSeeds } from './verdict.ts';

const SPARSITIES = [0, 0.7, 0.9, 0.97, 0.99];
const FULL = { seeds: 6, features: 100, hidden: 40, batch: 1024, steps: 8000, learningRate: 3e-3 };
/** Over the course of training. */
const LOOKS = 20;
const QUICK = { seeds: 3, features: 50, hidden: 20, batch: 256, steps: 1500, learningRate: 5e-3 };

export const magnitude: Experiment = {
  name: 'magnitude',
  title: 'Computation in superposition',
  claim:
    'A hidden layer that computes |x| of more features than it has neurons gives each neuron one feature where features are dense, and ' +
    'several where they are sparse: neurons are polysemantic because features are sparse.',
  prediction:
    'n = 100, 40 neurons, importance .8^i: the features of a neuron (participation ratio of its weights, on average) are 1.0 to 1.1 for dense ' +
    'features and 1.8 to 2.6 where each fires with probability .01; neurons with more than 90 % of their energy on one feature fall from all 40 to at most 15.',
  source: 'Elhage et al. 2022, arXiv 2209.10652, "Computing absolute value"',
  minutes: 2,
  async run({ backend, quick, seed, update }) {
    const { seeds, features, hidden, batch, steps, learningRate } = quick ? QUICK : FULL;
    const rows: { seed: number; sparsity: number; participation: number; monosemantic: number }[] = [];
    const course: { seed: number; sparsity: number; step: number; participation: number }[] = [];
    const importance = Float64Array.from({ length: features }, (_, i) => 0.8 ** ((i * 100) / features));
    for (let s = 0; s < seeds; s++) {
      const { model } = await trainToyModels(backend, {
        ...ELHAGE,
        architecture: magnitudeModel(features, hidden),
        batch,
        steps,
        learningRate,
        instances: SPARSITIES.map((_, k) => ({ seed: (seed + s) * SPARSITIES.length + k, importance })),
        inputs: {
          kind: 'independent',
          probabilities: SPARSITIES.map((sparsity) => 1 - sparsity),
          low: -1,
          high: 1,
        },
        logEvery: Math.ceil(steps / LOOKS),
        onLog({ step }, model) {
          update(s * steps + step, seeds * steps);
          for (const [k, sparsity] of SPARSITIES.entries()) {
            const { participation } = served(model, k);
            course.push({ seed: s, sparsity, step, participation });
          }
        },
      });
      for (const [k, sparsity] of SPARSITIES.entries()) rows.push({ seed: s, sparsity, ...served(model, k) });
    }
    const at = (sparsity: number, key: 'participation' | 'monosemantic') =>
      rows.filter((row) => row.sparsity === sparsity).map((row) => row[key]);
    const findings = [
      // It is never below 1, which an interval around a mean does not know.
      overSeeds('features of a neuron, dense', at(0, 'participation'), { predicted: { high: 1.1 } }),
      overSeeds('features of a neuron, probability .01', at(0.99, 'participation'), {
        predicted: { low: 1.8, high: 2.6 },
      }),
      overSeeds('share of neurons with one feature, dense', at(0, 'monosemantic'), {
        predicted: { low: 0.95 },
      }),
      overSeeds('share of neurons with one feature, probability .01', at(0.99, 'monosemantic'), {
        predicted: { high: 0.375 },
      }),
      ...[0.7, 0.9, 0.97].map((sparsity) =>
        overSeeds(
          `features of a neuron, probability ${Number((1 - sparsity).toFixed(2))}`,
          at(sparsity, 'participation'),
        ),
      ),
    ];
    const sparsest = SPARSITIES[SPARSITIES.length - 1];
    const half = course.filter(({ sparsity, step }) => sparsity === sparsest && step === steps / 2);
    findings.push(
      overSeeds(
        'features of a neuron, probability .01, after half of the steps',
        half.map(({ participation }) => participation),
      ),
    );
    const inverse = ({ sparsity }: { sparsity: number }) => 1 / (1 - sparsity);
    const picture = figure(
      'participation',
      `Features of a neuron (participation ratio, mean over neurons) against sparsity: |x| of ${features} features in ${hidden} neurons.`,
      rows,
      {
        x: { label: '1 / probability of firing', type: 'log' },
        y: {
          label: 'features of a neuron',
          grid: true,
          domain: [1, Math.max(...rows.map(({ participation }) => participation))],
        },
        marks: [
          Plot.line(rows, { x: inverse, y: 'participation', z: 'seed', stroke: COLOURS[0] }),
          Plot.dot(rows, { x: inverse, y: 'participation', fill: COLOURS[0] }),
        ],
      },
    );
    const named = course.map((row) => ({ ...row, line: `S = ${row.sparsity}` }));
    const training = figure(
      'training',
      'Features of a neuron against steps, mean over seeds: where features are sparse they still fall when training ends.',
      named,
      {
        x: { label: 'step' },
        y: { label: 'features of a neuron', grid: true },
        color: { domain: SPARSITIES.map((sparsity) => `S = ${sparsity}`), range: COLOURS },
        marks: [
          Plot.line(
            named,
            Plot.groupX({ y: 'mean' }, { x: 'step', y: 'participation', z: 'line', stroke: 'line' }),
          ),
        ],
      },
    );
    return { findings, figures: [picture, training], ...judge(findings) };
  },
};

/** Features of a neuron, mean over those that have any, and the share of neurons that have one. */
function served(model: ToyModel, instance: number): { participation: number; monosemantic: number } {
  const { features, hidden } = model.architecture;
  const { participation, monosemantic } = neuronGeometry({
    values: encoderOf(model, instance),
    features,
    hidden,
  });
  return { participation: mean(participation.filter(Number.isFinite)), monosemantic: monosemantic / hidden };
}
