/**
 * Weights as they are before any training: what a dictionary finds in such a model, the architecture and the
 * text put there, not learning. It must not know what the weights are compared with.
 */

import { Random } from '../math/random.ts';
import type { TransformerConfig, TransformerWeights } from './architecture.ts';

/**
 * As llama2.c starts its training (model.py, `_init_weights`): normal with deviation 0.02, but
 * `0.02 / sqrt(2 layers)` for o and up; gains 1; embedding and unembedding are one. Each array has a random
 * stream of its own.
 */
export function initialWeights(config: TransformerConfig, seed: number): TransformerWeights {
  const { layers, width, mlpWidth, vocabulary } = config;
  const sd = 0.02;
  const residualSd = sd / Math.sqrt(2 * layers);
  const normal = (label: string, size: number, deviation = sd): Float32Array => {
    const values = new Float32Array(size);
    new Random(seed, 'initialise', label).fillNormal(values, deviation);
    return values;
  };
  const gains = (): Float32Array => new Float32Array(width).fill(1);
  return {
    embedding: normal('embedding', vocabulary * width),
    normFinal: gains(),
    blocks: Array.from({ length: layers }, (_, layer) => ({
      normAttention: gains(),
      q: normal(`${layer}.q`, width * width),
      k: normal(`${layer}.k`, width * width),
      v: normal(`${layer}.v`, width * width),
      o: normal(`${layer}.o`, width * width, residualSd),
      normMlp: gains(),
      gate: normal(`${layer}.gate`, mlpWidth * width),
      up: normal(`${layer}.up`, mlpWidth * width, residualSd),
      down: normal(`${layer}.down`, width * mlpWidth),
    })),
  };
}
