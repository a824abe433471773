/**
 * Intervals by the cluster bootstrap: whole clusters (documents) are drawn with replacement, as many as there
 * are, since what lies in one document is not independent; the interval holds the middle of the statistic's
 * values over the draws. Efron, "Bootstrap methods: another look at the jackknife", Annals of Statistics 7, 1979;
 * Field and Welsh, "Bootstrapping clustered data", JRSS B 69, 2007. It must not know what a cluster holds.
 */

import type { Random } from './random.ts';
import { quantile } from './statistics.ts';

export interface Interval {
  value: number;
  /** NaN, as is `high`, where the data do not identify the interval. */
  low: number;
  high: number;
  /** The number of clusters (documents). */
  n: number;
}

/** Draws are made from `random`, or given, so that several statistics can share one set and be compared. */
type Draws = { random: Random; resamples?: number } | { draws: readonly Uint16Array[] };

/** For each resample `[clusters]`: how many times each cluster was drawn. */
export function drawResamples(clusters: number, resamples: number, random: Random): Uint16Array[] {
  return Array.from({ length: resamples }, () => {
    const counts = new Uint16Array(clusters);
    for (let i = 0; i < clusters; i++) counts[random.below(clusters)]++;
    return counts;
  });
}

/**
 * The percentile interval of a statistic of weighted clusters, `weights [clusters]` being the times that each
 * was drawn; the value is the statistic with all weights 1. The statistic must not keep `weights`. `low` and
 * `high` are NaN where there are fewer than two clusters, or where a resample's statistic is not finite.
 */
export function clusterBootstrap({
  statistic,
  ...rest
}: { clusters: number; statistic: (weights: Float64Array) => number; level?: number } & Draws): Interval {
  const statistics = (weights: Float64Array) => ({ value: statistic(weights) });
  return clusterBootstraps({ ...rest, statistics }).value;
}

/** `clusterBootstrap` of statistics that are computed together, by name. */
export function clusterBootstraps<Name extends string>(
  options: {
    clusters: number;
    statistics: (weights: Float64Array) => Readonly<Record<Name, number>>;
    level?: number;
  } & Draws,
): Record<Name, Interval> {
  const { clusters, statistics, level = 0.95 } = options;
  const value = statistics(new Float64Array(clusters).fill(1));
  const names = Object.keys(value) as Name[];
  const interval = (name: Name, low: number, high: number): [Name, Interval] => [
    name,
    { value: value[name], low, high, n: clusters },
  ];
  const intervals = (of: (name: Name) => [Name, Interval]) =>
    Object.fromEntries(names.map(of)) as Record<Name, Interval>;
  if (clusters < 2) return intervals((name) => interval(name, NaN, NaN));
  const draws =
    'draws' in options ? options.draws : drawResamples(clusters, options.resamples ?? 1000, options.random);
  const weights = new Float64Array(clusters);
  const drawn = draws.map((counts) => {
    if (counts.length !== clusters)
      throw new RangeError(`draws of ${counts.length} clusters given for ${clusters}`);
    weights.set(counts);
    return statistics(weights);
  });
  const tail = (1 - level) / 2;
  return intervals((name) => {
    const values = drawn.map((one) => one[name]);
    return values.every(Number.isFinite)
      ? interval(name, quantile(values, tail), quantile(values, 1 - tail))
      : interval(name, NaN, NaN);
  });
}

/**
 * The interval of a ratio of sums, `sum_i numerators[i] / sum_i denominators[i]`, given the sums of each cluster:
 * a mean over tokens, a fraction of variance unexplained, a loss recovered. Both `[clusters]`.
 */
export function bootstrapRatio(
  options: { numerators: ArrayLike<number>; denominators: ArrayLike<number>; level?: number } & Draws,
): Interval {
  const { numerators, denominators, ...rest } = options;
  const clusters = numerators.length;
  if (denominators.length !== clusters) {
    throw new RangeError(`${denominators.length} denominators given for ${clusters} numerators`);
  }
  const statistic = (weights: Float64Array): number => {
    let over = 0;
    let under = 0;
    for (let i = 0; i < clusters; i++) {
      over += weights[i] * numerators[i];
      under += weights[i] * denominators[i];
    }
    return over / under;
  };
  return clusterBootstrap({ clusters, statistic, ...rest });
}
