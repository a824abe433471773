/** Whether probabilities mean what they say. It must not know of what they are probabilities. */

export interface ReliabilityBin {
  readonly low: number;
  readonly high: number;
  readonly count: number;
  /** Mean probability, and the share that came true. */
  readonly predicted: number;
  readonly observed: number;
}

/** Bins of equal width over [0, 1], those that are not empty. Murphy and Winkler, Applied Statistics 26, 1977. */
export function reliability(
  probability: ArrayLike<number>,
  came: ArrayLike<number | boolean>,
  bins = 10,
): ReliabilityBin[] {
  const sums = Array.from({ length: bins }, () => ({ count: 0, predicted: 0, observed: 0 }));
  for (let i = 0; i < probability.length; i++) {
    const bin = sums[Math.min(bins - 1, Math.floor(probability[i] * bins))];
    bin.count++;
    bin.predicted += probability[i];
    bin.observed += Number(came[i]);
  }
  return sums.flatMap(({ count, predicted, observed }, b) =>
    count === 0
      ? []
      : [
          {
            low: b / bins,
            high: (b + 1) / bins,
            count,
            predicted: predicted / count,
            observed: observed / count,
          },
        ],
  );
}

/** Expected calibration error: `sum_b n_b / n |observed_b - predicted_b|`. Naeini et al., AAAI 2015. */
export function calibrationError(bins: readonly ReliabilityBin[]): number {
  const total = bins.reduce((sum, { count }) => sum + count, 0);
  return bins.reduce(
    (sum, { count, predicted, observed }) => sum + (count / total) * Math.abs(observed - predicted),
    0,
  );
}
