/** When a second feature is worth sharing one dimension for. */
import * as Plot from '@observablehq/plot';
import { logarithmic } from '../math/spacing.ts';
import { COLOURS, figure } from '../report/figure.ts';
import { antipodalBoundary, twoFeatureLoss } from '../toy/bounds/twoFeatures.ts';
import { encoderOf, reluOutput } from '../toy/models/model.ts';
import { ELHAGE, trainToyModels } from '../toy/models/train.ts';
import type { Experiment } from './experiment.ts';
import { judge, overSeeds } from './verdict.ts';

const IMPORTANCES = logarithmic(0.1, 10, 13);
const PROBABILITIES = logarithmic(0.01, 1, 9);
const FULL = { seeds: 8, restarts: 6, steps: 4000, batch: 128, learningRate: 0.01 };
const QUICK = { seeds: 3, restarts: 3, steps: 1000, batch: 128, learningRate: 0.02 };

interface Cell {
  importance: number;
  probability: number;
  antipodal: boolean;
  predicted: boolean;
}

export const phaseBoundary: Experiment = {
  name: 'phase-boundary',
  title: 'When two features share one dimension',
  claim:
    'A model with one dimension for two features drops the less important one where features are dense, and stores both as an ' +
    'antipodal pair where they are sparse. Where it changes follows from the losses of the two.',
  prediction:
    'The model with the lowest loss of several restarts is antipodal just where p < p*(r), with p* = 4r / (2 + 5r) for r <= 1 and ' +
    '4 / (5 + 2r) above, in at least 95 % of 117 cells of importance ratio r and probability p.',
  source:
    'Elhage et al. 2022, arXiv 2209.10652, "Superposition as a phase change"; the boundary derived here',
  minutes: 1,
  async run({ backend, quick, seed, update }) {
    const { seeds, restarts, steps, batch, learningRate } = quick ? QUICK : FULL;
    const cells = IMPORTANCES.flatMap((importance) =>
      PROBABILITIES.map((probability) => ({ importance, probability })),
    );
    const all: Cell[][] = [];
    for (let s = 0; s < seeds; s++) {
      const each = cells.flatMap((cell) => Array.from({ length: restarts }, () => cell));
      const { model } = await trainToyModels(backend, {
        ...ELHAGE,
        architecture: reluOutput(2, 1),
        batch,
        // Fewer steps than the paper's ten thousand, and larger ones.
        learningRate,
        schedule: { kind: 'linear', warmupSteps: 0 },
        steps,
        logEvery: Math.round(steps / 10),
        instances: each.map(({ importance }, i) => ({
          seed: (seed + s) * each.length + i,
          importance: [1, importance],
        })),
        inputs: {
          kind: 'independent',
          probabilities: each.map(({ probability }) => probability),
          low: 0,
          high: 1,
        },
        onLog: ({ step }) => update(s * steps + step, seeds * steps),
      });
      const losses = each.map((cell, i) =>
        twoFeatureLoss(encoderOf(model, i), model.bias!.subarray(2 * i, 2 * i + 2), cell),
      );
      all.push(
        cells.map(({ importance, probability }, c) => {
          const own = Array.from({ length: restarts }, (_, i) => c * restarts + i);
          const best = own.reduce((a, b) => (losses[b] < losses[a] ? b : a));
          const [first, second] = encoderOf(model, best);
          const antipodal = first * second < 0 && Math.min(Math.abs(first), Math.abs(second)) > 0.5;
          return {
            importance,
            probability,
            antipodal,
            predicted: probability < antipodalBoundary(importance),
          };
        }),
      );
    }
    const agreeing = all.map(
      (of) => of.filter((cell) => cell.antipodal === cell.predicted).length / of.length,
    );
    const larger = Math.max(
      ...[true, false].map((side) => all[0].filter((c) => c.predicted === side).length),
    );
    const findings = [
      overSeeds('share of cells as predicted', agreeing, {
        predicted: { low: 0.95 },
        null: { name: 'the same answer everywhere', value: larger / cells.length, low: null, high: null },
      }),
    ];
    const data = cells.map((cell, c) => ({
      importance: cell.importance,
      probability: cell.probability,
      antipodal: all.filter((of) => of[c].antipodal).length / seeds,
    }));
    const line = logarithmic(0.1, 10, 81).map((r) => ({ importance: r, probability: antipodalBoundary(r) }));
    const picture = figure(
      'cells',
      'Share of seeds in which the best model is an antipodal pair (filled), by importance of the second feature and probability of firing. The line is the boundary that was predicted.',
      data,
      {
        x: { label: 'importance of the second feature', type: 'log' },
        y: { label: 'probability of firing', type: 'log' },
        marks: [
          Plot.dot(data, {
            x: 'importance',
            y: 'probability',
            r: 7,
            fill: COLOURS[0],
            fillOpacity: 'antipodal',
            stroke: COLOURS[0],
          }),
          Plot.line(line, { x: 'importance', y: 'probability', stroke: COLOURS[1], strokeWidth: 2 }),
        ],
        opacity: { domain: [0, 1] },
      },
    );
    return { findings, figures: [picture], ...judge(findings) };
  },
};
