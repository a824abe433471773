/**
 * Whether two values of each pair of n things go together: pairs that have a thing in common are not independent, so the
 * null permutes the things and not the pairs. Mantel, "The detection of disease clustering and a generalized regression
 * approach", Cancer Research 27, 1967. It must not know what is paired.
 */
import { pairsAmong } from './pairList.ts';
import type { Random } from './random.ts';
import { mean, quantile } from './statistics.ts';

export interface MantelTest {
  readonly value: number;
  /** Mean and central 95 % of the statistic where the things of one list are permuted. */
  readonly null: { readonly value: number; readonly low: number; readonly high: number };
  /** `(1 + permutations with a statistic <= value) / (1 + permutations)`: near 0 where the value is lower than chance has it. */
  readonly percentile: number;
}

/**
 * `statistic` of two lists of `things` (things - 1) / 2 pairs (`math/pairList.ts`), and of `permutations` in which the things
 * of `b` are in random order. RangeError where the lists are not as long.
 */
export function mantel(options: {
  a: ArrayLike<number>;
  b: ArrayLike<number>;
  things: number;
  statistic: (a: ArrayLike<number>, b: ArrayLike<number>) => number;
  permutations: number;
  random: Random;
}): MantelTest {
  const { a, b, things, statistic, permutations, random } = options;
  const pairs = (things * (things - 1)) / 2;
  if (a.length !== pairs || b.length !== pairs)
    throw new RangeError(`${things} things have ${pairs} pairs, not ${a.length} and ${b.length}`);
  const value = statistic(a, b);
  const permuted = Float64Array.from({ length: permutations }, () =>
    statistic(a, pairsAmong(b, random.permutation(things))),
  );
  return {
    value,
    null: { value: mean(permuted), low: quantile(permuted, 0.025), high: quantile(permuted, 0.975) },
    percentile: (1 + permuted.filter((other) => other <= value).length) / (1 + permutations),
  };
}
