/** What a toy model's weights are before training. It must not know how they are trained. */

import { Random } from '../../math/random.ts';
import type { ToyArchitecture, ToyModel } from './model.ts';

/**
 * `xavier`: normals of variance `2 / (fan_in + fan_out)` (Glorot and Bengio 2010), the fans those that PyTorch takes of the
 * notebook's tensors of three dimensions: n m and K m for W_in `[K, n, m]`, m n and K n for W_out `[K, m, n]`, of K instances.
 * `scaled`: normals of variance `1 / m`, rows of norm about 1, as Liu et al. 2025 (arXiv 2505.10465) begin. Biases are 0.
 * (Liu et al. draw them too; after 2,500 steps, overlaps were still half as large again for it.)
 */
export type ToyInitialisation = 'xavier' | 'scaled';

/** Weights of instance k from the stream `(seeds[k], 'toy model', 'weights')`: the same whatever the other instances' seeds. */
export function initialToyModel(
  architecture: ToyArchitecture,
  seeds: readonly number[],
  initialisation: ToyInitialisation,
): ToyModel {
  const { features: n, hidden: m, tied, biased } = architecture;
  const instances = seeds.length;
  const xavier = initialisation === 'xavier';
  const encoderSd = Math.sqrt(xavier ? 2 / (n * m + instances * m) : 1 / m);
  const decoderSd = Math.sqrt(xavier ? 2 / (m * n + instances * n) : 1 / m);
  const encoder = new Float32Array(instances * n * m);
  const decoder = new Float32Array(tied ? 0 : encoder.length);
  const bias = new Float32Array(biased ? instances * n : 0);
  seeds.forEach((seed, k) => {
    const random = new Random(seed, 'toy model', 'weights');
    const part = (array: Float32Array, length: number) => array.subarray(k * length, (k + 1) * length);
    random.fillNormal(part(encoder, n * m), encoderSd);
    random.fillNormal(part(decoder, n * m), decoderSd);
  });
  return { architecture, instances, encoder, ...(!tied && { decoder }), ...(biased && { bias }) };
}
