/** The Poisson distribution. It must not know what is counted. */

/** Terms below this share of the largest are left out. */
const NOTHING = 1e-18;

/**
 * `P(N <= k)` for k = 0, 1, .. until what is left is less than rounding: there the last one is 1. Terms follow from the
 * largest by `p(k + 1) = p(k) mean / (k + 1)`, and are divided by their sum.
 */
export function poissonCumulative(mean: number): number[] {
  if (!(mean >= 0 && mean < 2 ** 31)) throw new RangeError(`a mean is >= 0, not ${mean}`);
  const mode = Math.floor(mean);
  const terms = new Array<number>(mode + 1).fill(0);
  terms[mode] = 1;
  for (let k = mode; k > 0 && terms[k] > NOTHING; k--) terms[k - 1] = (terms[k] * k) / mean;
  for (let k = mode; terms[k] > NOTHING; k++) terms.push((terms[k] * mean) / (k + 1));
  const total = terms.reduce((sum, term) => sum + term, 0);
  let sum = 0;
  const cumulative = terms.map((term) => {
    sum += term / total;
    return Math.min(sum, 1);
  });
  cumulative[cumulative.length - 1] = 1;
  return cumulative;
}
