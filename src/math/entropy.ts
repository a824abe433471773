/** Entropies of discrete distributions, in bits. It must not know what is distributed. */

/** `-p log2 p - (1 - p) log2 (1 - p)`, 0 at 0 and 1. RangeError outside. */
export function binaryEntropy(p: number): number {
  if (!(p >= 0 && p <= 1)) throw new RangeError(`a probability is in [0, 1], not ${p}`);
  return surprise(p) + surprise(1 - p);
}

/** `-sum_i p_i log2 p_i` of probabilities that sum to 1; those of 0 add nothing. */
export function categoricalEntropy(probabilities: Iterable<number>): number {
  let bits = 0;
  for (const p of probabilities) bits += surprise(p);
  return bits;
}

function surprise(p: number): number {
  return p > 0 ? -p * Math.log2(p) : 0;
}
