/** Whether two quantities rise together, whatever the shape. It must not know what they are. */
import { mean } from './statistics.ts';

/**
 * Spearman's rank correlation ("The proof and measurement of association between two things", American Journal of
 * Psychology 15, 1904): Pearson's of the ranks, equal values having the mean of theirs. NaN where all of one are equal.
 * RangeError where they are not as many.
 */
export function spearman(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) throw new RangeError(`${a.length} values were given beside ${b.length}`);
  return pearson(ranks(a), ranks(b));
}

/** Pearson's correlation; NaN where all of one are equal. */
export function pearson(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const [meanA, meanB] = [mean(a), mean(b)];
  let [both, squareA, squareB] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    both += (a[i] - meanA) * (b[i] - meanB);
    squareA += (a[i] - meanA) ** 2;
    squareB += (b[i] - meanB) ** 2;
  }
  return both / Math.sqrt(squareA * squareB);
}

/** The place of each value in ascending order, from 0; equal values have the mean of theirs. */
export function ranks(values: ArrayLike<number>): Float64Array {
  const order = Array.from(values, (_, i) => i).sort((i, j) => values[i] - values[j]);
  const result = new Float64Array(values.length);
  for (let from = 0; from < order.length; ) {
    let end = from;
    while (end < order.length && values[order[end]] === values[order[from]]) end++;
    for (let at = from; at < end; at++) result[order[at]] = (from + end - 1) / 2;
    from = end;
  }
  return result;
}
