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

/** Rows shorter than this share of the longest have no direction but noise's. */
const NEGLIGIBLE = 1e-2;

/** Which rows, from their norms, are long enough to have a direction: at least 1 % of the longest, and not zero. */
export function directedRows(norms: Float64Array): boolean[] {
  const longest = norms.reduce((most, norm) => Math.max(most, norm), 0);
  return Array.from(norms, (norm) => norm > 0 && norm >= NEGLIGIBLE * longest);
}

/** `|W_i|` from a Gram matrix, `[features]`. */
export function rowNorms(gram: Float64Array, n: number): Float64Array {
  return Float64Array.from({ length: n }, (_, i) => Math.sqrt(gram[i * n + i]));
}

/** `|cos(W_i, W_j)|` from a Gram matrix, 0 where a row is zero. */
export function absoluteCosine(gram: Float64Array, n: number, i: number, j: number): number {
  const norms = Math.sqrt(gram[i * n + i] * gram[j * n + j]);
  return norms > 0 ? Math.abs(gram[i * n + j]) / norms : 0;
}
