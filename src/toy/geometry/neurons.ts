/** How many features each neuron of a hidden layer serves. It must not know what the layer computes. */

import type { FeatureRows } from './rows.ts';

/** A neuron with more than this share of its energy on one feature is monosemantic. */
const MONOSEMANTIC = 0.9;

export interface NeuronGeometry {
  /**
   * `(sum_i w_i^2)^2 / sum_i w_i^4` over the weights of each neuron: 1 where it has one feature, k where it has k alike; NaN
   * where all are zero. `[hidden]`
   */
  readonly participation: Float64Array;
  /** The share of `sum_i w_i^2` that is the largest feature's. `[hidden]` */
  readonly largestShare: Float64Array;
  /** How many neurons have more than 90 % on one feature. */
  readonly monosemantic: number;
}

/** Of the columns of `rows`, a layer whose dimensions are neurons. RangeError where the values do not fit the shape. */
export function neuronGeometry({ values, features, hidden }: FeatureRows): NeuronGeometry {
  if (values.length !== features * hidden)
    throw new RangeError(`values: ${values.length} were given for ${features} features in ${hidden} neurons`);
  const participation = new Float64Array(hidden);
  const largestShare = new Float64Array(hidden);
  for (let j = 0; j < hidden; j++) {
    let [energy, squares, largest] = [0, 0, 0];
    for (let i = 0; i < features; i++) {
      const own = values[i * hidden + j] ** 2;
      energy += own;
      squares += own ** 2;
      largest = Math.max(largest, own);
    }
    participation[j] = energy ** 2 / squares;
    largestShare[j] = largest / energy;
  }
  return {
    participation,
    largestShare,
    monosemantic: largestShare.filter((share) => share > MONOSEMANTIC).length,
  };
}
