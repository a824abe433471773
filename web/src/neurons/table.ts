/** Directions sorted, binned and grouped for the pages. It must not know how they are drawn. */
import { quantiles } from '../../../src/math/statistics.ts';
import type { Direction, DirectionExample } from '../../../src/runs/atlasSchema.ts';

export const DIRECTION_SORTS = ['effective', 'features', 'index'] as const;
export type DirectionSort = (typeof DIRECTION_SORTS)[number];

/** What is not known comes last, whichever way; equals by number. */
export function sortedDirections(
  directions: readonly Direction[],
  sort: DirectionSort,
  descending: boolean,
): Direction[] {
  const sign = descending ? -1 : 1;
  return [...directions].sort((a, b) => {
    const [x, y] = [a[sort], b[sort]];
    if (Number.isNaN(x) || Number.isNaN(y))
      return Number(Number.isNaN(x)) - Number(Number.isNaN(y)) || a.index - b.index;
    return sign * (x - y) || a.index - b.index;
  });
}

export interface Histogram {
  /** Ends of the axis, natural logarithms; the few that are beyond them are in the first or the last bin. */
  readonly from: number;
  readonly to: number;
  /** Of each kind, in the order given, how many are in each bin, over the most in any of its bins. */
  readonly bars: readonly (readonly number[])[];
}

/** Effective numbers of some kinds on one logarithmic axis. */
export function histogramOf(kinds: readonly (readonly number[])[], bins = 48): Histogram {
  const known = kinds.map((values) => values.filter((value) => value > 0).map(Math.log));
  const all = known.flat();
  if (all.length === 0) return { from: 0, to: 1, bars: kinds.map(() => new Array<number>(bins).fill(0)) };
  const [least, most] = quantiles(all, [0.005, 0.995]);
  const room = (most - least || 1) * 0.03;
  const [from, to] = [least - room, most + room];
  const bars = known.map((values) => {
    const counts = new Array<number>(bins).fill(0);
    for (const value of values)
      counts[Math.min(bins - 1, Math.max(0, Math.floor(((value - from) / (to - from)) * bins)))]++;
    const tallest = Math.max(1, ...counts);
    return counts.map((count) => count / tallest);
  });
  return { from, to, bars };
}

/** Round numbers along a logarithmic axis between two natural logarithms: 1, 2 and 5 times powers of ten. */
export function logTicks(from: number, to: number): number[] {
  const first = Math.floor(from / Math.LN10);
  const last = Math.ceil(to / Math.LN10);
  return Array.from({ length: last - first + 1 }, (_, i) => 10 ** (first + i))
    .flatMap((power) => [power, 2 * power, 5 * power])
    .filter((tick) => Math.log(tick) >= from && Math.log(tick) <= to);
}

export interface Cluster {
  /** The latent that adds most at these tokens; -1 where none does. */
  readonly latent: number;
  readonly examples: readonly DirectionExample[];
}

/** Examples by the latent that adds most, clusters of the most examples first, then by their strongest. */
export function clustersOf(examples: readonly DirectionExample[]): Cluster[] {
  const clusters = new Map<number, DirectionExample[]>();
  for (const example of examples) {
    const own = clusters.get(example.cluster) ?? [];
    own.push(example);
    clusters.set(example.cluster, own);
  }
  return [...clusters]
    .map(([latent, own]) => ({ latent, examples: own }))
    .sort((a, b) => b.examples.length - a.examples.length || a.examples[0].rank - b.examples[0].rank);
}
