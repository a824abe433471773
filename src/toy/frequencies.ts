/** Firing probabilities that fall off as frequencies of words do. It must not know what fires. */

/**
 * `p_i` falling as `i^-exponent` (Zipf) from `most` at the first feature to `least` at the last, i = 1 .. features:
 * `least + (most - least) (i^-s - n^-s) / (1 - n^-s)`, as SynthSAEBench has it (arXiv 2602.14687). RangeError where these
 * are not probabilities.
 */
export function zipfBetween(options: {
  features: number;
  exponent: number;
  most: number;
  least: number;
}): Float64Array {
  const { features, exponent, most, least } = options;
  if (!(least >= 0 && most >= least && most <= 1))
    throw new RangeError(`expected 0 <= least <= most <= 1, not ${least} and ${most}`);
  const last = features ** -exponent;
  return Float64Array.from({ length: features }, (_, i) =>
    features === 1 ? most : least + ((most - least) * ((i + 1) ** -exponent - last)) / (1 - last),
  );
}

/**
 * `p_i` proportional to `i^-exponent`, with sum `l0`. RangeError where the first would be above 1.
 */
export function zipfOfL0(options: { features: number; exponent: number; l0: number }): Float64Array {
  const { features, exponent, l0 } = options;
  const weights = Float64Array.from({ length: features }, (_, i) => (i + 1) ** -exponent);
  const scale = l0 / weights.reduce((sum, weight) => sum + weight, 0);
  if (!(scale >= 0 && scale <= 1))
    throw new RangeError(`l0 ${l0}: the first of ${features} features would fire with probability ${scale}`);
  return weights.map((weight) => scale * weight);
}
