/** The angles between features, with their sign. It must not know what features mean. */
import { pairList } from '../../math/pairList.ts';
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
