/**
 * The phase diagram of two features in one dimension: which of three strategies costs least, and which one trained models take.
 * Elhage et al. 2022, arXiv 2209.10652, "Superposition as a phase change". It must not know how models are trained.
 */
import { logarithmic } from '../../../src/math/spacing.ts';
import {
  antipodalBoundary,
  droppedLoss,
  interferenceLoss,
  twoFeatureLoss,
} from '../../../src/toy/bounds/twoFeatures.ts';
import type { WeightedRows } from './data.ts';

/** Only the first feature is stored, only the second, or both as an antipodal pair; `neither` of what fits none of these. */
export type Strategy = 'first' | 'second' | 'pair' | 'neither';

export interface Cell {
  /** Of the second feature, that of the first being 1. */
  readonly importance: number;
  readonly probability: number;
}

export const IMPORTANCES = logarithmic(0.1, 10, 13);
export const PROBABILITIES = logarithmic(0.01, 1, 9);
/** All of the diagram, importance by importance. */
export const CELLS: readonly Cell[] = IMPORTANCES.flatMap((importance) =>
  PROBABILITIES.map((probability) => ({ importance, probability })),
);

/** Half the sum of both features' losses by each strategy, its weights 1 and its biases the best without the other feature. */
export function strategyLosses({
  importance,
  probability: p,
}: Cell): Record<'first' | 'second' | 'pair', number> {
  return {
    first: (importance * droppedLoss(p)) / 2,
    second: droppedLoss(p) / 2,
    pair: ((1 + importance) * interferenceLoss(p * p)) / 2,
  };
}

/** The strategy that costs least. */
export function predicted({ importance, probability }: Cell): Strategy {
  if (probability < antipodalBoundary(importance)) return 'pair';
  return importance <= 1 ? 'first' : 'second';
}

/** What a model with `w [2]` does: features of at least half a unit are stored. */
export function strategyOf(w: ArrayLike<number>): Strategy {
  const [first, second] = [Math.abs(w[0]) > 0.5, Math.abs(w[1]) > 0.5];
  if (first && second) return w[0] * w[1] < 0 ? 'pair' : 'neither';
  return first ? 'first' : second ? 'second' : 'neither';
}

/** Amplitudes of each feature at which the loss of training is taken, by the midpoint rule. */
const POINTS = 8;
/** Inputs of a cell: none fires, one, or both. */
export const CELL_ROWS = 1 + 2 * POINTS + POINTS ** 2;

/** Inputs that stand for the whole distribution of each cell, so that training has no noise: `[cells, CELL_ROWS]`. */
export function cellInputs(cells: readonly Cell[]): WeightedRows {
  const x = new Float32Array(cells.length * CELL_ROWS * 2);
  const weights = new Float32Array(cells.length * CELL_ROWS);
  const levels = [0, ...Array.from({ length: POINTS }, (_, i) => (i + 0.5) / POINTS)];
  cells.forEach(({ probability: p }, c) => {
    let row = c * CELL_ROWS;
    for (const a of levels) {
      for (const b of levels) {
        x.set([a, b], 2 * row);
        weights[row++] = [a, b].reduce((product, level) => product * (level === 0 ? 1 - p : p / POINTS), 1);
      }
    }
  });
  return { x, weights };
}

/** Of models `weight [restarts, 2]`, `bias [restarts, 2]` of one cell, what the one with the lowest loss does. */
export function bestStrategy(cell: Cell, weight: Float32Array, bias: Float32Array): Strategy {
  let [best, least] = [0, Infinity];
  for (let r = 0; r < weight.length / 2; r++) {
    const loss = twoFeatureLoss(weight.subarray(2 * r), bias.subarray(2 * r), cell);
    if (loss < least) [best, least] = [r, loss];
  }
  return strategyOf(weight.subarray(2 * best));
}
