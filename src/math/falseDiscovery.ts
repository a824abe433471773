/** How many of the hypotheses that are called true are not. It must not know what is tested. */

/**
 * The q-values of Benjamini and Hochberg ("Controlling the false discovery rate", Journal of the Royal Statistical Society B
 * 57, 1995) for `pValues` of n tests: `q_(i) = min_{j >= i} n p_(j) / j` over the p-values in ascending order, at most 1.
 * Calling true what has `q <= level` keeps the expected share of false calls at most `level` where tests are independent or
 * positively dependent. RangeError where a value is not in [0, 1].
 */
export function falseDiscoveryRates(pValues: ArrayLike<number>): Float64Array {
  const n = pValues.length;
  for (let i = 0; i < n; i++)
    if (!(pValues[i] >= 0 && pValues[i] <= 1)) throw new RangeError(`p-value ${i}: ${pValues[i]}`);
  const ascending = Uint32Array.from({ length: n }, (_, i) => i).sort(
    (a, b) => pValues[a] - pValues[b] || a - b,
  );
  const rates = new Float64Array(n);
  let least = 1;
  for (let rank = n; rank >= 1; rank--) {
    const test = ascending[rank - 1];
    least = Math.min(least, pValues[test] * (n / rank));
    rates[test] = least;
  }
  return rates;
}
