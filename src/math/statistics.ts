/** Plain summaries of a list of numbers. It must not know what was measured. */

/** The arithmetic mean; NaN of no values. */
export function mean(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i];
  return sum / values.length;
}

/**
 * The quantile at `probability` in [0, 1], linear between order statistics: type 7 of Hyndman and Fan, "Sample
 * quantiles in statistical packages", The American Statistician 50, 1996; the default of R and NumPy.
 * With `h = (n - 1) p`: `x[floor h] + (h - floor h) (x[floor h + 1] - x[floor h])`. NaN of no values, or with a
 * NaN among them.
 */
export function quantile(values: ArrayLike<number>, probability: number): number {
  return quantiles(values, [probability])[0];
}

/** `quantile` at each of `probabilities`, the values sorted once. */
export function quantiles(values: ArrayLike<number>, probabilities: readonly number[]): number[] {
  // A typed array sorts by value, NaN last.
  const sorted = Float64Array.from(values).sort();
  const known = sorted.length > 0 && !Number.isNaN(sorted[sorted.length - 1]);
  return probabilities.map((probability) => {
    if (!(probability >= 0 && probability <= 1))
      throw new RangeError(`a probability is in [0, 1], not ${probability}`);
    if (!known) return NaN;
    const h = (sorted.length - 1) * probability;
    const below = sorted[Math.floor(h)];
    const above = sorted[Math.ceil(h)];
    return below === above ? below : below + (h - Math.floor(h)) * (above - below);
  });
}
