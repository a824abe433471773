/** How well one quantity orders another. It must not know what they are. */
import { ranks } from './spearman.ts';

/**
 * Of all two entries whose `predictor` differs, the share in which `outcome` differs the same way, equal outcomes counting
 * half: 1 where the order is right, 1/2 by chance. With a predictor of two values it is the area under the ROC curve; it is
 * `(D + 1) / 2` of Somers, "A new asymmetric measure of association for ordinal variables", American Sociological Review
 * 27, 1962. NaN where all predictors are equal. RangeError where they are not as many. O(n log n).
 */
export function concordance(predictor: ArrayLike<number>, outcome: ArrayLike<number>): number {
  const n = predictor.length;
  if (outcome.length !== n) throw new RangeError(`${n} values were given beside ${outcome.length}`);
  const places = Int32Array.from(ranks(outcome), (rank) => 2 * rank);
  const order = Uint32Array.from({ length: n }, (_, i) => i).sort((i, j) => predictor[i] - predictor[j]);
  const seen = new CountsBelow(2 * n);
  let [right, compared] = [0, 0];
  for (let from = 0, end = 0; from < n; from = end) {
    while (end < n && predictor[order[end]] === predictor[order[from]]) end++;
    for (let at = from; at < end; at++) {
      const place = places[order[at]];
      right += (seen.below(place) + seen.below(place + 1)) / 2;
    }
    compared += from * (end - from);
    for (let at = from; at < end; at++) seen.add(places[order[at]]);
  }
  return right / compared;
}

/** How many numbers so far lie below another: Fenwick, "A new data structure for cumulative frequency tables", 1994. */
class CountsBelow {
  readonly #counts: Int32Array;

  /** Of whole numbers in [0, limit). */
  constructor(limit: number) {
    this.#counts = new Int32Array(limit + 1);
  }

  add(number: number): void {
    for (let at = number + 1; at < this.#counts.length; at += at & -at) this.#counts[at]++;
  }

  below(number: number): number {
    let count = 0;
    for (let at = number; at > 0; at -= at & -at) count += this.#counts[at];
    return count;
  }
}
