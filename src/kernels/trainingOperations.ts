/**
 * The operations of a training step after its encoder, a part of `Backend`; conventions and sparse types are those of
 * `backend.ts`. Gradients of the two weights are not kept unless they are small: they are formed a latent at a time from
 * the entries of the batch, once to measure them and once to step along them, so a step needs no array of the
 * parameters' shape.
 *
 * What a family of dictionaries supplies is the entries (its selection) and, for each of them, two coefficients:
 * `values`, what it adds of the output's gradient to its latent's decoder row, and `preGradients`, what it adds of the
 * input to its encoder row. TopK's `preGradients` are `valueGradients`; a penalty on activations is one more summand of
 * them. Several outputs, as of nested dictionaries, are several parts. What all rows of a latent have in common, a
 * penalty on the norm of its decoder row for one, is a number for each latent. Parameters of a kind of their own, one
 * for each latent, are stepped by `stepArray`.
 */
import type { ColumnOrder, SparseRows } from './backend.ts';

/** Entries of one selection, and how the loss changes with them. */
export interface EntryGradients {
  /** `[entries]`, in the order of the `SparseRows`, as the next two. */
  readonly values: Float32Array;
  /** `<outputGradient[row], W_dec[latent]>` of each entry: the `dots` of `reconstruct`. */
  readonly valueGradients: Float32Array;
  /** Gradient of each entry's pre-activation, `[entries]`. */
  readonly preGradients: Float32Array;
  /** Of the rows that the entries were decoded to, `[rows, outputWidth]`. */
  readonly outputGradient: Float32Array;
  readonly order: ColumnOrder;
  /** The entries add nothing to the decoder's gradient: they were decoded by a frozen copy of it. */
  readonly frozenDecoder?: boolean;
  /** `preGradients` add nothing to the encoder bias's gradient: the family has a bias of its own for them. */
  readonly ownBias?: boolean;
}

/**
 * What the gradients of the latents' parameters follow from; `e` runs over the entries of latent j, in the order of
 * the parts, and within a part in that of the rows:
 *
 *   dL/dW_enc[j] = sum_e preGradients[e] input[row of e] + everyRow.coefficients[j] everyRow.inputSum
 *   dL/db_enc[j] = sum_e preGradients[e]                 + everyRow.coefficients[j] rows
 *   dL/dW_dec[j] = sum_e values[e] outputGradient[row of e], and in each block b of its columns
 *                  + alongDecoder.coefficients[j, b] W_dec[j, b]
 */
export interface LatentGradientOperands {
  readonly rows: number;
  readonly latents: number;
  /** Of the input. */
  readonly width: number;
  /** Of what is decoded; `width` in an autoencoder. */
  readonly outputWidth: number;
  /** What the encoder multiplied, `[rows, width]`. */
  readonly input: Float32Array;
  /** `[latents, width]` */
  readonly encoderWeight: Float32Array;
  /** `[latents, outputWidth]` */
  readonly decoderWeight: Float32Array;
  /** Decoder rows have unit norm, and keep it: what would lengthen them is no part of the gradient. */
  readonly unitDecoder: boolean;
  /** At least one. */
  readonly parts: readonly EntryGradients[];
  /** A gradient that the pre-activation of a latent has at every row: `coefficients [latents]`, `inputSum [width]`. */
  readonly everyRow?: { readonly coefficients: Float32Array; readonly inputSum: Float32Array };
  /**
   * Gradient along the decoder row itself, by blocks of columns that are normed apart (one block where there is one
   * output): `coefficients [latents, blocks]`; block b is columns `bounds[b] .. bounds[b + 1]`. Only without
   * `unitDecoder`.
   */
  readonly alongDecoder?: { readonly coefficients: Float32Array; readonly bounds: Uint32Array };
  /**
   * Room for the gradients of both weights, `[latents, width + outputWidth]`, where that is so little that forming them
   * twice would take longer: `measureLatentGradients` may leave there what `updateLatents` of the same operands, the
   * next to be given this array, then reads.
   */
  readonly kept?: Float32Array;
}

/** An array that is trained, with what the optimiser remembers of it. */
export interface Trained {
  readonly parameter: Float32Array;
  /** Adam's first moment; signum's `z`. */
  readonly m: Float32Array;
  /** Adam's second moment; empty for signum. */
  readonly v: Float32Array;
}

/**
 * Adam (Kingma and Ba 2015, algorithm 1), at step t, for `g' = gradientScale * g`:
 * `m = b1 m + (1 - b1) g'; v = b2 v + (1 - b2) g'^2; p -= rate * (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + epsilon)`.
 * Numbers below 1.2e-38 may be taken for zero.
 */
export interface AdamOptions {
  readonly kind: 'adam';
  /** From 1. */
  readonly step: number;
  readonly rate: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  /** Gradients are multiplied by it first. */
  readonly gradientScale: number;
}

/**
 * Steps along the sign of the gradient, averaged without a schedule (Defazio et al. 2024, arXiv 2405.15682, around the
 * sign as Bernstein et al. 2018 have it), at step t with c = 1 / t: the parameter is `y = (1 - momentum) z + momentum x`,
 * at which the gradient is taken, and `x` is what is used in the end:
 * `x = (y - (1 - momentum) z) / momentum; z -= rate * sign(g); x = (1 - c) x + c z; y = (1 - momentum) z + momentum x`,
 * with sign(0) = 0. z begins as y.
 */
export interface SignumOptions {
  readonly kind: 'signum';
  /** From 1. */
  readonly step: number;
  readonly rate: number;
  readonly momentum: number;
}

export type Optimiser = AdamOptions | SignumOptions;

export interface TrainingOperations {
  /** An array of zeros that lies in memory as this backend reads it fastest. Synchronous. Any other array is as good. */
  allocate(length: number): Float32Array;

  /**
   * `out = scale * x - center`, `sums[i] = sum_r out[r,i]`. Resolves to the sum of squares of `out`.
   * `x, out [rows, width]`, `center, sums [width]`; `out` may be `x`.
   */
  shift(op: {
    x: Float32Array;
    scale: number;
    center: Float32Array;
    rows: number;
    width: number;
    out: Float32Array;
    sums: Float64Array;
  }): Promise<number>;

  /**
   * Decodes and propagates back, with `error = codes @ weight - targetFactor * target`: `out = scale * error`,
   * `sums[i] = sum_r out[r,i]`, and `dots[e] = <out[row of e], weight[column of e]>` for each entry e. Resolves to the
   * sum of squares of `error`, and the smallest of the codes' values (infinity where there are none).
   * `target, out [rows, width]`, `weight [columns, width]`, `dots [entries]`, `sums [width]`.
   */
  reconstruct(op: {
    codes: SparseRows;
    weight: Float32Array;
    target: Float32Array;
    targetFactor: number;
    scale: number;
    width: number;
    out: Float32Array;
    dots: Float32Array;
    sums: Float64Array;
  }): Promise<{ squares: number; smallest: number }>;

  /** `out[e] = <m[row of e], weight[column of e]>` for each entry e: `m [rows, width]`, `weight [columns, width]`. */
  dots(op: {
    codes: SparseRows;
    weight: Float32Array;
    m: Float32Array;
    width: number;
    out: Float32Array;
  }): Promise<void>;

  /** `out [aWidth, bWidth] = a^T b`: `a [rows, aWidth]`, `b [rows, bWidth]`. */
  transposedProduct(op: {
    a: Float32Array;
    b: Float32Array;
    rows: number;
    aWidth: number;
    bWidth: number;
    out: Float32Array;
  }): Promise<void>;

  /**
   * Sorts the entries by column (stable in the row), so that gradients are summed in one order always. May write the
   * result's arrays `[entries]` to those of `room`.
   */
  sortByColumn(
    codes: SparseRows,
    columns: number,
    room?: Pick<ColumnOrder, 'rows' | 'entries'>,
  ): Promise<ColumnOrder>;

  /** Writes the gradients down, in arrays of the parameters' shape: the exact version of what the next two fuse. */
  latentGradients(
    op: LatentGradientOperands & {
      out: { encoderWeight: Float32Array; encoderBias: Float32Array; decoderWeight: Float32Array };
    },
  ): Promise<void>;

  /**
   * Resolves to the sum of squares of the gradient that `updateLatents` steps along.
   * `throughInput[i] = sum_j g[j] W_enc[j,i]`, what the loss gains with the encoder's input `[width]`; g is `dL/db_enc`
   * with the entries of `ownBias` too.
   */
  measureLatentGradients(op: LatentGradientOperands & { throughInput: Float64Array }): Promise<number>;

  /**
   * `latentGradients`; then the optimiser on the three arrays. With `unitDecoder` less the part of each decoder row's
   * gradient g along the row w, `g - <g, w> w`, for a unit row can only turn, and what would lengthen it must not enter
   * the moments; and `unitRows` in the end. All while a latent's rows are in the cache. The parameters are the
   * `encoderWeight` and `decoderWeight` that the gradients follow from.
   */
  updateLatents(
    op: LatentGradientOperands & {
      optimiser: Optimiser;
      trained: { encoderWeight: Trained; encoderBias: Trained; decoderWeight: Trained };
    },
  ): Promise<void>;

  /** The optimiser in place, on one array. */
  stepArray(op: { optimiser: Optimiser; trained: Trained; gradient: Float32Array }): Promise<void>;

  /** Scales each row to unit L2 norm; a zero row stays. */
  unitRows(op: { weight: Float32Array; rows: number; width: number }): Promise<void>;
}
