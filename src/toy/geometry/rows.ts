/** The rows of a weight, and their dot products. It must not know what these say about features. */

/** A weight with a row for each feature, `values [features, hidden]`. */
export interface FeatureRows {
  readonly values: ArrayLike<number>;
  readonly features: number;
  readonly hidden: number;
}

/** `G[i, j] = W_i . W_j`, `[features, features]`. RangeError where the values do not fit the shape or are not finite. */
export function rowGram({ values, features: n, hidden: m }: FeatureRows): Float64Array {
  if (values.length !== n * m)
    throw new RangeError(`values: ${values.length} were given for ${n} features in ${m} dimensions`);
  const gram = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = 0;
      for (let c = 0; c < m; c++) sum += values[i * m + c] * values[j * m + c];
      if (!Number.isFinite(sum)) throw new RangeError(`values: those of feature ${i} or ${j} are not finite`);
      gram[i * n + j] = sum;
      gram[j * n + i] = sum;
    }
  }
  return gram;
}

/** `|cos(W_i, W_j)|` from a Gram matrix, 0 where a row is zero. */
export function absoluteCosine(gram: Float64Array, n: number, i: number, j: number): number {
  const norms = Math.sqrt(gram[i * n + i] * gram[j * n + j]);
  return norms > 0 ? Math.abs(gram[i * n + j]) / norms : 0;
}
