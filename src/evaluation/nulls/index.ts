/**
 * The nulls by name: what each takes away of a trained dictionary, and how it is made. A null that is made needs a sample of
 * activations, one that is trained another training beside the dictionary's own. It must not know where they are kept.
 */
import type { Dictionary } from '../../dictionaries/dictionary.ts';
import type { Backend } from '../../kernels/backend.ts';
import type { Freeze } from '../../training/freeze.ts';
import { neuronBasis, principalBasis, rotatedBasis } from './bases.ts';
import { independentBasis } from './independentComponents.ts';
import { permutedDecoder } from './permutedDecoder.ts';
import { randomDictionary } from './random.ts';

/** What a null without training is made from. */
export interface NullSubject {
  readonly backend: Backend;
  /** The trained one, which it is matched to in width, where it can be, and in k. */
  readonly dictionary: Dictionary;
  /** Latents that are active on a token: the trained dictionary's L0, rounded. */
  readonly k: number;
  readonly seed: number;
  /** `[width]` */
  readonly mean: Float32Array;
  /** Activations of the training part, `[rows, width]`. */
  readonly x: Float32Array;
  readonly rows: number;
}

/** How a null is trained beside the dictionary, on the same rows in the same order. */
export interface NullTraining {
  readonly freeze?: Freeze;
  /** Its rows are mixed first; see `mixRows`. */
  readonly mixed?: boolean;
}

export type NullMaking =
  | {
      readonly kind: 'made';
      /** Sequences that it is made from, or fitted on, at most. */
      readonly sequences: number;
      /** It has the trained dictionary's own weights, and not just its shape and L0. */
      readonly ofWeights?: true;
      readonly make: (subject: NullSubject) => Promise<Dictionary>;
    }
  | { readonly kind: 'trained'; readonly training: NullTraining }
  /** Trained in the same way on activations of the model with its weights drawn anew, and measured on that model. */
  | { readonly kind: 'reinitialised' };

export interface Null {
  readonly name: NullName;
  readonly description: string;
  readonly making: NullMaking;
  /** Meaningless for a dictionary that encodes by its decoder. */
  readonly needsEncoder?: true;
}

export const NULL_NAMES = [
  'random',
  'permuted-decoder',
  'neurons',
  'rotation',
  'pca',
  'ica',
  'frozen-decoder',
  'soft-frozen-decoder',
  'frozen-encoder',
  'shuffled',
  'reinitialised',
] as const;

export type NullName = (typeof NULL_NAMES)[number];

/** What every run has where it is not told. */
export const BASIC_NULLS: readonly NullName[] = ['random', 'reinitialised'];

/** Sequences that are enough to measure L0 or to fit one number. */
export const FIT_SEQUENCES = 32;
/** Enough to find a basis. */
const BASIS_SEQUENCES = 64;

const BASIS =
  'as 2 d latents, one for each sign, whatever the width of the dictionary; as many active as in it, as far as the basis goes.';

/** In the order in which they are told. */
export const NULLS: readonly Null[] = [
  {
    name: 'random',
    description:
      'A dictionary of random directions with as many latents and as many of them active, read by inner products, with the one gain that fits best.',
    making: {
      kind: 'made',
      sequences: FIT_SEQUENCES,
      make: ({ backend, dictionary: { latents }, k, seed, mean, x, rows }) =>
        randomDictionary(backend, { latents, k, seed }, mean, x, rows),
    },
  },
  {
    name: 'permuted-decoder',
    description:
      'The dictionary itself with its directions permuted, so that each latent fires as it did and stands for the direction of another; with the one gain that fits best.',
    needsEncoder: true,
    making: {
      kind: 'made',
      sequences: FIT_SEQUENCES,
      ofWeights: true,
      make: ({ backend, dictionary, seed, x, rows }) => permutedDecoder(backend, dictionary, seed, x, rows),
    },
  },
  {
    name: 'neurons',
    description: `The axes that the activations are written in, ${BASIS}`,
    making: {
      kind: 'made',
      sequences: FIT_SEQUENCES,
      make: async ({ mean, k }) => neuronBasis(mean, k),
    },
  },
  {
    name: 'rotation',
    description: `A random rotation of those axes, ${BASIS}`,
    making: {
      kind: 'made',
      sequences: FIT_SEQUENCES,
      make: async ({ mean, k, seed }) => rotatedBasis(mean, k, seed),
    },
  },
  {
    name: 'pca',
    description: `The principal components of the activations, ${BASIS}`,
    making: {
      kind: 'made',
      sequences: BASIS_SEQUENCES,
      make: ({ backend, mean, k, x, rows }) => principalBasis(backend, mean, k, x, rows),
    },
  },
  {
    name: 'ica',
    description: `The independent components of the activations (FastICA), ${BASIS}`,
    making: {
      kind: 'made',
      sequences: BASIS_SEQUENCES,
      make: async ({ backend, mean, k, seed, x, rows }) =>
        (await independentBasis(backend, mean, k, seed, x, rows)).dictionary,
    },
  },
  {
    name: 'frozen-decoder',
    description:
      'A dictionary trained in the same way whose directions stay the random ones that they started as: only when they fire is learned.',
    making: { kind: 'trained', training: { freeze: 'decoder' } },
  },
  {
    name: 'soft-frozen-decoder',
    description:
      'A dictionary trained in the same way whose directions keep a cosine of 0.8 or more with the random ones that they started as.',
    making: { kind: 'trained', training: { freeze: 'soft-decoder' } },
  },
  {
    name: 'frozen-encoder',
    description:
      'A dictionary trained in the same way whose encoder weights stay the random ones that they started as: directions, biases and thresholds are learned.',
    needsEncoder: true,
    making: { kind: 'trained', training: { freeze: 'encoder' } },
  },
  {
    name: 'shuffled',
    description:
      'A dictionary trained in the same way on activations of the same mean and covariance without any other structure; measured on the activations as they are.',
    making: { kind: 'trained', training: { mixed: true } },
  },
  {
    name: 'reinitialised',
    description:
      'A dictionary trained in the same way on the same text, but on the model with its weights drawn anew; measured on that model.',
    making: { kind: 'reinitialised' },
  },
];

/** The nulls of these names, in the order of the list. */
export function nullsNamed(names: readonly string[]): Null[] {
  return NULLS.filter(({ name }) => names.includes(name));
}
