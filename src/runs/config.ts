/**
 * The configuration of a run: each field with its default and one sentence. A key that is not here is refused,
 * with the nearest one named. It must not know how any field is carried out.
 */

import * as z from 'zod';
import { familyOptions } from '../dictionaries/families/index.ts';
import { BASIC_NULLS, NULL_NAMES, type NullName } from '../evaluation/nulls/index.ts';
import { validate } from '../formats/validate.ts';

const whole = z.int().nonnegative();
const count = z.int().positive();
const positive = z.number().positive();
const fraction = z.number().min(0).max(1);
const properFraction = z.number().gt(0).lt(1);
const momentum = z.number().min(0).lt(1);

const corpusConfig = z
  .strictObject({
    /** `self` (text sampled from the model), `gutenberg-children`, or a path to text. */
    name: z.string().min(1).default('self'),
    /** Only for `self`: how many tokens to sample, rounded up to whole sequences. */
    tokens: count.default(2_210_000),
    /** Tokens in a sequence at most, the first of them BOS. */
    context: z.int().min(2).default(256),
    /** Only for `self`: the sampling temperature. */
    temperature: positive.default(1),
    /** Only for `self`: the seed of the sampling, apart from the run's, so that seeds can share a corpus. */
    seed: z.int().nonnegative().default(0),
    /** The field or column that holds the text of a `.jsonl` or `.parquet` file. */
    textField: z.string().min(1).default('text'),
    /** The share of documents on which training is watched. */
    validationFraction: properFraction.default(0.05),
    /** The share of documents kept back for the evaluation. */
    testFraction: properFraction.default(0.05),
  })
  .superRefine(({ validationFraction, testFraction }, context) => {
    if (validationFraction + testFraction >= 1)
      context.addIssue(
        `validationFraction and testFraction add up to ${validationFraction + testFraction}, which leaves nothing to train on; expected less than 1 together`,
      );
  });

/** The options of the family that is named, `topk` where none is. */
const dictionaryConfig = z
  .preprocess(
    (value) =>
      typeof value === 'object' && value !== null && !Array.isArray(value)
        ? { family: 'topk', ...value }
        : value,
    familyOptions,
  )
  .superRefine((dictionary, context) => {
    if ('k' in dictionary && dictionary.k > dictionary.latents)
      context.addIssue({
        code: 'custom',
        path: ['k'],
        message: `found ${dictionary.k}, expected at most the ${dictionary.latents} latents`,
      });
  });

/**
 * Names of nulls, in the order of their list; `none`, `basic` and `all` stand for some of them, and so do the `true` and
 * `false` of runs from before the others were there.
 */
const nulls = z
  .preprocess(
    (value) => {
      if (value === true || value === 'basic') return BASIC_NULLS;
      if (value === false || value === 'none') return [];
      if (value === 'all') return NULL_NAMES;
      return typeof value === 'string' ? [value] : value;
    },
    z.array(z.enum(NULL_NAMES)),
  )
  .transform((names): readonly NullName[] => NULL_NAMES.filter((name) => names.includes(name)));

/** `auto` is what the paper of the family had. */
const auto = <S extends z.ZodType>(schema: S) => z.union([schema, z.literal('auto')]).default('auto');

const trainingConfig = z
  .strictObject({
    /** Tokens to train on; epochs are repeated where the corpus has fewer. */
    tokens: count.default(2_210_000),
    /** Tokens in a step. */
    batch: count.default(4096),
    /** What steps along the gradient: Adam, or the sign of the gradient, averaged without a schedule. */
    optimiser: auto(z.enum(['adam', 'signum'])),
    /** The peak learning rate; `auto` is the family's, larger for runs shorter than the papers'. */
    learningRate: auto(positive),
    /** The share of steps over which the learning rate rises from 0. */
    warmupFraction: auto(fraction),
    /** The share of steps, at the end, over which the learning rate falls to 0. */
    decayFraction: auto(fraction),
    /** Adam's decay of the mean gradient; signum's momentum. */
    beta1: auto(momentum),
    /** Adam's decay of the mean squared gradient. */
    beta2: auto(momentum),
    /** The share of steps over which a sparsity penalty rises to its weight. */
    sparsityWarmupFraction: auto(fraction),
    /** Where k starts, of families that have one, before it falls to `dictionary.k`; `auto` is that itself. */
    kStart: auto(whole),
    /** The share of steps over which k falls from `kStart`. */
    kAnnealFraction: fraction.default(0.1),
    /** The weight of the auxiliary loss that revives dead latents. */
    auxCoefficient: auto(z.number().nonnegative()),
    /** How many dead latents the auxiliary loss uses; `auto` is half the width of the activations. */
    auxLatents: auto(whole),
    /** A latent is dead once it has not fired for so many tokens. */
    deadAfterTokens: auto(count),
    /** After which shares of the steps dead latents are given the direction of an activation that is badly reconstructed. */
    resampleAt: auto(z.array(fraction).readonly()),
    /** The seed of the order of the data, apart from the run's, so that seeds can share a stream. */
    shuffleSeed: whole.default(0),
    /** The largest norm of the gradient; a larger one is scaled down. */
    gradientClip: positive.default(1),
    /** Rows held in memory to shuffle among. */
    windowRows: count.default(131_072),
    /** Steps between two lines of metrics.jsonl. */
    logEvery: count.default(10),
    /** Steps between two checkpoints. */
    checkpointEvery: count.default(100),
  })
  .superRefine(({ warmupFraction, decayFraction }, context) => {
    if (warmupFraction === 'auto' || decayFraction === 'auto') return;
    if (warmupFraction + decayFraction > 1)
      context.addIssue(
        `warmupFraction and decayFraction add up to ${warmupFraction + decayFraction}, expected at most 1 together`,
      );
  });

export const runConfigSchema = z
  .strictObject({
    /** The run's name, also that of its directory. */
    name: z
      .string()
      .regex(
        /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}$/,
        'expected 1 to 100 letters, digits, or . _ -, not opening with . or -',
      ),
    /** All random streams follow from it. */
    seed: z.int().nonnegative().default(0),
    /**
     * A file of activations, or the directory of a harvest, in the place of model, hook and corpus; of `corpus` only the
     * fractions and the seed of the split count then.
     */
    activations: z.string().min(1).optional(),
    /** A name from the model registry. */
    model: z.string().min(1).default('stories15M'),
    /** The hook point that is taken apart, or several that one dictionary reads and predicts together: a crosscoder. */
    hook: z.union([z.string().min(1), z.array(z.string().min(1)).min(1)]).default('blocks.3.hook_resid_post'),
    /** What is predicted where it is not the hook point itself: a transcoder. */
    target: z
      .strictObject({
        /** The hook point that is predicted. */
        hook: z.string().min(1),
        /** Whether a linear path beside the latents helps to predict it. */
        skip: z.boolean().default(false),
      })
      .optional(),
    /**
     * What the model and the training may round the operands of their products to; `auto` is `bf16` on processors with
     * units for it. Evaluation encodes in float32 whatever this says.
     */
    precision: z.enum(['auto', 'fp32', 'bf16']).default('auto'),
    corpus: corpusConfig.prefault({}),
    dictionary: dictionaryConfig.prefault({}),
    training: trainingConfig.prefault({}),
    evaluation: z
      .strictObject({
        /** Bootstrap resamples of the documents behind each interval. */
        resamples: count.default(1000),
        /** The nulls that are made or trained, and evaluated too: names, or `none`, `basic`, `all`. */
        nulls: nulls.default(BASIC_NULLS),
      })
      .prefault({}),
    interpretation: z
      .strictObject({
        /** Strongest examples kept for each latent. */
        topExamples: whole.default(6),
        /** Examples kept for each latent from its ten activation quantiles together. */
        sampledExamples: whole.default(20),
      })
      .prefault({}),
  })
  .superRefine(({ activations, target }, context) => {
    if (activations !== undefined && target !== undefined)
      context.addIssue({
        code: 'custom',
        path: ['target'],
        message: 'a file of activations has nothing to predict but itself; leave target or activations out',
      });
  });

/** A run's configuration with every default filled in. */
export type RunConfig = z.output<typeof runConfigSchema>;
/** What a user writes: only `name` is required. */
export type RunConfigInput = z.input<typeof runConfigSchema>;

/**
 * Checks a configuration and fills in its defaults. `where` names the file or the command that it came from.
 * InputError names each faulty field, what was found and what was expected, and the nearest known key to one
 * that is not known.
 */
export function parseConfig(value: unknown, where = 'the configuration'): RunConfig {
  return validate(runConfigSchema, value, where);
}
