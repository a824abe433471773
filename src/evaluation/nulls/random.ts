/**
 * A dictionary that learned nothing, for the numbers of a trained one to be held against. A null must be given every
 * advantage that does not need learning, or beating it means little.
 */
import type { Dictionary } from '../../dictionaries/dictionary.ts';
import type { Backend } from '../../kernels/backend.ts';
import { Random } from '../../math/random.ts';
import { withBestGain } from './gain.ts';

/**
 * Random unit decoder rows, read by their own inner products with `x - mean`, k of them active on each token, and
 * one gain for all that is best for `x [rows, width]` in the least-squares sense. Same width and L0 as the trained
 * dictionary; after the random controls of Heap et al. 2025 (arXiv 2501.17727) and of Korznikov et al. 2026
 * (arXiv 2602.14111).
 */
export async function randomDictionary(
  backend: Backend,
  shape: { latents: number; k: number; seed: number },
  mean: Float32Array,
  x: Float32Array,
  rows: number,
): Promise<Dictionary> {
  const { latents, k, seed } = shape;
  const width = mean.length;
  const decoderWeight = new Float32Array(latents * width);
  new Random(seed, 'random dictionary').fillNormal(decoderWeight, 1);
  await backend.unitRows({ weight: decoderWeight, rows: latents, width });
  const plain: Dictionary = {
    width,
    outputWidth: width,
    latents,
    encoderWeight: decoderWeight,
    encoderBias: new Float32Array(latents),
    decoderWeight,
    decoderBias: mean,
    inputBias: mean,
    selection: { kind: 'topk', k },
  };
  return withBestGain(backend, plain, x, rows);
}
