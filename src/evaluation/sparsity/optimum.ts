/**
 * Where a curve over sparsity has its optimum, with an interval over seeds, or why it has none that one may speak of. The same
 * for every criterion; it must not know what is measured.
 */
import { drawResamples } from '../../math/bootstrap.ts';
import type { Random } from '../../math/random.ts';
import { mean, quantile } from '../../math/statistics.ts';
import { studentInterval } from '../../math/student.ts';

/** Seeds, and points of the curve, that an optimum takes. */
const SEEDS = 3;
const POINTS = 5;
const RESAMPLES = 400;
/** Of the two-sided interval whose lower end is a one-sided test at 5 %. */
const DIP_LEVEL = 0.9;

/** A quantity at each L0 of a sweep, of each seed. */
export interface Curve {
  /** Ascending. */
  readonly l0: readonly number[];
  /**
   * `[l0][seed]`, the less the better. NaN where it is not defined, which leaves the point out; Infinity where it is as bad as can
   * be.
   */
  readonly values: readonly (readonly number[])[];
}

export type Optimum =
  | {
      readonly kind: 'optimum';
      readonly l0: number;
      /** 95 % over seeds, and half way to the neighbouring points. */
      readonly low: number;
      readonly high: number;
      /** How far the curve rises on both sides: of the two, the lower. With its 90 % interval over seeds. */
      readonly dip: { readonly value: number; readonly low: number; readonly high: number };
    }
  | {
      readonly kind: 'none';
      /** For people. */
      readonly why: string;
    };

/**
 * The least point of the mean over seeds, if it is a minimum: not at an end of the curve, in 95 % of the bootstrap resamples of
 * the seeds either; and with a rise on both sides that the seeds agree on. To be the least of many noisy points is
 * no evidence, so the rise of each seed is read at the places that the other seeds chose, and its mean must be above 0 by
 * Student's test at 5 %, one-sided.
 */
export function findOptimum(curve: Curve, random: Random): Optimum {
  const defined = curve.values.flatMap((at, i) => (at.some(Number.isNaN) ? [] : [i]));
  const l0 = defined.map((i) => curve.l0[i]);
  const values = defined.map((i) => curve.values[i]);
  const seeds = values[0]?.length ?? 0;
  if (l0.length < POINTS || seeds < SEEDS) {
    return none(
      `it is defined at ${l0.length} values of L0 for ${seeds} seeds; it takes ${POINTS} and ${SEEDS}`,
    );
  }
  const least = (weights: ArrayLike<number>) => leastOf(values.map((at) => weighted(at, weights)));
  const best = least(new Array<number>(seeds).fill(1));
  const last = l0.length - 1;
  if (values[best].includes(Infinity)) return none('at no L0 do all seeds reach it');
  if (best === 0 || best === last)
    return none(`best at the ${best === 0 ? 'lower' : 'upper'} end of the sweep`);
  const drawn = drawResamples(seeds, RESAMPLES, random).map(least);
  const [from, to] = [quantile(drawn, 0.025), quantile(drawn, 0.975)].map(Math.round);
  if (from === 0 || to === last) return none('over seeds, the best lies at an end of the sweep as well');
  const dips = Array.from({ length: seeds }, (_, seed) => dipOf(values, seed));
  const dip = dips.every((value) => value === Infinity)
    ? { value: Infinity, low: Infinity, high: Infinity }
    : studentInterval(
        dips.map((value) => Math.min(value, largestFinite(dips))),
        DIP_LEVEL,
      );
  if (!(dip.low > 0)) return none('flat: it rises on both sides by no more than seeds differ');
  return {
    kind: 'optimum',
    l0: l0[best],
    low: Math.sqrt(l0[from - 1] * l0[from]),
    high: Math.sqrt(l0[to] * l0[to + 1]),
    dip,
  };
}

function none(why: string): Optimum {
  return { kind: 'none', why };
}

/** How far one seed's curve rises on both sides of where the other seeds' mean is least, read where that is greatest. */
function dipOf(values: readonly (readonly number[])[], seed: number): number {
  const others = values.map((at) => mean(at.filter((_, s) => s !== seed)));
  const best = leastOf(others);
  if (best === 0 || best === values.length - 1 || values[best][seed] === Infinity) return 0;
  const greatest = (from: number, end: number) =>
    from + leastOf(others.slice(from, end).map((value) => -value));
  const rise = (at: number) =>
    values[at][seed] === Infinity ? Infinity : values[at][seed] - values[best][seed];
  return Math.min(rise(greatest(0, best)), rise(greatest(best + 1, values.length)));
}

function leastOf(values: readonly number[]): number {
  return values.reduce((best, value, i) => (value < values[best] ? i : best), 0);
}

/** A weight of 0 leaves a value out, Infinity too. */
function weighted(values: readonly number[], weights: ArrayLike<number>): number {
  let [sum, total] = [0, 0];
  values.forEach((value, i) => {
    if (weights[i] > 0) sum += weights[i] * value;
    total += weights[i];
  });
  return sum / total;
}

function largestFinite(values: readonly number[]): number {
  return Math.max(...values.filter(Number.isFinite));
}
