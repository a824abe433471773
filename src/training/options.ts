/**
 * What a training run can be told. The defaults are the recipes of the families' papers. It knows nothing of where
 * activations come from or where results go.
 */
import type { Family, FamilyOptions } from '../dictionaries/families/family.ts';
import { InputError } from '../formats/errors.ts';
import type { Precision } from '../kernels/backend.ts';
import type { Freeze } from './freeze.ts';

export interface TrainingOptions {
  readonly family: Family;
  /** What the family is told. */
  readonly dictionary: FamilyOptions;
  /** Tokens to train on; the stream is read again from the start where it is shorter. */
  readonly tokens: number;
  /** Tokens in a step. */
  readonly batch: number;
  readonly optimiser: 'adam' | 'signum';
  readonly learningRate: number;
  /** Share of the steps over which the rate rises linearly from 0. */
  readonly warmupFraction: number;
  /** Share of the steps, the last, over which the rate falls linearly to 0. */
  readonly decayFraction: number;
  /** Adam's decay of the mean gradient; signum's momentum. */
  readonly beta1: number;
  readonly beta2: number;
  /** Share of the steps over which the sparsity penalty rises linearly to its weight. */
  readonly sparsityWarmupFraction: number;
  /** k falls linearly from this to the family's over `kAnnealFraction` of the steps. */
  readonly kStart: number;
  readonly kAnnealFraction: number;
  /** Weight of AuxK's loss. */
  readonly auxCoefficient: number;
  /** Dead latents that model the residual at each token. */
  readonly auxLatents: number;
  /** A latent that has not fired for so many tokens is dead. Tokens, not steps: batches differ. */
  readonly deadAfterTokens: number;
  /** When dead latents are resampled: after these shares of the steps. */
  readonly resampleAt: readonly number[];
  /** Norm of decoder rows at the start. */
  readonly decoderNorm: number;
  /** Whether the output has a linear path from the input beside the latents. */
  readonly skip: boolean;
  /** The gradient is scaled down to this global norm where it is larger. */
  readonly gradientClip: number;
  /** Of the weights and of all else but the order of the data. */
  readonly seed: number;
  /** Of the order of the data, apart from `seed` so that several trainings can read one stream. */
  readonly shuffleSeed: number;
  /** What the encoder's product may round its operands to. */
  readonly precision: Precision;
  /** Rows that are shuffled at a time; see `shuffledBatches`. */
  readonly windowRows: number;
  /** What stays where it started, in a null; nothing where absent. */
  readonly freeze?: Freeze;
}

/** Refuses what cannot be trained, by name. */
export function checkOptions(options: TrainingOptions): void {
  const { family, dictionary, batch, tokens, auxCoefficient, skip, freeze, resampleAt } = options;
  const { k, latents } = dictionary;
  if (k !== undefined && k > latents)
    throw new InputError(`dictionary.k is ${k}, but there are only ${latents} latents; choose k <= latents`);
  if (tokens < batch) {
    throw new InputError(
      `training.tokens is ${tokens}, less than one batch of ${batch}; choose more tokens or a smaller batch`,
    );
  }
  if ((family.tied || family.dense) && auxCoefficient > 0) {
    const why = family.tied ? 'has no encoder that it could train' : 'gives no gradient that it could join';
    throw new InputError(
      `training.auxCoefficient is ${auxCoefficient}, but ${family.name} ${why}; set it to 0`,
    );
  }
  if (family.dense && skip) {
    throw new InputError(`training.skip is true, but ${family.name} has no skip path; set it to false`);
  }
  if (freeze === 'encoder' && family.tied)
    throw new InputError(`training.freeze is encoder, but ${family.name} has no encoder; freeze the decoder`);
  if (freeze !== undefined && resampleAt.length > 0) {
    throw new InputError(
      `training.resampleAt is [${resampleAt}], but resampling moves what training.freeze (${freeze}) holds; set it to []`,
    );
  }
}

export function totalSteps(options: Pick<TrainingOptions, 'tokens' | 'batch'>): number {
  return Math.floor(options.tokens / options.batch);
}
