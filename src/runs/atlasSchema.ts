/**
 * What the explorer reads beside features and examples: atlas.parquet (where each latent stands among the others),
 * words.parquet (which latents' examples hold a word), directions.parquet and direction_examples.parquet (how many latents a
 * direction serves), and atlas.json, which says how they were made. It must not know how any of it was computed.
 */
import * as z from 'zod';
import { ACTIVATION_BINS, DIRECTION_KINDS } from '../interpretation/atlas/shape.ts';
import type { Columns } from './columns.ts';
import { intervalSchema } from './schema.ts';

const whole = z.int().nonnegative();
/** NaN where it is not known. */
const number = z.union([z.number(), z.nan()]);
const numbers = z.array(z.number());
const latents = z.array(whole);

/** A row of atlas.parquet. Lists are as long as there is something to list, ten at most. */
export const atlasRowSchema = z
  .object({
    latent: whole,
    /** Where the decoder direction stands on the map; NaN where the decoder row is zero. */
    x: number,
    y: number,
    /** The nearest decoder rows, highest cosine first. */
    neighbours: latents,
    neighbourCosines: numbers,
    /** Latents that fire on the same tokens, strongest first; `lift = P(both) / (P(a) P(b))` and the tokens of both. */
    companions: latents,
    companionLifts: numbers,
    companionCounts: latents,
    /** Coordinates of the hook point with the largest weights in the unit decoder row, and these, signed. */
    neurons: latents,
    neuronWeights: numbers,
    /** `exp(-sum_c w_c^2 ln w_c^2)` of the unit decoder row w: over how many coordinates it is spread. NaN of a zero row. */
    effectiveNeurons: number,
    /**
     * Firings on held-out tokens by activation: bin b holds those in `(b, b + 1] max / 20`, max being `max_activation` of
     * features.parquet, and the last one also what is above. Activations below 0 are in none.
     */
    activationCounts: z.array(whole).length(ACTIVATION_BINS),
  })
  .superRefine((row, context) => {
    sameLength(context, row, 'neighbours', 'neighbourCosines');
    sameLength(context, row, 'companions', 'companionLifts');
    sameLength(context, row, 'companions', 'companionCounts');
    sameLength(context, row, 'neurons', 'neuronWeights');
  });

/** A row of words.parquet: in which of a latent's examples a word stands. */
export const wordRowSchema = z.object({
  /** As `wordsOf` gives it. */
  word: z.string().min(1),
  latent: whole,
  /** The greatest activation on a token of the word over the latent's `max_activation`; 0 where it is context only. */
  strength: z.number().min(0).max(1),
  /** Examples of the latent that hold the word. */
  count: z.int().positive(),
});

/** A row of directions.parquet. */
export const directionSchema = z
  .object({
    kind: z.enum(DIRECTION_KINDS),
    /** The coordinate, the axis, or the latent. */
    index: whole,
    /** `exp(entropy of shares)`; NaN where no latent adds anything along the direction. */
    effective: number,
    effectiveLow: number,
    effectiveHigh: number,
    /** Latents whose share is above 1 %. */
    features: whole,
    /** The largest shares, largest first. */
    latents,
    shares: numbers,
  })
  .superRefine((row, context) => sameLength(context, row, 'latents', 'shares'));

/** A row of direction_examples.parquet: one of the tokens on which the projection onto a direction is largest, by magnitude. */
export const directionExampleSchema = z
  .object({
    kind: z.enum(DIRECTION_KINDS),
    index: whole,
    /** The latent that adds most along the direction there, by magnitude; -1 where none adds anything. */
    cluster: z.int().min(-1),
    /** Among the direction's examples, from 0, largest magnitude first. */
    rank: whole,
    /** The projection of the activation less the mean. */
    activation: z.number(),
    document: whole,
    sequence: whole,
    position: whole,
    tokens: z.array(z.string()),
    /** The projection at each token of the window. */
    activations: numbers,
    /** The index in the window of the token that it is about. */
    focus: whole,
  })
  .superRefine((row, context) => {
    sameLength(context, row, 'tokens', 'activations');
    if (row.focus >= row.tokens.length)
      context.addIssue({
        code: 'custom',
        path: ['focus'],
        message: `found ${row.focus}, expected less than the ${row.tokens.length} tokens of the window`,
      });
  });

const kindSchema = z.object({
  kind: z.enum(DIRECTION_KINDS),
  directions: whole,
  /** Median over the directions of `effective`, with its interval over documents. */
  effective: intervalSchema,
});

/** atlas.json. */
export const atlasSchema = z.object({
  format: z.literal(1),
  seed: whole,
  /** Held-out rows that companions, activation counts and directions are of: the first test documents. */
  split: z.literal('test'),
  documents: whole,
  tokens: whole,
  /** Examples that the words are of. */
  examples: whole,
  /** Coverage of the intervals. */
  level: z.number().gt(0).lt(1),
  parameters: z.object({
    /** Of the map: neighbours, epochs and the smallest distance of UMAP. */
    map: z.object({ neighbours: whole, epochs: whole, minDistance: z.number() }),
    /** Nearest rows, companions, neurons and shares that are listed, at most. */
    listed: whole,
    /** A companion fires on the same tokens by chance with less than this probability, times the number of latents. */
    companionLevel: z.number(),
    /** `features` are the latents with a share above it. */
    shareFloor: z.number(),
    /** Groups of documents, one of which is left out at a time for the intervals of directions. */
    groups: whole,
    /** Examples of a direction. */
    directionExamples: whole,
  }),
  /** Of `effective_neurons`. */
  effectiveNeurons: z.object({
    /** Median over the latents, with its interval over latents. */
    median: intervalSchema,
    /** What it is of random directions of the same width: the mean with its interval, and the middle 95 % of them. */
    random: z.object({ mean: intervalSchema, low: z.number(), high: z.number() }),
  }),
  /** Of directions.parquet; null where it could not be made. */
  directions: z
    .object({
      kinds: z.array(kindSchema).min(1),
      /** Median `effective` of one kind less that of another, the same documents left out of both. */
      gaps: z.array(
        z.object({
          of: z.enum(DIRECTION_KINDS),
          less: z.enum(DIRECTION_KINDS),
          effective: intervalSchema,
        }),
      ),
    })
    .nullable(),
  /** What could not be made of this run, and why. */
  leftOut: z.array(z.object({ part: z.string(), reason: z.string() })),
});

export type Atlas = z.infer<typeof atlasSchema>;
export type AtlasRow = z.infer<typeof atlasRowSchema>;
export type WordRow = z.infer<typeof wordRowSchema>;
export type Direction = z.infer<typeof directionSchema>;
export type DirectionExample = z.infer<typeof directionExampleSchema>;

export const ATLAS_COLUMNS: Columns<AtlasRow> = {
  latent: { column: 'latent', type: 'INT32' },
  x: { column: 'x', type: 'FLOAT' },
  y: { column: 'y', type: 'FLOAT' },
  neighbours: { column: 'neighbours', type: 'INT32[]' },
  neighbourCosines: { column: 'neighbour_cosines', type: 'FLOAT[]' },
  companions: { column: 'companions', type: 'INT32[]' },
  companionLifts: { column: 'companion_lifts', type: 'FLOAT[]' },
  companionCounts: { column: 'companion_counts', type: 'INT32[]' },
  neurons: { column: 'neurons', type: 'INT32[]' },
  neuronWeights: { column: 'neuron_weights', type: 'FLOAT[]' },
  effectiveNeurons: { column: 'effective_neurons', type: 'DOUBLE' },
  activationCounts: { column: 'activation_counts', type: 'INT32[]' },
};

export const WORD_COLUMNS: Columns<WordRow> = {
  word: { column: 'word', type: 'STRING' },
  latent: { column: 'latent', type: 'INT32' },
  strength: { column: 'strength', type: 'FLOAT' },
  count: { column: 'count', type: 'INT32' },
};

export const DIRECTION_COLUMNS: Columns<Direction> = {
  kind: { column: 'kind', type: 'STRING' },
  index: { column: 'index', type: 'INT32' },
  effective: { column: 'effective', type: 'DOUBLE' },
  effectiveLow: { column: 'effective_low', type: 'DOUBLE' },
  effectiveHigh: { column: 'effective_high', type: 'DOUBLE' },
  features: { column: 'features', type: 'INT32' },
  latents: { column: 'latents', type: 'INT32[]' },
  shares: { column: 'shares', type: 'FLOAT[]' },
};

export const DIRECTION_EXAMPLE_COLUMNS: Columns<DirectionExample> = {
  kind: { column: 'kind', type: 'STRING' },
  index: { column: 'index', type: 'INT32' },
  cluster: { column: 'cluster', type: 'INT32' },
  rank: { column: 'rank', type: 'INT32' },
  activation: { column: 'activation', type: 'FLOAT' },
  document: { column: 'document', type: 'INT32' },
  sequence: { column: 'sequence', type: 'INT32' },
  position: { column: 'position', type: 'INT32' },
  tokens: { column: 'tokens', type: 'STRING[]' },
  activations: { column: 'activations', type: 'FLOAT[]' },
  focus: { column: 'focus', type: 'INT32' },
};

/** An issue where two lists that go together differ in length. */
function sameLength<Key extends string>(
  context: z.core.$RefinementCtx,
  row: Record<Key, unknown>,
  list: Key,
  other: Key,
): void {
  const [expected, found] = [(row[list] as unknown[]).length, (row[other] as unknown[]).length];
  if (found !== expected)
    context.addIssue({
      code: 'custom',
      path: [other],
      message: `found ${found} values for ${expected} ${list}`,
    });
}
