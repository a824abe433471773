/**
 * The narrow waist of monosem: every operation on large arrays that the rooms below need, and nothing else.
 *
 * Two connectors implement it: `reference.ts`, plain TypeScript, slow and easy to check by eye, and
 * `native.ts`, the C++ addon. They agree to rounding, and each gives the same bytes for any number of threads.
 * This room knows arrays and shapes; it must not know what a model, a latent or a dictionary is for.
 *
 * Conventions: all matrices are row-major `Float32Array`s. A weight `[outputs, inputs]` has a row for each
 * output. Operations write into `out`, which must not overlap an input unless its comment allows it. Arrays
 * given to an operation must not be touched until its promise settles. A shape that does not fit is refused
 * with a `RangeError` that names the array.
 */
import type { FiringOperations } from './firingOperations.ts';
import type { ToyOperations } from './toyOperations.ts';
import type { TrainingOperations } from './trainingOperations.ts';

/** A weight `[outputs, inputs]` in the layout that a backend's `linear` reads; made by `pack`. */
export interface PackedMatrix {
  readonly outputs: number;
  readonly inputs: number;
  /** Of products with it. */
  readonly precision: Precision;
  /** The backend's own layout: only the backend that packed it can read it. Uint16Array holds bfloat16. */
  readonly data: Float32Array | Uint16Array;
}

/**
 * Weights of a decoder's block, width d: `q, k, v, o [d, d]`, `gate, up [mlpWidth, d]`, `down [d, mlpWidth]`; rows of q
 * and k in the order of interleaved rotary pairs.
 */
export type PackedBlock = Readonly<Record<'q' | 'k' | 'v' | 'o' | 'gate' | 'up' | 'down', PackedMatrix>>;

/**
 * A sparse matrix `[rows, latents]` by rows (CSR). Row r holds the entries `offsets[r] .. offsets[r+1]`,
 * by ascending column. All values are > 0 where the operation that made it does not say otherwise.
 */
export interface SparseRows {
  readonly rows: number;
  /** `[rows + 1]` */
  readonly offsets: Uint32Array;
  /** Column of each entry, `[entries]`. */
  readonly indices: Uint32Array;
  /** Value of each entry, `[entries]`. */
  readonly values: Float32Array;
}

/** The entries of a `SparseRows` sorted by column, rows ascending within a column (CSC without the values). */
export interface ColumnOrder {
  readonly columns: number;
  /** `[columns + 1]` */
  readonly offsets: Uint32Array;
  /** Row of each entry, `[entries]`. */
  readonly rows: Uint32Array;
  /** Where the entry stands in the `SparseRows`, `[entries]`. */
  readonly entries: Uint32Array;
}

/** Operands of an encoder: pre-activations are `x @ weight^T + bias`, of which the select operations keep some. */
export interface EncodeOperands {
  /** `[rows, width]` */
  readonly x: Float32Array;
  readonly rows: number;
  readonly width: number;
  /** `[columns, width]` */
  readonly weight: Float32Array;
  /** `[columns]` */
  readonly bias: Float32Array;
  readonly columns: number;
  /** Where given, only these columns (ascending) take part; indices in the result stay those of `weight`. */
  readonly subset?: Uint32Array;
  /** `fp32` where absent. */
  readonly precision?: Precision;
  /** Where the entries of the result may be written, if they fit: arrays of one length that nobody reads any more. */
  readonly room?: { readonly indices: Uint32Array; readonly values: Float32Array };
}

/**
 * What the operands of a dense product may be rounded to. `bf16` is leave to round to bfloat16, which a backend takes
 * where its instruction set has units for that; sums are float32 always. `fp32` is a promise: results, and what a
 * selection chooses, are those of float32.
 */
export type Precision = 'fp32' | 'bf16';

/**
 * `relu`: `max(x, 0)`. `silu`: `x sigmoid(x)`. `gelu`: `x (1 + erf(x / sqrt 2)) / 2`, and `geluTanh`, its approximation
 * `x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2`; both Hendrycks and Gimpel 2016.
 */
export type Activation = 'relu' | 'silu' | 'gelu' | 'geluTanh' | 'tanh';

/** Keys and values of sequences at the positions so far; made by `createCache`, filled by `decoderStep`. */
export interface KeyValueCache {
  readonly blocks: number;
  readonly batch: number;
  readonly capacity: number;
  readonly heads: number;
  readonly headWidth: number;
  readonly precision: Precision;
  /** The backend's own layout: only the backend that made it can read it. */
  readonly data: Float32Array | Uint8Array;
}

export interface Backend extends TrainingOperations, FiringOperations, ToyOperations {
  readonly name: 'native' | 'reference';
  /** For example `avx512`, `avx2`, `baseline`; `javascript` for the reference. */
  readonly instructionSet: string;
  readonly threads: number;
  /** `bf16` where the instruction set has units for it. */
  readonly fastestPrecision: Precision;

  // ---- Dense -------------------------------------------------------------------------------------------

  /** Lays `weight [outputs, inputs]` out for `linear`, in `fp32` where not said. Synchronous; done once for each weight. */
  pack(weight: Float32Array, outputs: number, inputs: number, precision?: Precision): PackedMatrix;

  /** `out [rows, outputs] = activation(x [rows, inputs] @ weight^T + bias)`; `bias [outputs]`, both where given. */
  linear(op: {
    x: Float32Array;
    rows: number;
    weight: PackedMatrix;
    bias?: Float32Array;
    activation?: Activation;
    out: Float32Array;
  }): Promise<void>;

  /**
   * `second[g, j] += sum p^2` and `fourth[g, j] += sum p^4` over the rows of group g, `p = <x[r], weight[j]>`, of which
   * rows x outputs is never written. `x [rows, inputs]`, `group [rows]`, `second, fourth [groups, outputs]`. Sums of some
   * neighbouring rows of a group may be float32.
   */
  addMoments(op: {
    x: Float32Array;
    rows: number;
    weight: PackedMatrix;
    group: Uint32Array;
    second: Float64Array;
    fourth: Float64Array;
  }): Promise<void>;

  /** `out = a + b`, elementwise; `out` may be `a` or `b`. */
  add(op: { a: Float32Array; b: Float32Array; out: Float32Array }): Promise<void>;

  // ---- Transformer -------------------------------------------------------------------------------------

  /**
   * `scale[r] = sqrt(mean_i x[r,i]^2 + epsilon)`, `out = x / scale`: RMSNorm without its gain, which models
   * fold into the weights that follow. `x, out [rows, width]`, `scale [rows]`. Zhang and Sennrich 2019.
   */
  rmsNorm(op: {
    x: Float32Array;
    rows: number;
    width: number;
    epsilon: number;
    scale: Float32Array;
    out: Float32Array;
  }): Promise<void>;

  /**
   * `scale[r] = sqrt(mean_i (x[r,i] - mean x[r])^2 + epsilon)`, `out = (x - mean x[r]) / scale`: LayerNorm without its
   * gain and bias, which models fold into the weights that follow. Shapes as in `rmsNorm`. Ba et al. 2016.
   */
  layerNorm(op: {
    x: Float32Array;
    rows: number;
    width: number;
    epsilon: number;
    scale: Float32Array;
    out: Float32Array;
  }): Promise<void>;

  /** `out[r] = table[indices[r]]`: `table [any, width]`, `out [indices.length, width]`. */
  takeRows(op: { table: Float32Array; width: number; indices: Int32Array; out: Float32Array }): Promise<void>;

  /**
   * Rotary position embedding on interleaved pairs (2i, 2i+1) of each head: Su et al. 2021. Row r stands at
   * position `start + r % length`. `x, out [rows, heads * headWidth]`; `cos, sin [positions, headWidth / 2]`;
   * `out` may be `x`.
   */
  rotary(op: {
    x: Float32Array;
    rows: number;
    length: number;
    start: number;
    heads: number;
    headWidth: number;
    cos: Float32Array;
    sin: Float32Array;
    out: Float32Array;
  }): Promise<void>;

  /**
   * Causal attention, `z = softmax(q k^T / sqrt(headWidth), over keys up to the query) v`, without keeping the
   * pattern. `q, k, v, out [batch * length, heads * headWidth]`, heads side by side in a row. `fp32` where no
   * precision is given.
   */
  attention(op: {
    q: Float32Array;
    k: Float32Array;
    v: Float32Array;
    batch: number;
    length: number;
    heads: number;
    headWidth: number;
    precision?: Precision;
    out: Float32Array;
  }): Promise<void>;

  /**
   * Blocks of a decoder, one after another, in place, from position 0 on:
   * `x += o(attention(rotary(q(n)), rotary(k(n)), v(n)))`, `x += down(silu(gate(n)) * up(n))`, with `n = rmsNorm(x)` for
   * each line. The same bits as from the operations one by one, without their arrays. All weights in one precision,
   * which is attention's too. `residual [batch * length, heads * headWidth]`; `cos, sin [length, headWidth / 2]`.
   */
  decoderBlocks(op: {
    residual: Float32Array;
    batch: number;
    length: number;
    heads: number;
    headWidth: number;
    mlpWidth: number;
    epsilon: number;
    cos: Float32Array;
    sin: Float32Array;
    blocks: readonly PackedBlock[];
  }): Promise<void>;

  /** `out = gate * sigmoid(gate) * up`, elementwise; `out` may be `gate` or `up`. SwiGLU, Shazeer 2020. */
  swiglu(op: { gate: Float32Array; up: Float32Array; out: Float32Array }): Promise<void>;

  /**
   * An empty cache of the keys and values of `batch` sequences, up to `capacity` positions of each, in `blocks` blocks.
   * Synchronous. Where `precision` is `bf16` they may be rounded to bfloat16, as the operands of attention that they are.
   */
  createCache(shape: {
    blocks: number;
    batch: number;
    capacity: number;
    heads: number;
    headWidth: number;
    precision: Precision;
  }): KeyValueCache;

  /**
   * `decoderBlocks` for one position of each sequence, the earlier ones in the cache, to which this one is added.
   * `residual [batch, heads * headWidth]`, in place; `cos, sin [more than position, headWidth / 2]`. All weights in the
   * precision of the cache. A sequence's result depends on no other sequence.
   */
  decoderStep(op: {
    residual: Float32Array;
    cache: KeyValueCache;
    position: number;
    mlpWidth: number;
    epsilon: number;
    cos: Float32Array;
    sin: Float32Array;
    blocks: readonly PackedBlock[];
  }): Promise<void>;

  // ---- Unembedding: logits are x @ weight^T, of which rows x vocabulary is never written -----------------

  /** `out[r] = logsumexp(logits[r]) - logits[r, targets[r]]`, in nats. `x [rows, inputs]`. */
  crossEntropy(op: {
    x: Float32Array;
    rows: number;
    weight: PackedMatrix;
    targets: Int32Array;
    out: Float32Array;
  }): Promise<void>;

  /**
   * `kl[r] = KL(softmax(logits of clean[r]) || softmax(logits of other[r]))`, and the `crossEntropy` of other, in nats;
   * both in one pass over the weight. `clean, other [rows, inputs]`.
   */
  divergence(op: {
    clean: Float32Array;
    other: Float32Array;
    rows: number;
    weight: PackedMatrix;
    targets: Int32Array;
    kl: Float32Array;
    crossEntropy: Float32Array;
  }): Promise<void>;

  /**
   * Draws `out[r]` from `softmax(logits[r] / temperature)` by inverting the cumulative sum at
   * `uniforms[r]` in [0, 1). Temperature 0 takes the largest logit, the first of equals. A row's draw depends on no
   * other row.
   */
  sample(op: {
    x: Float32Array;
    rows: number;
    weight: PackedMatrix;
    temperature: number;
    uniforms: Float32Array;
    out: Int32Array;
  }): Promise<void>;

  // ---- Encode and select: rows x columns is never written ------------------------------------------------

  /** Keeps of each row the `k` largest pre-activations that are > 0; of equal ones the lower column. */
  encodeTopK(op: EncodeOperands & { k: number }): Promise<SparseRows>;

  /** Keeps of the whole batch the `total` largest pre-activations that are > 0; of equal ones the lower row, then the lower column. */
  encodeBatchTopK(op: EncodeOperands & { total: number }): Promise<SparseRows>;

  /** Keeps of each row the `k` pre-activations of largest magnitude that are not 0, signed; of equal ones the lower column. */
  encodeAbsTopK(op: EncodeOperands & { k: number }): Promise<SparseRows>;

  /**
   * Divides the columns into `groups` equal runs and keeps of each row the largest pre-activation of each run, where it
   * is > 0; of equal ones the lower column. `groups` divides `columns`; without `subset`.
   */
  encodeGroupMax(op: EncodeOperands & { groups: number }): Promise<SparseRows>;

  /** Keeps every pre-activation > `threshold[column]`, which may be negative, and the values then too; `threshold [columns]`. */
  encodeThreshold(op: EncodeOperands & { threshold: Float32Array }): Promise<SparseRows>;

  // ---- Sparse products, and rows -------------------------------------------------------------------------

  /** `out [rows, width] = codes @ weight + bias`; `weight [columns, width]`, `bias [width]` or none. */
  decode(op: {
    codes: SparseRows;
    weight: Float32Array;
    bias?: Float32Array;
    width: number;
    out: Float32Array;
  }): Promise<void>;

  /** `out = scale * (x - center)`, `x, out [rows, width]`, `center [width]`; `out` may be `x`. */
  center(op: {
    x: Float32Array;
    center: Float32Array;
    rows: number;
    width: number;
    scale: number;
    out: Float32Array;
  }): Promise<void>;

  /** `out = scale * (a - b)` and `squares[r] = sum_i (a - b)[r,i]^2`: the residual and its loss. All `[rows, width]`. */
  residual(op: {
    a: Float32Array;
    b: Float32Array;
    rows: number;
    width: number;
    scale: number;
    out: Float32Array;
    squares: Float32Array;
  }): Promise<void>;

  /** `out[i] = sum_r m[r,i]`, in float64. `m [rows, width]`, `out [width]`. */
  columnSum(op: { m: Float32Array; rows: number; width: number; out: Float64Array }): Promise<void>;

  /** Sum of squares in float64, in an order that no thread count changes. */
  sumOfSquares(x: Float32Array): Promise<number>;
}
