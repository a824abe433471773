/** The angles between features, with their sign. It must not know what features mean. */
import { pairAt, pairList } from '../../math/pairList.ts';
import { type FeatureRows, rowGram, rowNorms } from './rows.ts';

/**
 * `cos(W_i, W_j)` for each pair of features, as `math/pairList.ts` has it; 0 where a row is zero. RangeError where the values
 * do not fit the shape.
 */
export function pairCosines(rows: FeatureRows): Float64Array {
  const { features: n } = rows;
  const gram = rowGram(rows);
  const norms = rowNorms(gram, n);
  return pairList(n, (i, j) => {
    const both = norms[i] * norms[j];
    return both > 0 ? gram[i * n + j] / both : 0;
  });
}

/** Two features with a cosine above this have one direction. */
const SAME = 0.95;

/**
 * How many directions some `features` have among them: in their order, one counts that has a cosine of at most 0.95 with all
 * that counted before. Features that always fire together may be stored as one (Elhage et al. 2022, arXiv 2209.10652, where
 * sets of them collapse to their principal component).
 */
export function distinctDirections(cosines: ArrayLike<number>, features: readonly number[]): number {
  const distinct: number[] = [];
  for (const i of features) if (distinct.every((j) => cosines[pairAt(i, j)] <= SAME)) distinct.push(i);
  return distinct.length;
}
