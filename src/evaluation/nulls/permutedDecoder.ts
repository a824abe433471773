/**
 * A trained dictionary whose latents fire as they did and mean each other's directions: what of a number comes from firing
 * patterns and from the set of directions, without the one belonging to the other. A control of the reliability audit of
 * SAEBench (Chanin 2026, arXiv 2605.18229).
 */
import type { Dictionary } from '../../dictionaries/dictionary.ts';
import type { Backend } from '../../kernels/backend.ts';
import { Random } from '../../math/random.ts';
import { withBestGain } from './gain.ts';

/**
 * `dictionary` with its decoder rows permuted in one random cycle, so that none stays where it was, and the gain that is
 * best for `x [rows, width]`. RangeError for a dictionary that encodes by its decoder, which would only be renumbered.
 */
export async function permutedDecoder(
  backend: Backend,
  dictionary: Dictionary,
  seed: number,
  x: Float32Array,
  rows: number,
): Promise<Dictionary> {
  const { latents, outputWidth, decoderWeight, selection } = dictionary;
  if (selection.kind === 'pursuit')
    throw new RangeError('selection pursuit: it encodes by its decoder, so permuting that changes nothing');
  const cycle = new Random(seed, 'permuted decoder').permutation(latents);
  const permuted = new Float32Array(decoderWeight.length);
  for (let i = 0; i < latents; i++) {
    const [from, to] = [cycle[i], cycle[(i + 1) % latents]];
    permuted.set(decoderWeight.subarray(from * outputWidth, (from + 1) * outputWidth), to * outputWidth);
  }
  return withBestGain(backend, { ...dictionary, decoderWeight: permuted }, x, rows);
}
