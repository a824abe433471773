/**
 * What a family of dictionaries is: how it chooses latents, what it adds to the loss, and how the loss changes with each
 * active latent. A file beside this one states each family; `training/` does the rest: scaling, AuxK, clipping,
 * optimiser, schedules, checkpoints. docs/new-family.md walks through one.
 */
import type * as z from 'zod';
import type { Backend, Precision, SparseRows } from '../../kernels/backend.ts';
import type { EntryGradients, LatentGradientOperands } from '../../kernels/trainingOperations.ts';
import type { Random } from '../../math/random.ts';
import type { Dictionary } from '../dictionary.ts';

/** What every family can be told; each adds its own. */
export interface FamilyOptions {
  readonly family: string;
  readonly latents: number;
  /** Latents of a token, of families that choose so many. */
  readonly k?: number;
}

/** A schema of `FamilyOptions`. */
export type OptionsSchema = z.ZodObject<{ family: z.ZodLiteral<string>; latents: z.ZodType<number> }>;

/** The arrays that are trained: four that all have, and the family's own, a number for each latent. */
export interface Parameters {
  readonly [name: string]: Float32Array;
  /** `[latents, width]`; of no length where the family encodes with the decoder. */
  readonly encoderWeight: Float32Array;
  /** `[latents]` */
  readonly encoderBias: Float32Array;
  /** `[latents, outputWidth]` */
  readonly decoderWeight: Float32Array;
  /** `[outputWidth]` */
  readonly decoderBias: Float32Array;
}

/** Arrays that are written anew in each step, kept under names so that their memory is used again. */
export interface Workspace {
  /** `length` floats of any content, that nobody else who asks for another name writes to. */
  floats(name: string, length: number): Float32Array;
  /** The same of whole numbers. */
  indices(name: string, length: number): Uint32Array;
}

export interface Shape {
  /** Of the input. */
  readonly width: number;
  readonly outputWidth: number;
  /** Where the outputs of several hook points start in a row of the output, and its end; `[0, outputWidth]` for one. */
  readonly outputBounds: Uint32Array;
  readonly latents: number;
}

/** One batch, as a family sees it. */
export interface Batch<O extends FamilyOptions = FamilyOptions> extends Shape {
  readonly backend: Backend;
  readonly precision: Precision;
  readonly options: O;
  /** Latents of a token at this step, where the family has a k: it may be annealed. */
  readonly k: number;
  /** Share of its full weight that the sparsity penalty has at this step, which rises from 0 to 1. */
  readonly warmth: number;
  /** Share of the training that is over. */
  readonly progress: number;
  readonly parameters: Parameters;
  /** Numbers that the family remembers from step to step, by the names in `Family.memory`. It may change them. */
  readonly memory: Record<string, number>;
  readonly rows: number;
  /** What the encoder multiplies, `[rows, width]`: activations, less b_dec where the family subtracts it. */
  readonly input: Float32Array;
  /** What is to be reconstructed, less b_dec: `[rows, outputWidth]`. */
  readonly target: Float32Array;
  /** Latents that have not fired for long, ascending. */
  readonly dead: Uint32Array;
  /** A stream of this step alone, from its start whenever it is asked for. */
  readonly random: Random;
  readonly workspace: Workspace;
}

/** The loss of a batch and its gradient. */
export interface Loss {
  /** `mean_r |x'_r - x_r|^2` of the whole reconstruction. */
  readonly reconstruction: number;
  /** What the family adds to it. */
  readonly penalty: number;
  /** What fired. Values of 0 have not. */
  readonly codes: SparseRows;
  readonly parts: readonly EntryGradients[];
  /**
   * Of a `dense` family: the gradients of all parameters but b_dec, in arrays of their shape, in the place of `parts`,
   * `everyRow` and `alongDecoder`.
   */
  readonly dense?: Readonly<Record<string, Float32Array>>;
  readonly everyRow?: LatentGradientOperands['everyRow'];
  readonly alongDecoder?: LatentGradientOperands['alongDecoder'];
  /** dL/db_dec through the output, `[outputWidth]`; all of it where the family is `dense`. */
  readonly outputSum: Float64Array;
  /** dL/d of each row of the output, where that is not `error.scaled`, for a skip path. */
  readonly outputGradient?: Float32Array;
  /** The whole reconstruction's error times a factor: `factor * (x' - x)`, for AuxK and resampling. */
  readonly error: { readonly scaled: Float32Array; readonly factor: number };
  /** Gradients of the family's own parameters. */
  readonly own?: Readonly<Record<string, Float32Array>>;
}

/** How a paper trained, which is what a run does where it is not told otherwise. */
export interface Recipe {
  /** The mean squared norm that activations are scaled to. */
  readonly squaredNorm: 'one' | 'width';
  readonly optimiser: 'adam' | 'signum';
  /** Peak rate for so many latents in a run of the paper's length. */
  readonly learningRate: (latents: number) => number;
  readonly beta1: number;
  readonly beta2: number;
  readonly warmupFraction: number;
  readonly decayFraction: number;
  /** Share of the steps over which the sparsity penalty reaches its weight. */
  readonly sparsityWarmupFraction: number;
  /** Weight of AuxK's loss; 0 leaves it out. */
  readonly auxCoefficient: number;
  /** When dead latents are resampled, as shares of the training. */
  readonly resampleAt: readonly number[];
  /** Norm of decoder rows at the start. */
  readonly decoderNorm: number;
}

/** What training has come to. */
export interface Learned<O extends FamilyOptions = FamilyOptions> extends Shape {
  readonly options: O;
  readonly parameters: Parameters;
  readonly memory: Readonly<Record<string, number>>;
}

export interface Family<S extends OptionsSchema = OptionsSchema, O extends FamilyOptions = z.output<S>> {
  readonly name: O['family'];
  /** In a sentence for people: what decides which latents fire. */
  readonly description: string;
  /** Who proposed it, and where. */
  readonly source: string;
  /** The fields of `dictionary` in a run's configuration, with their defaults. */
  readonly options: S;
  readonly recipe: Recipe;
  /** Decoder rows are kept at unit norm. */
  readonly unitDecoder: boolean;
  /** b_dec is subtracted before the encoder of an autoencoder. */
  readonly centersInput: boolean;
  /** The decoder encodes too: there is no W_enc. */
  readonly tied?: boolean;
  /** It writes its gradient down instead of leaving it to the entries. It then has neither AuxK nor a skip path. */
  readonly dense?: boolean;
  /** Where parameters of the family's own start, one number for all latents. */
  own?(options: O): Readonly<Record<string, number>>;
  /** Where the numbers that it remembers start. */
  readonly memory?: Readonly<Record<string, number>>;
  loss(batch: Batch<O>): Promise<Loss>;
  /** What is used in the end: the selection, and the encoder where that is not the trained one. */
  dictionary(
    learned: Learned<O>,
  ): Pick<Dictionary, 'selection'> & Partial<Pick<Dictionary, 'encoderWeight' | 'encoderBias'>>;
}

/** The defaults of Gao et al. 2024, section 3.1 and appendix A, which most later papers share. */
export const GAO: Recipe = {
  squaredNorm: 'one',
  optimiser: 'adam',
  learningRate: (latents) => 2e-4 / Math.sqrt(latents / 2 ** 14),
  beta1: 0.9,
  beta2: 0.999,
  warmupFraction: 0.1,
  decayFraction: 0.2,
  sparsityWarmupFraction: 0,
  auxCoefficient: 1 / 32,
  resampleAt: [],
  decoderNorm: 1,
};
