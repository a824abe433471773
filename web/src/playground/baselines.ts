/** Losses that a toy model should be held against: of what it could do without superposition, and with antipodal pairs. Closed forms. */
import { droppedLoss, interferenceLoss } from '../../../src/toy/bounds/twoFeatures.ts';
import type { Firing } from './data.ts';

export interface Baselines {
  /** Each feature at its mean: `sum_i I_i (p/3 - p^2/4) / n`. */
  readonly nothing: number;
  /** The m most important features each with a dimension of its own, without loss, and the others at their mean. */
  readonly alone: number;
  /**
   * The best mixture of features alone and in antipodal pairs, the most important alone, W = 1 and b = 0. Undefined where features
   * are correlated.
   */
  readonly pairs: number | undefined;
}

/** Losses as `evaluate` has them, the mean over features. `importance [features]`. */
export function baselines(firing: Firing, importance: ArrayLike<number>, hidden: number): Baselines {
  const { features: n, probability: p, correlation } = firing;
  const sorted = Array.from(importance).sort((a, b) => b - a);
  const sum = (from: number, to: number) => sorted.slice(from, to).reduce((total, i) => total + i, 0);
  const alone = Math.min(hidden, n);
  const mixture = (pairs: number) =>
    sum(alone - pairs, alone + pairs) * interferenceLoss(p * p) + sum(alone + pairs, n) * droppedLoss(p);
  const most = Math.min(alone, n - alone);
  const mixtures = Array.from({ length: most + 1 }, (_, pairs) => mixture(pairs) / n);
  return {
    nothing: (sum(0, n) * droppedLoss(p)) / n,
    alone: mixtures[0],
    pairs: correlation === 0 ? Math.min(...mixtures) : undefined,
  };
}
