/**
 * A decoder row written as a sum of a few other rows with coefficients >= 0, from their cosines alone: the code of a
 * meta-dictionary (Leask et al. 2025, "Sparse autoencoders do not find canonical units of analysis", arXiv 2502.04878). It
 * must not know which rows are features.
 *
 * Coefficients are >= 0 since parts can only be added: with both signs `a = sqrt(2) ab - b`, and nothing would tell the
 * parts from the whole. A sum of a and b lies inside the cone that the rows span, and what lies on its edges is no sum.
 */
import { nonNegativeLeastSquares } from '../../math/nonNegativeLeastSquares.ts';

/** A sum has at most so many parts, where nothing else is asked for. */
const MOST_PARTS = 3;
/** A part whose coefficient is less than this is none. */
const LEAST_COEFFICIENT = 0.25;
/** The squared coefficients of parts at right angles sum to 1; above this they cancel each other, and are no parts. */
const MOST_SQUARES = 1.3;
/** What is left of a row's square is nothing, below this. */
const NOTHING = 1e-4;

/** A unit row as a sum of unit candidates, `sum_p coefficients[p] candidate(parts[p])`. */
export interface MetaCode {
  readonly parts: readonly number[];
  readonly coefficients: readonly number[];
  /** The share of its square that the sum explains, `1 - |w - sum|^2`. */
  readonly explained: number;
}

/**
 * The best sum of at most `most` candidates for a row of `cosines [candidates]` with them, by orthogonal matching pursuit with
 * coefficients >= 0 (`orthogonalPursuit`, which reads rows and has no limit on coefficients); `between(a)` are the cosines
 * of candidate a with all of them. A candidate whose cosine is NaN is not taken. Without parts where there is nothing to say.
 */
export function metaCode(
  cosines: ArrayLike<number>,
  between: (a: number) => ArrayLike<number>,
  most = MOST_PARTS,
): MetaCode {
  let code: MetaCode = { parts: [], coefficients: [], explained: 0 };
  const ofParts: ArrayLike<number>[] = [];
  while (code.parts.length < most && code.explained < 1 - NOTHING) {
    const { parts, coefficients } = code;
    let [best, largest] = [-1, 0];
    for (let c = 0; c < cosines.length; c++) {
      let left = cosines[c];
      for (let p = 0; p < ofParts.length; p++) left -= coefficients[p] * ofParts[p][c];
      if (left > largest && !parts.includes(c)) [best, largest] = [c, left];
    }
    if (best < 0) break;
    const tried = [...parts, best];
    ofParts.push(between(best));
    const gram = Float64Array.from(ofParts.flatMap((row) => tried.map((b) => row[b])));
    const right = tried.map((c) => cosines[c]);
    const values = [...nonNegativeLeastSquares(gram, right)];
    if (values.some((value) => value < LEAST_COEFFICIENT)) break;
    if (values.reduce((sum, value) => sum + value * value, 0) > MOST_SQUARES) break;
    // At the least squares the square that is explained is the inner product with what explains it.
    const explained = values.reduce((sum, value, p) => sum + value * right[p], 0);
    code = { parts: tried, coefficients: values, explained };
  }
  return code;
}
