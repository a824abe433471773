/**
 * The operation that trains toy models of superposition, a part of `Backend`; conventions are those of `backend.ts`.
 * Each instance maps rows x of sparse features through a narrow hidden layer,
 *
 *   h = x @ W_in   (`max(x @ W_in, 0)` with `hiddenRelu`)     z = h @ W_out^T + b     y = z   (`max(z, 0)` with `outputRelu`)
 *
 * and its loss is `L = mean over rows and features of I_i (t_i - y_i)^2`, the target t being x, or `|x|`. Rows of both weights
 * belong to features, `[features, hidden]`; in a tied model W_out is W_in, and has the gradients of both.
 */
import type { Precision, SparseRows } from './backend.ts';
import type { Trained } from './trainingOperations.ts';

/**
 * Rows that are drawn where they are used. Feature i of an instance fires with probability p_i, independently of all else, and
 * then has an amplitude uniform in (low, high). Exactly: `T = round(2^31 p)`, and with r drawn from 0 .. 2^31 - 1 it fires
 * where `r < T`, with amplitude `low + (high - low) (r + 1/2) / T`, so that one number serves for both.
 *
 * Rows are drawn in blocks of `TOY_BLOCK_ROWS`, block b of step t from 16 generators side by side, each xoshiro128** 1.1
 * (Blackman and Vigna, ACM TOMS 47, 2021). Word w of generator g begins as `f(f(f(key_w + t) + b) + g)`, f being the
 * finaliser of MurmurHash3 (Appleby 2011). Row by row, feature i takes the next draw of generator `i mod 16`, shifted right by
 * one; each row takes whole runs of 16.
 */
export interface DrawnRows {
  readonly kind: 'drawn';
  /** `[instances, features]`, in [0, 1]. */
  readonly probabilities: Float32Array;
  readonly low: number;
  readonly high: number;
  /** 128 random bits for each instance, `[instances, 4]`. */
  readonly keys: Uint32Array;
}

/** Rows that the caller has, columns ascending in each: one batch that all instances share, or one for each. */
export interface GivenRows {
  readonly kind: 'given';
  readonly rows: readonly SparseRows[];
}

export const TOY_BLOCK_ROWS = 96;

export interface ToyOperations {
  /**
   * `rates.length` steps of all instances, by AdamW (Loshchilov and Hutter, arXiv 1711.05101): Adam as in `AdamOptions` at
   * `rate = rates[s]`, each parameter first multiplied by `1 - rate * decay`. A `weightDecay` below 0 pulls each row w of the
   * weights towards norm 1 instead: it is multiplied by `1 + rate * weightDecay * (1 - 1 / |w|)` (Liu et al., arXiv
   * 2505.10465). `losses [steps, instances]` are those of each batch before its step.
   */
  stepToyModels(op: {
    instances: number;
    features: number;
    hidden: number;
    batch: number;
    hiddenRelu: boolean;
    outputRelu: boolean;
    target: 'input' | 'magnitude';
    precision: Precision;
    /** `[instances, features]` */
    importance: Float32Array;
    /** W_in, `[instances, features, hidden]`. */
    encoder: Trained;
    /** W_out, likewise; tied where it is absent. */
    decoder?: Trained;
    /** b, `[instances, features]`; none where it is absent. */
    bias?: Trained;
    inputs: DrawnRows | GivenRows;
    /** The number of the first step, from 1: of Adam, and of the stream. */
    firstStep: number;
    rates: Float64Array;
    beta1: number;
    beta2: number;
    epsilon: number;
    weightDecay: number;
    biasDecay: number;
    losses: Float64Array;
  }): Promise<void>;
}
