/** The first picture of superposition: five features in the plane, from dense to sparse. */
import * as Plot from '@observablehq/plot';
import { spearman } from '../math/spearman.ts';
import { COLOURS, figure } from '../report/figure.ts';
import { featureGeometry } from '../toy/geometry/features.ts';
import { encoderOf, reluOutput } from '../toy/models/model.ts';
import { ELHAGE, trainToyModels } from '../toy/models/train.ts';
import type { Experiment } from './experiment.ts';
import { judge, overSeeds } from './verdict.ts';

const [FEATURES, HIDDEN, LEVELS] = [5, 2, 10];
const PROBABILITIES = Array.from({ length: LEVELS }, (_, k) => 20 ** (-k / (LEVELS - 1)));
const IMPORTANCE = Float64Array.from({ length: FEATURES }, (_, i) => 0.9 ** i);
const FULL = { seeds: 5, restarts: 8, batch: 256, steps: 4000, learningRate: 5e-3 };
const QUICK = { seeds: 3, restarts: 4, batch: 256, steps: 1500, learningRate: 1e-2 };
/** Models by the recipe of the paper's notebook, whose picture is of one: its ten levels side by side, whatever they come to. */
const SINGLE = { models: 20, batch: ELHAGE.batch, steps: ELHAGE.steps };
const QUICK_SINGLE = { models: 3, batch: 256, steps: 4000 };

export const fiveFeatures: Experiment = {
  name: 'five-features',
  title: 'Five features in the plane',
  claim:
    'Two dimensions hold two features where features are dense, and four or five where they are sparse, in antipodal pairs or a pentagon.',
  prediction:
    'Five features of importance .9^i, probabilities 20^(-k/9), the restart with the lowest loss of eight: |W|_F^2 is 1.95 to 2.1 where all fire always, ' +
    'with 2 features stored; at probability .05 at least 4 are stored; and the number stored never falls by more than chance as probability does (rank correlation above .85).',
  source: 'Elhage et al. 2022, arXiv 2209.10652, introduction',
  minutes: 0.5,
  async run({ backend, quick, seed, update }) {
    const { seeds, restarts, batch, steps, learningRate } = quick ? QUICK : FULL;
    const single = quick ? QUICK_SINGLE : SINGLE;
    // A step of the single models is of ten instances, of the restarts of all.
    const share = LEVELS / (seeds * restarts * LEVELS);
    const total = steps + share * single.models * single.steps;
    const instances = Array.from({ length: seeds }, (_, s) =>
      PROBABILITIES.flatMap((probability) =>
        Array.from({ length: restarts }, () => ({ seed: s, probability })),
      ),
    ).flat();
    const { model, log } = await trainToyModels(backend, {
      ...ELHAGE,
      architecture: reluOutput(FEATURES, HIDDEN),
      batch,
      steps,
      learningRate,
      schedule: { kind: 'linear', warmupSteps: 0 },
      instances: instances.map((_, i) => ({ seed: seed * instances.length + i, importance: IMPORTANCE })),
      inputs: {
        kind: 'independent',
        probabilities: instances.map(({ probability }) => probability),
        low: 0,
        high: 1,
      },
      logEvery: Math.ceil(steps / 20),
      onLog: ({ step }) => update(step, total),
    });
    const singles: { instance: number; probability: number; squares: number; represented: number }[] = [];
    for (let s = 0; s < single.models; s++) {
      const { model } = await trainToyModels(backend, {
        ...ELHAGE,
        architecture: reluOutput(FEATURES, HIDDEN),
        batch: single.batch,
        steps: single.steps,
        instances: PROBABILITIES.map((_, k) => ({
          seed: (seed * single.models + s) * LEVELS + k,
          importance: IMPORTANCE,
        })),
        inputs: { kind: 'independent', probabilities: PROBABILITIES, low: 0, high: 1 },
        logEvery: Math.ceil(single.steps / 5),
        onLog: ({ step }) => update(steps + share * (s * single.steps + step), total),
      });
      for (const [k, probability] of PROBABILITIES.entries())
        singles.push({ instance: s, probability, ...stored(encoderOf(model, k)) });
    }
    const { losses } = log[log.length - 1];
    const best = Array.from({ length: seeds }, (_, s) =>
      PROBABILITIES.map((probability, k) => {
        const from = (s * LEVELS + k) * restarts;
        const own = Array.from({ length: restarts }, (_, i) => from + i);
        const w = encoderOf(
          model,
          own.reduce((a, b) => (losses[b] < losses[a] ? b : a)),
        );
        return { probability, w, ...stored(w) };
      }),
    );
    const sparsest = LEVELS - 1;
    const findings = [
      overSeeds(
        '|W|^2 where all features fire',
        best.map((levels) => levels[0].squares),
        { predicted: { low: 1.95, high: 2.1 } },
      ),
      overSeeds(
        'features stored where all fire',
        best.map((levels) => levels[0].represented),
        { predicted: { low: 2, high: 2 } },
      ),
      overSeeds(
        'features stored at probability .05',
        best.map((levels) => levels[sparsest].represented),
        { predicted: { low: 4 } },
      ),
      overSeeds(
        'rank correlation of features stored with sparsity',
        best.map((levels) =>
          spearman(
            levels.map(({ probability }) => -probability),
            levels.map(({ represented }) => represented),
          ),
        ),
        { predicted: { low: 0.85 } },
      ),
      overSeeds(
        'features stored at probability .05, single models',
        singles
          .filter(({ probability }) => probability === PROBABILITIES[sparsest])
          .map(({ represented }) => represented),
      ),
    ];
    const vectors = best[0].flatMap(({ probability, w }) =>
      Array.from({ length: FEATURES }, (_, feature) => ({
        probability: Number(probability.toFixed(3)),
        feature,
        x: w[2 * feature],
        y: w[2 * feature + 1],
      })),
    );
    const squares = best.flatMap((levels, s) =>
      levels.map(({ probability, squares, represented }) => ({ seed: s, probability, squares, represented })),
    );
    const figures = [
      figure(
        'vectors',
        'Where the five features point in the plane, by probability of firing, first seed. Darker: less important.',
        vectors,
        {
          width: 900,
          height: 150,
          marginLeft: 10,
          fx: { label: 'probability of firing', domain: vectors.map(({ probability }) => probability) },
          x: { axis: null, domain: [-1.3, 1.3] },
          y: { axis: null, domain: [-1.3, 1.3] },
          marks: [
            Plot.link(vectors, {
              fx: 'probability',
              x1: 0,
              y1: 0,
              x2: 'x',
              y2: 'y',
              stroke: COLOURS[0],
              strokeOpacity: (vector: { feature: number }) => 0.4 + 0.15 * vector.feature,
              strokeWidth: 2,
            }),
          ],
        },
      ),
      figure('squares', '|W|^2, which counts the features that are stored, against sparsity.', squares, {
        x: { label: '1 / probability of firing', type: 'log' },
        y: { label: '|W|^2', grid: true },
        marks: [
          Plot.dot(squares, {
            x: (row: { probability: number }) => 1 / row.probability,
            y: 'squares',
            fill: COLOURS[0],
          }),
        ],
      }),
      figure(
        'single',
        '|W|^2 of single models, trained by the recipe of the paper, against sparsity: each settles in one of several optima.',
        singles,
        {
          x: { label: '1 / probability of firing', type: 'log' },
          y: { label: '|W|^2', grid: true },
          marks: [
            Plot.dot(singles, {
              x: (row: { probability: number }) => 1 / row.probability,
              y: 'squares',
              stroke: COLOURS[0],
              strokeOpacity: 0.5,
            }),
          ],
        },
      ),
    ];
    return { findings, figures, ...judge(findings) };
  },
};

/** |W|^2, and how many features are stored. */
function stored(w: Float32Array): { squares: number; represented: number } {
  const { represented, norms } = featureGeometry({ values: w, features: FEATURES, hidden: HIDDEN });
  return { represented, squares: norms.reduce((sum, norm) => sum + norm ** 2, 0) };
}
