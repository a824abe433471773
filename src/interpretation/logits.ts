/**
 * What a latent says about the next token if only the unembedding follows: the logit lens on decoder rows
 * (nostalgebraist, "interpreting GPT: the logit lens", 2020). It leaves out the layers in between and the final
 * norm's scale, so it orders tokens; it does not give their probabilities.
 */
import type { Dictionary } from '../dictionaries/dictionary.ts';
import type { Backend, SparseRows } from '../kernels/backend.ts';

export interface TokenLogits {
  /** Token ids, furthest from the mean first. */
  readonly tokens: Uint32Array;
  /** Logit for a latent of activation 1, less the mean over the vocabulary. */
  readonly logits: Float32Array;
}

/**
 * For each latent the `count` tokens that its decoder row promotes and suppresses most. `unembedding
 * [vocabulary, width]`, its mean row taken off here: a logit that all tokens share changes no probability.
 * The products are selected as they are made; latents x vocabulary is never written.
 */
export async function tokenLogits(
  backend: Backend,
  dictionary: Dictionary,
  unembedding: Float32Array,
  count: number,
): Promise<{ promoted: TokenLogits[]; suppressed: TokenLogits[] }> {
  const { outputWidth: width, latents, decoderWeight } = dictionary;
  const vocabulary = unembedding.length / width;
  const mean = new Float64Array(width);
  await backend.columnSum({ m: unembedding, rows: vocabulary, width, out: mean });
  const center = Float32Array.from(mean, (sum) => sum / vocabulary);
  const weight = new Float32Array(unembedding.length);
  await backend.center({ x: unembedding, center, rows: vocabulary, width, scale: 1, out: weight });
  const strongest = (x: Float32Array) =>
    backend.encodeTopK({
      x,
      rows: latents,
      width,
      weight,
      bias: new Float32Array(vocabulary),
      columns: vocabulary,
      k: count,
    });
  const promoted = perRow(await strongest(decoderWeight), 1);
  const suppressed = perRow(await strongest(decoderWeight.map((value) => -value)), -1);
  return { promoted, suppressed };
}

function perRow(codes: SparseRows, sign: number): TokenLogits[] {
  return Array.from({ length: codes.rows }, (_, r) => {
    const entries = Array.from(
      { length: codes.offsets[r + 1] - codes.offsets[r] },
      (_, i) => codes.offsets[r] + i,
    );
    entries.sort((a, b) => codes.values[b] - codes.values[a] || a - b);
    return {
      tokens: Uint32Array.from(entries, (e) => codes.indices[e]),
      logits: Float32Array.from(entries, (e) => sign * codes.values[e]),
    };
  });
}
