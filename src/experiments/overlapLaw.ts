/** Squared overlaps of features fall as one over the dimension. */
import * as Plot from '@observablehq/plot';
import { mean } from '../math/statistics.ts';
import { COLOURS, figure } from '../report/figure.ts';
import { featureGeometry } from '../toy/geometry/features.ts';
import { meanSquaredOverlap } from '../toy/geometry/overlaps.ts';
import { encoderOf, reluOutput } from '../toy/models/model.ts';
import { trainToyModels } from '../toy/models/train.ts';
import type { Experiment } from './experiment.ts';
import { judge, overSeeds } from './verdict.ts';

const EXPONENTS = [0, 1];
const FULL = { seeds: 3, features: 1000, hidden: [10, 25, 63], batch: 512, steps: 2500 };
const QUICK = { seeds: 3, features: 300, hidden: [6, 12, 24], batch: 256, steps: 600 };
/** Below 0 it pulls rows towards norm 1, so that all features are stored. */
const DECAYS = { strong: -1, weak: 0.5 } as const;

export const overlapLaw: Experiment = {
  name: 'overlap-law',
  title: 'Overlaps fall as one over the dimension',
  claim:
    'Where all features are stored (strong superposition) the mean squared cosine of two of them is about 1 / m in m dimensions, whatever ' +
    'their frequencies, and the loss falls with it. Where only the frequent ones are, the loss falls as what is left out does.',
  prediction:
    'n = 1,000, frequencies i^-(1+a) that sum to 1: with weights drawn towards norm 1, m times the mean squared cosine is .9 to 1.1 for a = 0 and ' +
    '1.0 to 1.35 for a = 1, at m = 10, 25, 63, and at least 95 % of features are stored; with weight decay fewer than 65 % are.',
  source: 'Liu et al. 2025, arXiv 2505.10465',
  minutes: 4,
  async run({ backend, quick, seed, update }) {
    const { seeds, features, hidden, batch, steps } = quick ? QUICK : FULL;
    const points: {
      decay: string;
      exponent: number;
      hidden: number;
      seed: number;
      overlap: number;
      stored: number;
      loss: number;
    }[] = [];
    const runs = Object.entries(DECAYS).flatMap(([decay, weight]) =>
      hidden.map((m) => ({ decay, weight, m })),
    );
    for (const [r, { decay, weight, m }] of runs.entries()) {
      const instances = EXPONENTS.flatMap((exponent) =>
        Array.from({ length: seeds }, (_, s) => ({ exponent, seed: s })),
      );
      const { model, log } = await trainToyModels(backend, {
        architecture: reluOutput(features, m),
        batch,
        steps,
        learningRate: 1e-2,
        schedule: { kind: 'cosine', warmupSteps: Math.round(steps / 10) },
        decay: { kind: 'signed', decay: weight },
        initialisation: 'scaled',
        precision: 'fp32',
        instances: instances.map((_, i) => ({
          seed: (seed * runs.length + r) * instances.length + i,
          importance: 1,
        })),
        inputs: {
          kind: 'independent',
          probabilities: instances.map(({ exponent }) => frequencies(features, exponent)),
          low: 0,
          high: 2,
        },
        logEvery: Math.ceil(steps / 10),
        onLog: ({ step }) => update(r * steps + step, runs.length * steps),
      });
      const { losses } = log[log.length - 1];
      for (const [i, { exponent, seed: s }] of instances.entries()) {
        const rows = { values: encoderOf(model, i), features, hidden: m };
        const { represented } = featureGeometry(rows);
        const overlap = meanSquaredOverlap(rows);
        points.push({
          decay,
          exponent,
          hidden: m,
          seed: s,
          overlap,
          stored: represented / features,
          loss: losses[i],
        });
      }
    }
    const of = (decay: string, exponent: number, key: 'overlap' | 'stored') =>
      Array.from({ length: seeds }, (_, s) =>
        mean(
          points
            .filter((p) => p.decay === decay && p.exponent === exponent && p.seed === s)
            .map((p) => p[key]),
        ),
      );
    const slopes = (decay: string, exponent: number) =>
      Array.from({ length: seeds }, (_, s) => {
        const own = points.filter((p) => p.decay === decay && p.exponent === exponent && p.seed === s);
        const [first, last] = [own[0], own[own.length - 1]];
        return Math.log(last.loss / first.loss) / Math.log(last.hidden / first.hidden);
      });
    const findings = [
      overSeeds('m times the mean squared cosine, frequencies as 1 / i', of('strong', 0, 'overlap'), {
        predicted: { low: 0.9, high: 1.1 },
      }),
      overSeeds('m times the mean squared cosine, frequencies as 1 / i^2', of('strong', 1, 'overlap'), {
        predicted: { low: 1, high: 1.35 },
      }),
      overSeeds('share of features stored, drawn towards norm 1', of('strong', 0, 'stored'), {
        predicted: { low: 0.95 },
      }),
      overSeeds('share of features stored, with weight decay', of('weak', 0, 'stored'), {
        predicted: { high: 0.65 },
      }),
      ...EXPONENTS.map((a) => overSeeds(`slope of the loss in m, all stored, a = ${a}`, slopes('strong', a))),
    ];
    const data = points.map((point) => ({
      ...point,
      line: `${point.decay === 'strong' ? 'all stored' : 'weight decay'}, a = ${point.exponent}`,
    }));
    const domain = [...new Set(data.map(({ line }) => line))];
    const marks = (key: 'overlap' | 'loss') => [
      Plot.line(data, Plot.groupX({ y: 'mean' }, { x: 'hidden', y: key, stroke: 'line' })),
      Plot.dot(data, { x: 'hidden', y: key, stroke: 'line', r: 2.5 }),
    ];
    const options = {
      x: { label: 'dimensions, m', type: 'log' as const },
      color: { domain, range: COLOURS },
    };
    const figures = [
      figure(
        'overlaps',
        'm times the mean squared cosine of two features, against m. The line is that of random directions.',
        data,
        {
          ...options,
          y: { label: null, grid: true },
          marks: [Plot.ruleY([1], { strokeDasharray: '3 3', stroke: 'currentColor' }), ...marks('overlap')],
        },
      ),
      figure('loss', 'Loss against m.', data, {
        ...options,
        y: { label: 'loss', type: 'log', grid: true },
        marks: marks('loss'),
      }),
    ];
    return { findings, figures, ...judge(findings) };
  },
};

/** `p_i` proportional to `i^-(1 + exponent)`, and 1 in all. */
function frequencies(features: number, exponent: number): Float64Array {
  const p = Float64Array.from({ length: features }, (_, i) => (i + 1) ** -(1 + exponent));
  const sum = p.reduce((a, b) => a + b, 0);
  return p.map((value) => value / sum);
}
