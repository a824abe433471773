/** Over which coordinates of the hook point a direction is spread. It must not know what the directions are. */
import { clusterBootstrap, type Interval } from '../../math/bootstrap.ts';
import { categoricalEntropy } from '../../math/entropy.ts';
import { largest } from '../../math/largest.ts';
import { normalQuantile } from '../../math/normal.ts';
import { Random } from '../../math/random.ts';
import { mean, quantile } from '../../math/statistics.ts';

/** Random directions that the null is measured on. */
const RANDOM_DIRECTIONS = 1000;

export interface Spread {
  /** The coordinates of largest weight, by magnitude, and these weights, of unit length together with all others. */
  readonly neurons: number[];
  readonly weights: number[];
  /** `exp(-sum_c w_c^2 ln w_c^2)`, from 1 for one coordinate to `width` for all alike; NaN of a row of zeros. */
  readonly effective: number;
}

/** Of a direction `row [width]`, of any length. */
export function spreadOf(row: ArrayLike<number>, listed: number): Spread {
  const unit = unitOf(row);
  if (!unit) return { neurons: [], weights: [], effective: NaN };
  const neurons = largest(unit.length, listed, (c) => Math.abs(unit[c]));
  return { neurons, weights: neurons.map((c) => unit[c]), effective: effectiveNumber(unit) };
}

/**
 * The null: the effective number of coordinates of directions drawn evenly from the sphere, its mean with an interval and the
 * ends of the middle 95 % of them.
 */
export function spreadOfRandom(
  width: number,
  seed: number,
): { mean: Omit<Interval, 'n'>; low: number; high: number } {
  const random = new Random(seed, 'random directions');
  const row = new Float64Array(width);
  const drawn = Array.from({ length: RANDOM_DIRECTIONS }, () => {
    random.fillNormal(row, 1);
    return effectiveNumber(unitOf(row)!);
  });
  const value = mean(drawn);
  const variance = drawn.reduce((sum, one) => sum + (one - value) ** 2, 0) / (drawn.length - 1);
  const half = normalQuantile(0.975) * Math.sqrt(variance / drawn.length);
  return {
    mean: { value, low: value - half, high: value + half },
    low: quantile(drawn, 0.025),
    high: quantile(drawn, 0.975),
  };
}

/** The median of what is known, with its interval by the bootstrap over the directions. */
export function medianSpread(effective: readonly number[], seed: number): Interval {
  const known = Float64Array.from(effective.filter(Number.isFinite)).sort();
  const random = new Random(seed, 'median spread');
  return clusterBootstrap({
    clusters: known.length,
    statistic: (weights) => weightedMedian(known, weights),
    random,
  });
}

/** Of ascending values, each as often as its weight says: the mean of the middle two where they are even in number. */
function weightedMedian(values: Float64Array, weights: Float64Array): number {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  let [below, first] = [0, NaN];
  for (let i = 0; i < values.length; i++) {
    below += weights[i];
    if (Number.isNaN(first) && 2 * below >= total) first = values[i];
    if (2 * below > total) return (first + values[i]) / 2;
  }
  return NaN;
}

function effectiveNumber(unit: Float64Array): number {
  return 2 ** categoricalEntropy(unit.map((weight) => weight * weight));
}

function unitOf(row: ArrayLike<number>): Float64Array | undefined {
  const values = Float64Array.from(row);
  const norm = Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
  return norm > 0 ? values.map((value) => value / norm) : undefined;
}
