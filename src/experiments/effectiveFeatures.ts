/** Whether the number of effective features of hidden activations tells how many features a model stores. */
import * as Plot from '@observablehq/plot';
import { memorySource } from '../activations/memory.ts';
import type { ActivationSource } from '../activations/source.ts';
import { sweepEffectiveFeatures } from '../evaluation/effectiveFeatures/sweep.ts';
import type { Backend } from '../kernels/backend.ts';
import { spearman } from '../math/spearman.ts';
import { COLOURS, figure } from '../report/figure.ts';
import { UNIT_UNIFORM } from '../toy/amplitudes.ts';
import { drawLaw } from '../toy/drawLaw.ts';
import { featureGeometry } from '../toy/geometry/features.ts';
import { independentFirings } from '../toy/independent.ts';
import { encoderOf, reluOutput } from '../toy/models/model.ts';
import { ELHAGE, trainToyModels } from '../toy/models/train.ts';
import type { Experiment } from './experiment.ts';
import { judge, overSeeds } from './verdict.ts';

const [FEATURES, HIDDEN] = [20, 5];
const PENALTIES = [0.01, 0.1, 1];
const EXPANSION = 4;
const DOCUMENT_ROWS = 64;
/**
 * 4,680 steps a dictionary: F falls as long as it is trained, from all latents towards two for each dimension, the sooner the
 * larger the penalty, so that it says little of shorter training (after 1,280 steps it was near 20 everywhere).
 */
const FULL = {
  seeds: 6,
  levels: 8,
  steps: ELHAGE.steps,
  learningRate: ELHAGE.learningRate,
  rows: 10_000,
  epochs: 60,
};
const QUICK = { seeds: 3, levels: 3, steps: 1000, learningRate: 5e-3, rows: 2048, epochs: 60 };

export const effectiveFeatures: Experiment = {
  name: 'effective-features',
  title: 'Do effective features count features?',
  claim:
    "The exponential of the entropy of a sparse dictionary's activations counts the features that a layer stores, as long as the sparsity " +
    'penalty is small; at a large one it counts axes, whatever the data.',
  prediction:
    'n = 20, m = 5, probabilities of firing .8 to .008, activations of mean square 1, four latents a dimension: the rank correlation of effective features with ' +
    '|W|_F^2 is at least .9 at a penalty of .01, and less at 1 than at .01; at 1 their number where features are sparsest is 8 to 12, twice the dimensions.',
  source: 'Bereska et al. 2025, arXiv 2512.13568',
  minutes: 10,
  async run({ backend, quick, seed, update }) {
    const { seeds, levels, steps, learningRate, rows, epochs } = quick ? QUICK : FULL;
    const probabilities = Array.from({ length: levels }, (_, k) => 0.8 * 0.01 ** (k / (levels - 1)));
    const points: {
      seed: number;
      probability: number;
      squares: number;
      penalty: number;
      effective: number;
      gaussian: number;
    }[] = [];
    for (let s = 0; s < seeds; s++) {
      const { model } = await trainToyModels(backend, {
        ...ELHAGE,
        architecture: reluOutput(FEATURES, HIDDEN),
        steps,
        learningRate,
        instances: probabilities.map((_, k) => ({ seed: (seed + s) * levels + k, importance: 1 })),
        inputs: { kind: 'independent', probabilities, low: 0, high: 1 },
        logEvery: Math.ceil(steps / 5),
      });
      // Levels side by side: what each does is so small that most of the time would be waiting.
      const done = probabilities.map(() => 0);
      const progress = (k: number, share: number) => {
        done[k] = share;
        update(s * levels + done.reduce((a, b) => a + b, 0), seeds * levels);
      };
      const measure = async (probability: number, k: number) => {
        const w = encoderOf(model, k);
        const { dimensionsPerFeature } = featureGeometry({ values: w, features: FEATURES, hidden: HIDDEN });
        const source = (which: string, count: number) =>
          hiddenActivations(backend, w, {
            probability,
            count,
            seed: (seed + s) * 2 + (which === 'train' ? 0 : 1),
          });
        const found = await sweepEffectiveFeatures({
          backend,
          train: await source('train', rows),
          test: await source('test', rows),
          penalties: PENALTIES,
          expansions: [EXPANSION],
          epochs,
          seed: seed + s,
          onProgress: (steps, total) => progress(k, steps / total),
        });
        return found.map(({ penalty, features, gaussian }) => ({
          seed: s,
          probability,
          squares: HIDDEN / dimensionsPerFeature,
          penalty,
          effective: features.value,
          gaussian: gaussian.value,
        }));
      };
      points.push(...(await Promise.all(probabilities.map(measure))).flat());
    }
    const of = (penalty: number, key: 'effective' | 'gaussian') =>
      Array.from({ length: seeds }, (_, s) => {
        const own = points.filter((point) => point.seed === s && point.penalty === penalty);
        return spearman(
          own.map(({ squares }) => squares),
          own.map((point) => point[key]),
        );
      });
    const small = of(PENALTIES[0], 'effective');
    const normals = overSeeds('', of(PENALTIES[0], 'gaussian'));
    const nothing = {
      name: 'normals of the same covariance',
      value: normals.value,
      low: normals.low,
      high: normals.high,
    };
    const large = PENALTIES[PENALTIES.length - 1];
    const sparsest = probabilities[levels - 1];
    const findings = [
      overSeeds('rank correlation with |W|^2, penalty .01', small, {
        predicted: { low: 0.9 },
        null: nothing,
      }),
      overSeeds(
        'that at a penalty of 1 less that at .01',
        of(large, 'effective').map((r, s) => r - small[s]),
        { predicted: { high: 0 } },
      ),
      overSeeds(
        'effective features at a penalty of 1, sparsest',
        points
          .filter((point) => point.penalty === large && point.probability === sparsest)
          .map(({ effective }) => effective),
        { predicted: { low: 8, high: 12 } },
      ),
      overSeeds('rank correlation with |W|^2, penalty .1', of(0.1, 'effective')),
      overSeeds('rank correlation with |W|^2, penalty 1', of(large, 'effective')),
    ];
    const data = points.map((point) => ({ ...point, line: `penalty ${point.penalty}` }));
    const picture = figure(
      'count',
      'Effective features of the hidden layer against |W|^2, by sparsity penalty. The line is where both are equal.',
      data,
      {
        x: { label: '|W|^2' },
        y: { label: 'effective features', grid: true },
        color: { domain: PENALTIES.map((penalty) => `penalty ${penalty}`), range: COLOURS },
        marks: [
          Plot.line([0, 30], {
            x: (v: number) => v,
            y: (v: number) => v,
            stroke: 'currentColor',
            strokeDasharray: '3 3',
          }),
          Plot.dot(data, { x: 'squares', y: 'effective', stroke: 'line', r: 3 }),
        ],
      },
    );
    return { findings, figures: [picture], ...judge(findings) };
  },
};

/** What the hidden layer makes of `count` samples, in documents of 64. */
async function hiddenActivations(
  backend: Backend,
  w: Float32Array,
  { probability, count, seed }: { probability: number; count: number; seed: number },
): Promise<ActivationSource> {
  const probabilities = new Float64Array(FEATURES).fill(probability);
  const law = independentFirings({ probabilities, amplitudes: UNIT_UNIFORM });
  const { labels } = await drawLaw(backend, law, seed, 0, count);
  const activations = new Float32Array(count * HIDDEN);
  await backend.decode({ codes: labels, weight: w, width: HIDDEN, out: activations });
  const documents = Int32Array.from({ length: count }, (_, r) => Math.floor(r / DOCUMENT_ROWS));
  return memorySource({ width: HIDDEN, activations, sequences: documents, documents });
}
