/**
 * The mean and the size of activations, by which they are centred and scaled so that learning rates and
 * thresholds carry over between models and hook points. It must not know how they are trained on.
 */

import { InputError } from '../formats/errors.ts';
import { Random } from '../math/random.ts';
import type { ActivationSource } from './source.ts';

/** Sequences in memory at once. */
const GROUP = 64;

export interface ActivationScale {
  /** `1 / sqrt(E |x|^2)`: activations multiplied by it have a mean squared norm of 1. */
  readonly scale: number;
  /** `E x` of the activations as they are, not scaled: `[width]`. */
  readonly mean: Float32Array;
  /** Rows that the two were measured on. */
  readonly rows: number;
}

/**
 * Measures whole sequences drawn by `seed` until they have `rows` rows, or all sequences where there are fewer: all
 * columns together, or only those from `start` to `end`. Sums are in float64. InputError where all activations are 0.
 */
export async function activationScale(
  source: ActivationSource,
  options: { rows?: number; seed: number; start?: number; end?: number },
): Promise<ActivationScale> {
  const { rows = 65536, seed, start = 0, end = source.width } = options;
  const width = end - start;
  const order = new Random(seed, 'scale').permutation(source.sequences);
  const sum = new Float64Array(width);
  let [squares, seen] = [0, 0];
  for (let i = 0; i < order.length && seen < rows; ) {
    const group: number[] = [];
    for (let planned = seen; i < order.length && planned < rows && group.length < GROUP; i++) {
      group.push(order[i]);
      planned += source.rowsOf(order[i]);
    }
    const { activations, rows: count } = await source.read(group);
    for (let row = 0; row < count; row++) {
      for (let c = 0; c < width; c++) {
        const x = activations[row * source.width + start + c];
        sum[c] += x;
        squares += x * x;
      }
    }
    seen += count;
  }
  if (squares === 0)
    throw new InputError(`activations: all ${seen} rows measured are zero; there is nothing to learn from`);
  return { scale: Math.sqrt(seen / squares), mean: Float32Array.from(sum, (s) => s / seen), rows: seen };
}
