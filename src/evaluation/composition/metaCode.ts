/**
 * Decoder rows written as sums of a few others with coefficients >= 0, from their cosines alone: what a meta-dictionary
 * does (Leask et al. 2025, "Sparse autoencoders do not find canonical units of analysis", arXiv 2502.04878), with the
 * dictionary's own rows for its atoms. It must not know which rows are features.
 *
 * Coefficients are >= 0 since parts can only be added: with both signs `a = sqrt(2) ab - b`, and nothing would tell the
 * parts from the whole. A sum of a and b lies inside the cone that the rows span, and what lies on its edges is no sum.
 */
import { nonNegativeLeastSquares } from '../../math/nonNegativeLeastSquares.ts';

/** A sum has at most so many parts. */
const MOST_PARTS = 3;
/** A part whose coefficient is less than this is none. */
const LEAST_COEFFICIENT = 0.25;
/** The squared coefficients of parts at right angles sum to 1; above this they cancel each other, and are no parts. */
const MOST_SQUARES = 1.3;

/** A unit row as a sum of other unit rows, `sum_p coefficients[p] row(parts[p])`. */
export interface MetaCode {
  readonly parts: readonly number[];
  readonly coefficients: readonly number[];
  /** The share of its square that the sum explains, `1 - |w - sum|^2`. */
  readonly explained: number;
}

/** Cosines of rows with rows, `[rows, rows]`. */
export interface Cosines {
  readonly rows: number;
  readonly values: Float32Array;
}

/**
 * The best sum of at most 3 of `candidates` for a row of `cosines [candidates]` with them, by orthogonal matching pursuit
 * with coefficients >= 0; `between(a, b)` is the cosine of two candidates. Empty where even the best has little to say.
 */
export function metaCode(
  cosines: ArrayLike<number>,
  candidates: ArrayLike<number>,
  between: (a: number, b: number) => number,
): MetaCode {
  let parts: number[] = [];
  let coefficients: number[] = [];
  let explained = 0;
  const left = Float64Array.from(cosines);
  for (let round = 0; round < MOST_PARTS; round++) {
    let best = -1;
    for (let c = 0; c < candidates.length; c++)
      if (!parts.includes(c) && (best < 0 || left[c] > left[best])) best = c;
    if (best < 0 || !(left[best] > 0)) break;
    const tried = [...parts, best];
    const gram = Float64Array.from(tried.flatMap((a) => tried.map((b) => between(candidates[a], candidates[b]))));
    const right = tried.map((c) => cosines[c]);
    const values = [...nonNegativeLeastSquares(gram, right)];
    if (values.some((value) => value < LEAST_COEFFICIENT)) break;
    if (values.reduce((sum, value) => sum + value * value, 0) > MOST_SQUARES) break;
    [parts, coefficients] = [tried, values];
    // At the least squares the explained square is the inner product with what is explained.
    explained = values.reduce((sum, value, p) => sum + value * right[p], 0);
    for (let c = 0; c < candidates.length; c++) {
      left[c] = cosines[c];
      parts.forEach((part, p) => {
        left[c] -= coefficients[p] * between(candidates[part], candidates[c]);
      });
    }
  }
  return { parts: parts.map((c) => candidates[c]), coefficients, explained };
}
