/** The best fit that never falls. It must not know what is fitted. */

/**
 * The values `f_i` that rise or stay with i and minimise `sum_i w_i (y_i - f_i)^2`, by pooling neighbours that are out of
 * order: Ayer et al., Annals of Mathematical Statistics 26, 1955. Weights > 0, 1 where not given.
 */
export function isotonic(y: ArrayLike<number>, weights?: ArrayLike<number>): Float64Array {
  const pools: { sum: number; weight: number; count: number }[] = [];
  for (let i = 0; i < y.length; i++) {
    const weight = weights ? weights[i] : 1;
    let pool = { sum: weight * y[i], weight, count: 1 };
    for (
      let last = pools[pools.length - 1];
      last && last.sum * pool.weight >= pool.sum * last.weight;
      last = pools[pools.length - 1]
    ) {
      pools.pop();
      pool = {
        sum: last.sum + pool.sum,
        weight: last.weight + pool.weight,
        count: last.count + pool.count,
      };
    }
    pools.push(pool);
  }
  const fitted = new Float64Array(y.length);
  let at = 0;
  for (const { sum, weight, count } of pools) {
    fitted.fill(sum / weight, at, at + count);
    at += count;
  }
  return fitted;
}
