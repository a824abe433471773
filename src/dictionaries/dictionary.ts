/**
 * A trained sparse dictionary, as it is used: encode activations to a few latents, decode latents to activations.
 * It knows nothing of how it was trained or of the model whose activations it reads.
 *
 * Row-vector convention, as SAELens: latent j has pre-activation `(x - b_dec) . W_enc[:, j] + b_enc[j]`, and its
 * decoder row is its feature direction. Both weights are kept with a row for each latent, `[latents, width]`.
 */
import type { Backend, SparseRows } from '../kernels/backend.ts';

/** Which pre-activations become latents: the k largest of each row, or those above a threshold of their own. */
export type Selection =
  | { readonly kind: 'topk'; readonly k: number }
  | { readonly kind: 'threshold'; readonly threshold: Float32Array };

export interface Dictionary {
  /** d_in: the width of the activations. */
  readonly width: number;
  /** d_sae: the number of latents. */
  readonly latents: number;
  /** W_enc transposed, `[latents, width]`. */
  readonly encoderWeight: Float32Array;
  /** b_enc `[latents]` */
  readonly encoderBias: Float32Array;
  /** W_dec `[latents, width]` */
  readonly decoderWeight: Float32Array;
  /** b_dec `[width]`: subtracted before the encoder, added after the decoder. */
  readonly decoderBias: Float32Array;
  readonly selection: Selection;
}

/**
 * Latent activations of `rows` activations `x [rows, width]`. All are > 0: a negative pre-activation that a top-k
 * selection would keep is a zero after the ReLU, and is left out.
 */
export async function encode(
  backend: Backend,
  dictionary: Dictionary,
  x: Float32Array,
  rows: number,
): Promise<SparseRows> {
  const { width, latents, selection } = dictionary;
  const centered = new Float32Array(rows * width);
  await backend.center({ x, center: dictionary.decoderBias, rows, width, scale: 1, out: centered });
  const operands = {
    x: centered,
    rows,
    width,
    weight: dictionary.encoderWeight,
    bias: dictionary.encoderBias,
    columns: latents,
  };
  return selection.kind === 'topk'
    ? backend.encodeTopK({ ...operands, k: selection.k })
    : backend.encodeThreshold({ ...operands, threshold: selection.threshold });
}

/** The reconstruction `codes @ W_dec + b_dec`, `[rows, width]`. */
export async function decode(
  backend: Backend,
  dictionary: Dictionary,
  codes: SparseRows,
  out = new Float32Array(codes.rows * dictionary.width),
): Promise<Float32Array> {
  const { decoderWeight: weight, decoderBias: bias, width } = dictionary;
  await backend.decode({ codes, weight, bias, width, out });
  return out;
}

/**
 * The same dictionary for activations that are `1 / scale` times as large: one trained on `scale * x` reads `x`.
 * Every family here is homogeneous (scaling the input and the biases scales the latents), so the directions stay
 * and only biases and thresholds move; unit decoder rows stay unit rows.
 */
export function foldScale(dictionary: Dictionary, scale: number): Dictionary {
  const shrink = (values: Float32Array) => values.map((value) => value / scale);
  const { selection } = dictionary;
  return {
    ...dictionary,
    encoderBias: shrink(dictionary.encoderBias),
    decoderBias: shrink(dictionary.decoderBias),
    selection:
      selection.kind === 'threshold'
        ? { kind: 'threshold', threshold: shrink(selection.threshold) }
        : selection,
  };
}
