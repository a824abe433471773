/** Superposition at the size of a small model's layer: 4,096 features in 512 dimensions. */
import * as Plot from '@observablehq/plot';
import type { Precision } from '../kernels/backend.ts';
import { mean } from '../math/statistics.ts';
import { COLOURS, figure } from '../report/figure.ts';
import { welchMeanSquare } from '../toy/bounds/welch.ts';
import { meanSquaredOverlap } from '../toy/geometry/overlaps.ts';
import { encoderOf, reluOutput } from '../toy/models/model.ts';
import { ELHAGE, trainToyModels } from '../toy/models/train.ts';
import type { Experiment } from './experiment.ts';
import { judge, overSeeds } from './verdict.ts';

const PROBABILITY = 0.01;
/** A feature whose row is longer than this is stored. */
const STORED = 0.5;
const FULL = { seeds: 2, features: 4096, hidden: 512, batch: 1024, steps: 2000, compared: 200 };
const QUICK = { seeds: 3, features: 1024, hidden: 128, batch: 256, steps: 400, compared: 100 };
const LOGS = 20;

export const layerOf512: Experiment = {
  name: 'layer-of-512',
  title: '4,096 features in 512 dimensions',
  claim:
    'A layer of 512 dimensions stores 4,096 features where each fires rarely: nearly all have a direction of their own, the directions are ' +
    'spread as evenly as can be, and products in bfloat16 train to the same loss as those in float32.',
  prediction:
    'Probability of firing .01, importances 1, 2,000 steps at .001 that fall to 0: at least 95 % of features have a norm above 1/2; m times the mean ' +
    'squared cosine is from .875, the Welch bound, to 1, that of random directions; the loss is below 7/8 of the variance, what it would be if 512 ' +
    'features had dimensions of their own; over the first 200 steps the loss in bfloat16 is .99 to 1.01 of that in float32.',
  source: 'Elhage et al. 2022, arXiv 2209.10652, at the size of a layer; Welch 1974',
  minutes: 5,
  async run({ backend, quick, seed, update }) {
    const { seeds, features, hidden, batch, steps, compared } = quick ? QUICK : FULL;
    // Float32 takes some four times as long a step.
    const total = seeds * (steps + 4 * compared);
    let done = 0;
    /** Both precisions train on the same samples from the same weights, at the same rates, as far as both go. */
    const train = async (s: number, precision: Precision, until: number) => {
      const stop = new AbortController();
      const cost = precision === 'fp32' ? 4 : 1;
      const before = done;
      const trained = await trainToyModels(backend, {
        ...ELHAGE,
        architecture: reluOutput(features, hidden),
        batch,
        steps,
        schedule: { kind: 'linear', warmupSteps: 0 },
        precision,
        instances: [{ seed: seed * seeds + s, importance: 1 }],
        inputs: { kind: 'independent', probabilities: [PROBABILITY], low: 0, high: 1 },
        logEvery: compared / LOGS,
        signal: stop.signal,
        onLog({ step }) {
          done = before + cost * step;
          update(done, total);
          if (step >= until) stop.abort();
        },
      });
      return trained;
    };
    // Of an amplitude uniform in (0, 1) that is there with probability p: p / 3 - p^2 / 4.
    const variance = PROBABILITY / 3 - PROBABILITY ** 2 / 4;
    const curve: { seed: number; precision: Precision; step: number; loss: number }[] = [];
    const [stored, overlaps, losses, ratios]: number[][] = [[], [], [], []];
    for (let s = 0; s < seeds; s++) {
      const long = await train(s, 'bf16', steps);
      const short = await train(s, 'fp32', compared);
      for (const [precision, { log }] of [
        ['bf16', long],
        ['fp32', short],
      ] as const)
        for (const { step, losses } of log)
          curve.push({ seed: s, precision, step, loss: losses[0] / variance });
      const w = encoderOf(long.model, 0);
      stored.push(longerRows(w, features, hidden) / features);
      overlaps.push(meanSquaredOverlap({ values: w, features, hidden }));
      losses.push(long.log[long.log.length - 1].losses[0] / variance);
      const over = (log: typeof long.log) => mean(log.slice(0, LOGS).map((entry) => entry.losses[0]));
      ratios.push(over(long.log) / over(short.log));
    }
    const welch = hidden * welchMeanSquare(features, hidden);
    const nothing = { low: null, high: null };
    const findings = [
      overSeeds('share of features stored', stored, {
        predicted: { low: 0.95 },
        null: { name: 'a dimension for each', value: hidden / features, ...nothing },
      }),
      overSeeds('m times the mean squared cosine', overlaps, {
        predicted: { low: 0.875, high: 1 },
        null: { name: 'the Welch bound', value: welch, ...nothing },
      }),
      overSeeds('loss over the variance of features', losses, {
        predicted: { high: 7 / 8 },
        null: { name: 'a dimension for each', value: 1 - hidden / features, ...nothing },
      }),
      overSeeds(`loss in bfloat16 over that in float32, first ${compared} steps`, ratios, {
        predicted: { low: 0.99, high: 1.01 },
      }),
    ];
    const picture = figure(
      'loss',
      `Loss over the variance of features against steps: ${features} features in ${hidden} dimensions. The dashed line is that of a dimension for each of ${hidden}.`,
      curve,
      {
        x: { label: 'step', type: 'log' },
        y: { label: 'loss / variance', grid: true },
        color: { domain: ['bf16', 'fp32'], range: COLOURS },
        marks: [
          Plot.ruleY([1 - hidden / features], { strokeDasharray: '3 3', stroke: 'currentColor' }),
          Plot.line(curve, {
            x: 'step',
            y: 'loss',
            z: (row: (typeof curve)[number]) => `${row.precision} ${row.seed}`,
            stroke: 'precision',
          }),
        ],
      },
    );
    return { findings, figures: [picture], ...judge(findings) };
  },
};

/** How many rows have a norm above 1/2. */
function longerRows(w: Float32Array, features: number, hidden: number): number {
  return Array.from({ length: features }, (_, i) =>
    w.subarray(i * hidden, (i + 1) * hidden).reduce((sum, value) => sum + value * value, 0),
  ).filter((square) => square > STORED * STORED).length;
}
