/**
 * From the inputs of a latent to the probability that it stands for a true feature of the data, and to how unusual its score
 * would be for a false one and for a true one. Numbers only: what was learned where the truth is known stands in
 * `calibration.ts`, and how in `fit.ts`. It must not know of dictionaries.
 */

/** Logistic regression on inputs brought to mean 0 and variance 1. */
export interface Score {
  readonly inputs: readonly string[];
  readonly means: readonly number[];
  readonly deviations: readonly number[];
  readonly intercept: number;
  readonly slopes: readonly number[];
}

/** A score, and what it came to in kinds of worlds that it was not fitted on. */
export interface VerdictModel extends Score {
  /** The share of true latents by score, rising: at `scores[i]` it is `probabilities[i]`, linear between. */
  readonly calibration: { readonly scores: readonly number[]; readonly probabilities: readonly number[] };
  /** Scores of false and of true latents at evenly spaced quantiles from 0 to 1, each world weighing the same. */
  readonly falseScores: readonly number[];
  readonly trueScores: readonly number[];
  /** Few true latents have so large a remainder in a wider dictionary: one that has is not called supported. */
  readonly mostRemainder: number;
}

/** The score of a latent with these inputs; NaN where one is. */
export function scoreOf({ means, deviations, intercept, slopes }: Score, inputs: ArrayLike<number>): number {
  let score = intercept;
  for (let i = 0; i < slopes.length; i++) score += (slopes[i] * (inputs[i] - means[i])) / deviations[i];
  return score;
}

/** The calibrated probability that a latent with this score is true. */
export function probabilityOf({ calibration }: VerdictModel, score: number): number {
  if (Number.isNaN(score)) return NaN;
  const { scores, probabilities } = calibration;
  return interpolate(scores, probabilities, score);
}

/** The share of false latents with at least this score: small where a false latent would hardly come to it. */
export function falseTail({ falseScores }: VerdictModel, score: number): number {
  return Number.isNaN(score) ? NaN : 1 - shareBelow(falseScores, score);
}

/** The share of true latents with at most this score. */
export function trueTail({ trueScores }: VerdictModel, score: number): number {
  return Number.isNaN(score) ? NaN : shareBelow(trueScores, score);
}

/** Of quantiles at 0, 1 / n, .., 1; never below `1 / (n + 1)` nor above `n / (n + 1)`: nothing is known of the tails beyond. */
function shareBelow(quantiles: readonly number[], score: number): number {
  const n = quantiles.length - 1;
  const shares = quantiles.map((_, i) => i / n);
  return Math.min(n / (n + 1), Math.max(1 / (n + 1), interpolate(quantiles, shares, score)));
}

/** Linear between points of rising x, constant beyond them. */
function interpolate(x: readonly number[], y: readonly number[], at: number): number {
  let [below, above] = [0, x.length - 1];
  if (at <= x[below]) return y[below];
  if (at >= x[above]) return y[above];
  while (above - below > 1) {
    const middle = (below + above) >> 1;
    if (x[middle] <= at) below = middle;
    else above = middle;
  }
  return y[below] + ((y[above] - y[below]) * (at - x[below])) / (x[above] - x[below]);
}
