/**
 * What the files of a run directory say, as zod schemas and the types that follow from them. Keys that a schema
 * does not have are passed over, so that a newer version may add some. It must not know how any number was got.
 */

import * as z from 'zod';
import type { runSchema } from './runSchema.ts';

const whole = z.int().nonnegative();

/** Where a sweep stopped a run early, and the run that beat it there: FVU and L0 are of the validation rows. */
export const stopSchema = z.object({
  step: whole,
  fvu: z.number(),
  l0: z.number(),
  by: z.string(),
  byFvu: z.number(),
  byL0: z.number(),
});

/** What numbers were made on. */
export const machineSchema = z.object({
  cpu: z.string(),
  backend: z.string(),
  instructionSet: z.string(),
  threads: z.int().positive(),
});

/** A line of metrics.jsonl. It holds no time of day or duration: the same seed gives the same bytes. */
export const metricsLineSchema = z.object({
  step: whole,
  /** Tokens trained on so far. */
  tokens: whole,
  loss: z.number(),
  /** Fraction of variance unexplained on the step's batch. */
  fvu: z.number(),
  auxLoss: z.number(),
  /** Mean number of active latents for each token. */
  l0: z.number().nonnegative(),
  /** Latents that have not fired for `deadAfterTokens`. */
  dead: whole,
  gradientNorm: z.number().nonnegative(),
  learningRate: z.number().nonnegative(),
  /** The same on the validation rows, where it was measured. */
  validationFvu: z.number().optional(),
  validationL0: z.number().nonnegative().optional(),
});

/** A value and its percentile interval. A null is a number that the data do not identify. */
export const intervalSchema = z
  .object({ value: z.number().nullable(), low: z.number().nullable(), high: z.number().nullable() })
  .superRefine(({ low, high }, context) => {
    if ((low === null) !== (high === null))
      context.addIssue('one end of the interval is null and the other is not; expected both or neither');
    else if (low !== null && high !== null && low > high)
      context.addIssue(`low ${low} is above high ${high}; expected low <= high`);
  });

/** A number with its interval, the documents behind it, and the same number for each null. */
const measuredSchema = intervalSchema.safeExtend({
  n: whole,
  nulls: z.array(intervalSchema.safeExtend({ name: z.string() })),
});

const densitySchema = z
  .object({
    /** Edges of the bins, log10 of the firing frequency, ascending. */
    edges: z.array(z.number()).min(2),
    /** The run's own dictionary first, then the nulls. `silent` latents never fired and are in no bin. */
    dictionaries: z.array(z.object({ name: z.string(), counts: z.array(whole), silent: whole })).min(1),
  })
  .superRefine(({ edges, dictionaries }, context) => {
    const bins = edges.length - 1;
    if (edges.some((edge, i) => i > 0 && edge <= edges[i - 1]))
      context.addIssue({ code: 'custom', path: ['edges'], message: 'expected edges in ascending order' });
    for (const [i, { name, counts }] of dictionaries.entries())
      if (counts.length !== bins)
        context.addIssue({
          code: 'custom',
          path: ['dictionaries', i, 'counts'],
          message: `${name} has ${counts.length} counts, expected ${bins} for ${edges.length} edges`,
        });
  });

/** evaluation.json: every number with its interval and its nulls. */
export const evaluationSchema = z.object({
  format: z.literal(1),
  split: z.literal('test'),
  documents: whole,
  tokens: whole,
  /** Coverage of the intervals, such as 0.95. */
  level: z.number().gt(0).lt(1),
  resamples: whole,
  metrics: z.record(z.string(), measuredSchema),
  density: densitySchema,
  nulls: z.array(z.object({ name: z.string(), description: z.string() })),
});

const latent = whole;
const texts = z.array(z.string());
const numbers = z.array(z.number());

/** A row of features.parquet. */
export const featureSchema = z
  .object({
    latent,
    /** Firing frequency: the share of tokens on which the latent is active. */
    density: z.number().min(0).max(1),
    /** The number of tokens on which it is active; 0 is a dead latent. */
    firings: whole,
    maxActivation: z.number(),
    /** Mean over the tokens on which it is active; 0 for a dead latent. */
    meanActivation: z.number(),
    promotedTokens: texts,
    promotedLogits: numbers,
    suppressedTokens: texts,
    suppressedLogits: numbers,
    /** The tokens on which it fires most. */
    topTokens: texts,
  })
  .superRefine((row, context) => {
    for (const kind of ['promoted', 'suppressed'] as const)
      if (row[`${kind}Tokens`].length !== row[`${kind}Logits`].length)
        context.addIssue({
          code: 'custom',
          path: [`${kind}Logits`],
          message: `${row[`${kind}Logits`].length} logits for ${row[`${kind}Tokens`].length} tokens`,
        });
  });

/** A row of examples.parquet: one window of text around one firing of one latent. */
export const exampleSchema = z
  .object({
    latent,
    kind: z.enum(['top', 'quantile']),
    /** The tenth of the latent's activations, 0 to 9 with 9 the strongest; -1 for a top example. */
    quantile: z.int().min(-1).max(9),
    /** Its place among the examples of the same kind and quantile, from 0. */
    rank: whole,
    document: whole,
    sequence: whole,
    position: whole,
    activation: z.number(),
    /** The texts of the window's tokens. */
    tokens: texts,
    /** This latent's activation at each token of the window. */
    activations: numbers,
    /** The index in the window of the token on which it fired. */
    focus: whole,
  })
  .superRefine(({ kind, quantile, tokens, activations, focus }, context) => {
    if (kind === 'top' ? quantile !== -1 : quantile < 0)
      context.addIssue({
        code: 'custom',
        path: ['quantile'],
        message: `found ${quantile} in a ${kind} example, expected ${kind === 'top' ? '-1' : '0 to 9'}`,
      });
    if (activations.length !== tokens.length)
      context.addIssue({
        code: 'custom',
        path: ['activations'],
        message: `${activations.length} activations for ${tokens.length} tokens`,
      });
    if (focus >= tokens.length)
      context.addIssue({
        code: 'custom',
        path: ['focus'],
        message: `found ${focus}, expected less than the ${tokens.length} tokens of the window`,
      });
  });

export type Run = z.output<typeof runSchema>;
export type MetricsLine = z.output<typeof metricsLineSchema>;
export type Interval = z.output<typeof intervalSchema>;
export type Measured = z.output<typeof measuredSchema>;
export type Density = z.output<typeof densitySchema>;
export type Evaluation = z.output<typeof evaluationSchema>;
export type Feature = z.output<typeof featureSchema>;
export type Example = z.output<typeof exampleSchema>;

/** An interval as the files hold it: a number that is not finite was not identified, and becomes null. */
export function storedInterval({ value, low, high }: { value: number; low: number; high: number }): Interval {
  const identified = Number.isFinite(low) && Number.isFinite(high);
  return {
    value: Number.isFinite(value) ? value : null,
    low: identified ? low : null,
    high: identified ? high : null,
  };
}

/** Whether its numbers are there: what is said of each latent may come later. */
export function isEvaluated({ status }: Pick<Run, 'status'>): boolean {
  return status === 'evaluated' || status === 'complete';
}
