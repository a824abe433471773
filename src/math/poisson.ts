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

/**
 * `below = P(N <= count)` and `above = P(N >= count)`, by the terms on the shorter side of the mean, so that what is
 * small is exact to rounding. O(sqrt(mean)) terms matter.
 */
export function poissonTails(mean: number, count: number): { below: number; above: number } {
  if (!(mean >= 0 && mean < 2 ** 31)) throw new RangeError(`a mean is >= 0, not ${mean}`);
  if (!(Number.isInteger(count) && count >= 0))
    throw new RangeError(`a count is a whole number, not ${count}`);
  if (mean === 0) return { below: 1, above: count === 0 ? 1 : 0 };
  const own = Math.exp(count * Math.log(mean) - mean - logFactorial(count));
  if (count <= mean) {
    const below = own * sumOfTerms((k) => (count - k) / mean);
    return { below: Math.min(1, below), above: Math.min(1, Math.max(0, 1 - below + own)) };
  }
  const above = own * sumOfTerms((k) => mean / (count + 1 + k));
  return { below: Math.min(1, Math.max(0, 1 - above + own)), above: Math.min(1, above) };
}

/** `1 + ratio(0) + ratio(0) ratio(1) + ..`, of ratios that are below 1 and fall. */
function sumOfTerms(ratio: (k: number) => number): number {
  let [sum, term] = [1, 1];
  for (let k = 0; term > NOTHING; k++) {
    term *= ratio(k);
    sum += term;
  }
  return sum;
}

/** Up to 1e-10, by Stirling's series from 16 on. */
function logFactorial(n: number): number {
  if (n < 16) {
    let product = 1;
    for (let k = 2; k <= n; k++) product *= k;
    return Math.log(product);
  }
  return (n + 0.5) * Math.log(n) - n + 0.5 * Math.log(2 * Math.PI) + 1 / (12 * n) - 1 / (360 * n ** 3);
}
