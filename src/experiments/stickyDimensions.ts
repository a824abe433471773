/** Features come to share dimensions in simple fractions, and stay there over a range of sparsities. */
import * as Plot from '@observablehq/plot';
import { COLOURS, figure } from '../report/figure.ts';
import { featureGeometry } from '../toy/geometry/features.ts';
import { polytopeLines } from '../toy/geometry/polytopes.ts';
import { encoderOf, reluOutput } from '../toy/models/model.ts';
import { ELHAGE, trainToyModels } from '../toy/models/train.ts';
import type { Experiment } from './experiment.ts';
import { judge, overSeeds } from './verdict.ts';

const LEVELS = 20;
/** Of how many dimensions a feature has, from one level to the next, at 1/2. */
const STICKY = 0.03;
/** Steps as in the paper's notebook: after half as many, levels just below 1 have not begun to superpose. */
const FULL = { seeds: 3, features: 200, hidden: 20, batch: 1024, steps: 10_000, learningRate: 1e-3 };
const QUICK = { seeds: 2, features: 100, hidden: 10, batch: 256, steps: 1500, learningRate: 3e-3 };

export const stickyDimensions: Experiment = {
  name: 'sticky-dimensions',
  title: 'Dimensions per feature stick at one half',
  claim:
    'As features grow sparser, the dimensions that each has (D* = m / |W|_F^2) fall, but stay at 1/2 over a range: features come in ' +
    'antipodal pairs. Over all features, dimensionalities gather at fractions of polytopes.',
  prediction:
    'n = 200, m = 20, features that fire with probability 20^(-k/19), k = 0 to 19: at least 3 levels of the 20 have a D* within .03 of 1/2; the ' +
    'dimensionalities D_i of all features have a line at 1/2 (at least 10 of them within .005, and twice those of the bins beside it). Most ' +
    'features of the levels in superposition are NOT within .02 of one of 1, 3/4, 2/3, 1/2, 2/5, 3/8: the share that is lies below .5.',
  source: 'Elhage et al. 2022, arXiv 2209.10652, "The geometry of superposition"',
  minutes: 6,
  async run({ backend, quick, seed, update }) {
    const { seeds, features, hidden, batch, steps, learningRate } = quick ? QUICK : FULL;
    const probabilities = Array.from({ length: LEVELS }, (_, k) => LEVELS ** (-k / (LEVELS - 1)));
    const levels: { seed: number; density: number; dimensions: number }[] = [];
    const points: { seed: number; density: number; dimensionality: number }[] = [];
    const lines: { polytope: string; isLine: boolean }[] = [];
    const [sticky, half, near]: number[][] = [[], [], []];
    for (let s = 0; s < seeds; s++) {
      const { model } = await trainToyModels(backend, {
        ...ELHAGE,
        architecture: reluOutput(features, hidden),
        batch,
        steps,
        learningRate,
        instances: probabilities.map((_, k) => ({ seed: (seed + s) * LEVELS + k, importance: 1 })),
        inputs: { kind: 'independent', probabilities, low: 0, high: 1 },
        logEvery: Math.ceil(steps / 50),
        onLog: ({ step }) => update(s * steps + step, seeds * steps),
      });
      const geometry = probabilities.map((_, k) =>
        featureGeometry({ values: encoderOf(model, k), features, hidden }),
      );
      for (const [k, { dimensionsPerFeature, dimensionality }] of geometry.entries()) {
        levels.push({ seed: s, density: probabilities[k], dimensions: dimensionsPerFeature });
        for (const d of dimensionality)
          points.push({ seed: s, density: probabilities[k], dimensionality: d });
      }
      sticky.push(geometry.filter((of) => Math.abs(of.dimensionsPerFeature - 0.5) <= STICKY).length);
      const all = geometry.flatMap((of) => [...of.dimensionality]);
      const tested = polytopeLines(all);
      for (const { polytope, isLine } of tested) lines.push({ polytope, isLine });
      half.push(tested.find(({ fraction }) => fraction === 0.5)!.isLine ? 1 : 0);
      const superposed = geometry.filter((of) => of.dimensionsPerFeature < 0.9);
      const counted = superposed.flatMap((of) => [...of.dimensionality]).filter((d) => d >= 0.1);
      const close = counted.filter((d) => tested.some(({ fraction }) => Math.abs(d - fraction) <= 0.02));
      near.push(close.length / counted.length);
    }
    const findings = [
      overSeeds('levels with D* within .03 of 1/2', sticky, { predicted: { low: 3 } }),
      overSeeds('share of seeds with a line at 1/2', half, { predicted: { low: 1, high: 1 } }),
      overSeeds('share of features within .02 of a fraction', near, { predicted: { high: 0.5 } }),
      ...[...new Set(lines.map(({ polytope }) => polytope))].map((polytope) =>
        overSeeds(
          `share of seeds with a line of the ${polytope}`,
          lines.filter((line) => line.polytope === polytope).map(({ isLine }) => (isLine ? 1 : 0)),
        ),
      ),
    ];
    const x = { label: '1 / probability of firing', type: 'log' } as const;
    const inverse = ({ density }: { density: number }) => 1 / density;
    const figures = [
      figure(
        'dimensions',
        `Dimensions per feature, D*, against sparsity: ${features} features in ${hidden} dimensions.`,
        levels,
        {
          x,
          y: { label: 'D*', grid: true, domain: [0, 1] },
          marks: [
            Plot.ruleY([0.5], { strokeDasharray: '3 3', stroke: 'currentColor' }),
            Plot.line(levels, { x: inverse, y: 'dimensions', z: 'seed', stroke: COLOURS[0] }),
            Plot.dot(levels, { x: inverse, y: 'dimensions', fill: COLOURS[0], r: 2.5 }),
          ],
        },
      ),
      figure(
        'dimensionalities',
        'The dimensionality of each feature against sparsity, first seed. The lines mark 1, 3/4, 2/3, 1/2, 2/5, 3/8.',
        points.filter((point) => point.seed === 0),
        {
          x,
          y: { label: 'dimensionality', domain: [0, 1] },
          marks: [
            Plot.ruleY([1, 3 / 4, 2 / 3, 1 / 2, 2 / 5, 3 / 8], {
              stroke: 'currentColor',
              strokeOpacity: 0.3,
            }),
            Plot.dot(
              points.filter((point) => point.seed === 0),
              { x: inverse, y: 'dimensionality', r: 1, fill: COLOURS[0], fillOpacity: 0.5 },
            ),
          ],
        },
      ),
    ];
    return { findings, figures, ...judge(findings) };
  },
};
