/**
 * What a training run can be told, with the defaults of the papers. It knows nothing of where activations come
 * from or where results go.
 */
import { InputError } from '../formats/errors.ts';
import type { Precision } from '../kernels/backend.ts';

export interface TrainingOptions {
  /** `topk`: Gao et al. 2024, arXiv 2406.04093. `batchtopk`: Bussmann et al. 2024, arXiv 2412.06410. */
  readonly family: 'topk' | 'batchtopk';
  readonly latents: number;
  /** Latents that fire on each token; for `batchtopk` on average. */
  readonly k: number;
  /** Tokens to train on; the stream is read again from the start where it is shorter. */
  readonly tokens: number;
  /** Tokens in a step. */
  readonly batch: number;
  readonly learningRate: number;
  /** Share of the steps over which the rate rises linearly from 0. */
  readonly warmupFraction: number;
  /** Share of the steps, the last, over which the rate falls linearly to 0. */
  readonly decayFraction: number;
  readonly beta1: number;
  readonly beta2: number;
  /** Weight of AuxK's loss. */
  readonly auxCoefficient: number;
  /** Dead latents that model the residual at each token. */
  readonly auxLatents: number;
  /** A latent that has not fired for so many tokens is dead. Tokens, not steps: batches differ. */
  readonly deadAfterTokens: number;
  /** The gradient is scaled down to this global norm where it is larger. */
  readonly gradientClip: number;
  readonly seed: number;
  /** What the encoder's product may round its operands to. */
  readonly precision: Precision;
  /** Rows that are shuffled at a time; see `shuffledBatches`. */
  readonly windowRows: number;
}

/** Adam's epsilon, PyTorch's default. */
export const ADAM_EPSILON = 1e-8;

/** Refuses what cannot be trained, by name. */
export function checkOptions(options: TrainingOptions): void {
  const { k, latents, batch, tokens } = options;
  if (k > latents)
    throw new InputError(`dictionary.k is ${k}, but there are only ${latents} latents; choose k <= latents`);
  if (tokens < batch) {
    throw new InputError(
      `training.tokens is ${tokens}, less than one batch of ${batch}; choose more tokens or a smaller batch`,
    );
  }
}

export function totalSteps(options: TrainingOptions): number {
  return Math.floor(options.tokens / options.batch);
}

/** The learning rate of `step` (from 1): linear warm-up, then constant, then a linear fall to 0. */
export function learningRate(options: TrainingOptions, step: number): number {
  const total = totalSteps(options);
  const warmup = Math.min(1, step / Math.max(1, options.warmupFraction * total));
  const decay = Math.min(1, (total - step + 1) / Math.max(1, options.decayFraction * total));
  return options.learningRate * Math.min(warmup, decay);
}
