/**
 * A trained sparse dictionary, as it is used: encode activations to a few latents, decode latents to activations.
 * It knows nothing of how it was trained or of the model whose activations it reads.
 *
 * Row-vector convention, as SAELens: latent j has pre-activation `(n(x) - inputBias) . W_enc[:, j] + b_enc[j]`, and its
 * decoder row is its feature direction. Both weights are kept with a row for each latent.
 */
import type { Backend, SparseRows } from '../kernels/backend.ts';
import { denormalise, denormaliseChange, type Normalisation, normalise } from './normalisation.ts';
import { pursue } from './pursuit.ts';

/**
 * Which pre-activations become latents. All but `absTopK` are followed by a ReLU.
 * - `topk`: the k largest of each row.
 * - `absTopK`: the k of largest magnitude, with their sign.
 * - `groupMax`: the largest of each of k equal runs of latents.
 * - `threshold`: those above a threshold of their own `[latents]`; ReLU where it is 0.
 * - `pursuit`: one at a time, the one that explains most of what is left; see `pursuit.ts`.
 */
export type Selection =
  | { readonly kind: 'topk' | 'absTopK' | 'groupMax'; readonly k: number }
  | { readonly kind: 'threshold'; readonly threshold: Float32Array }
  | Pursuit;

/**
 * Matching pursuit stops after `most` rounds, where the norm of what is left is below `residual`, or, unless
 * `mayRepeat`, with a latent that was taken before.
 */
export interface Pursuit {
  readonly kind: 'pursuit';
  readonly most: number;
  readonly residual: number;
  readonly mayRepeat?: boolean;
}

export interface Dictionary {
  /** d_in: the width of the activations that are read. */
  readonly width: number;
  /** The width of what is reconstructed: d_in, or d_out of a transcoder. */
  readonly outputWidth: number;
  /** d_sae: the number of latents. */
  readonly latents: number;
  /** W_enc transposed, `[latents, width]`. */
  readonly encoderWeight: Float32Array;
  /** b_enc `[latents]` */
  readonly encoderBias: Float32Array;
  /** W_dec `[latents, outputWidth]` */
  readonly decoderWeight: Float32Array;
  /** b_dec `[outputWidth]`, added after the decoder. */
  readonly decoderBias: Float32Array;
  /** Subtracted before the encoder, `[width]`: b_dec again in most autoencoders, nothing in transcoders. */
  readonly inputBias?: Float32Array;
  /** W_skip `[outputWidth, width]`: a linear path beside the latents, of skip transcoders. */
  readonly skip?: Float32Array;
  /** What is done to each activation before all else, and undone to the output. */
  readonly normalisation?: Normalisation;
  readonly selection: Selection;
}

/** Latent activations of `rows` activations `x [rows, width]`; all > 0 but for `absTopK`. */
export async function encode(
  backend: Backend,
  dictionary: Dictionary,
  x: Float32Array,
  rows: number,
): Promise<SparseRows> {
  const { width, latents, inputBias, selection, normalisation } = dictionary;
  let input = normalisation ? normalise(normalisation, x, rows, width) : x;
  if (inputBias) {
    const centered = new Float32Array(rows * width);
    await backend.center({ x: input, center: inputBias, rows, width, scale: 1, out: centered });
    input = centered;
  }
  const operands = {
    x: input,
    rows,
    width,
    weight: dictionary.encoderWeight,
    bias: dictionary.encoderBias,
    columns: latents,
  };
  switch (selection.kind) {
    case 'topk':
      return backend.encodeTopK({ ...operands, k: selection.k });
    case 'absTopK':
      return backend.encodeAbsTopK({ ...operands, k: selection.k });
    case 'groupMax':
      return backend.encodeGroupMax({ ...operands, groups: selection.k });
    case 'threshold': {
      // A negative threshold lets nothing more through than 0 does: the ReLU comes after it.
      const threshold = selection.threshold.map((value) => Math.max(0, value));
      return backend.encodeThreshold({ ...operands, threshold });
    }
    case 'pursuit':
      return (await pursue(backend, dictionary.decoderWeight, selection, input, rows)).codes;
  }
}

/**
 * The reconstruction `codes @ W_dec + b_dec`, `[rows, outputWidth]`, of the activations `x [rows, width]` that the codes
 * are of, which only a skip path or a normalisation looks at.
 */
export async function decode(
  backend: Backend,
  dictionary: Dictionary,
  codes: SparseRows,
  x: Float32Array,
): Promise<Float32Array> {
  const { decoderWeight: weight, decoderBias: bias, width, outputWidth, normalisation } = dictionary;
  const { rows } = codes;
  const out = new Float32Array(rows * outputWidth);
  await backend.decode({ codes, weight, bias, width: outputWidth, out });
  if (dictionary.skip) {
    const through = new Float32Array(rows * outputWidth);
    const skip = backend.pack(dictionary.skip, outputWidth, width);
    await backend.linear({ x, rows, weight: skip, out: through });
    await backend.add({ a: out, b: through, out });
  }
  if (normalisation) denormalise(normalisation, x, rows, width, out);
  return out;
}

/**
 * What `decode` moves by, `[rows, outputWidth]`, where codes of `x` move by `change`: `change @ W_dec`, and the normalisation
 * undone. A row without a change is exactly 0.
 */
export async function decodeChange(
  backend: Backend,
  dictionary: Dictionary,
  change: SparseRows,
  x: Float32Array,
): Promise<Float32Array> {
  const { decoderWeight: weight, width, outputWidth, normalisation } = dictionary;
  const out = new Float32Array(change.rows * outputWidth);
  const bias = new Float32Array(outputWidth);
  await backend.decode({ codes: change, weight, bias, width: outputWidth, out });
  if (normalisation) denormaliseChange(normalisation, x, change.rows, width, out);
  return out;
}

/**
 * The same dictionary for activations that are `1 / scale` times as large, and targets `1 / outputScale` times: one
 * trained on `scale * x` reads `x`. Scaling the input and the biases scales the latents, so the directions stay and only
 * biases and thresholds move; where output and input scale apart, decoder rows take up the quotient.
 */
export function foldScale(dictionary: Dictionary, scale: number, outputScale = scale): Dictionary {
  if (dictionary.normalisation) throw new RangeError('normalisation: such a dictionary has no scale to fold');
  const by = (factor: number, values: Float32Array) =>
    factor === 1 ? values : values.map((value) => value * factor);
  const { selection, inputBias, skip } = dictionary;
  return {
    ...dictionary,
    encoderBias: by(1 / scale, dictionary.encoderBias),
    decoderWeight: by(scale / outputScale, dictionary.decoderWeight),
    decoderBias: by(1 / outputScale, dictionary.decoderBias),
    ...(inputBias && { inputBias: by(1 / scale, inputBias) }),
    ...(skip && { skip: by(scale / outputScale, skip) }),
    selection: scaleSelection(selection, 1 / scale),
  };
}

/**
 * The same dictionary for activations whose columns are `1 / inputScales[i]` times as large, and outputs likewise: what
 * `foldScale` does for one scale, column by column. Latents stay as they are.
 */
export function foldColumns(
  dictionary: Dictionary,
  inputScales: ArrayLike<number>,
  outputScales: ArrayLike<number>,
): Dictionary {
  const { inputBias, skip, width, outputWidth } = dictionary;
  const column = (values: Float32Array, factor: (i: number) => number, of: number) =>
    values.map((value, at) => value * factor(at % of));
  const into = (i: number) => inputScales[i];
  const backOut = (i: number) => 1 / outputScales[i];
  return {
    ...dictionary,
    encoderWeight: column(dictionary.encoderWeight, into, width),
    decoderWeight: column(dictionary.decoderWeight, backOut, outputWidth),
    decoderBias: column(dictionary.decoderBias, backOut, outputWidth),
    ...(inputBias && { inputBias: column(inputBias, (i) => 1 / inputScales[i], width) }),
    ...(skip && {
      skip: skip.map((value, at) => (value * into(at % width)) / outputScales[Math.floor(at / width)]),
    }),
  };
}

function scaleSelection(selection: Selection, factor: number): Selection {
  switch (selection.kind) {
    case 'threshold':
      return { ...selection, threshold: selection.threshold.map((value) => value * factor) };
    case 'pursuit':
      return { ...selection, residual: selection.residual * factor };
    default:
      return selection;
  }
}
