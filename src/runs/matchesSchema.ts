/**
 * What matches.json and matches.parquet say: which latents of other runs point the way of a run's own. It must not know how they
 * were found.
 */
import * as z from 'zod';
import { MATCHING_NULLS } from '../evaluation/matchingNulls.ts';
import type { Columns } from './columns.ts';
import { intervalSchema } from './schema.ts';

const whole = z.int().nonnegative();
const summary = {
  /** Share of the run's latents that are matched: nearest to each other, and of a cosine above the threshold. */
  matched: intervalSchema,
  /** Mean cosine of a latent and its nearest. */
  cosine: intervalSchema,
};

const comparisonSchema = z.object({
  /** The other run, by name and the time at which it was made. */
  name: z.string().min(1),
  created: z.string(),
  latents: whole,
  /** The cosine that a share of `chance` of the latents exceeds in the null that does best. */
  threshold: z.number(),
  chance: z.number().gt(0).lt(1),
  ...summary,
  /** With something else in the place of the other's decoder. */
  nulls: z.array(z.object({ name: z.enum(MATCHING_NULLS), ...summary })),
});

/** matches.json. */
export const matchesSchema = z.object({
  format: z.literal(1),
  seed: whole,
  /** Coverage of the intervals, which are over latents. */
  level: z.number().gt(0).lt(1),
  comparisons: z.array(comparisonSchema),
});

/** A row of matches.parquet: a latent of the run and its nearest in another. */
export const matchSchema = z.object({
  /** The place of the other run in matches.json's `comparisons`. */
  comparison: whole,
  latent: whole,
  /** -1 where the other run has none. */
  other: z.int().min(-1),
  cosine: z.number(),
  mutual: z.boolean(),
});

export const MATCH_COLUMNS: Columns<Match> = {
  comparison: { column: 'comparison', type: 'INT32' },
  latent: { column: 'latent', type: 'INT32' },
  other: { column: 'other_latent', type: 'INT32' },
  cosine: { column: 'cosine', type: 'DOUBLE' },
  mutual: { column: 'mutual', type: 'BOOLEAN' },
};

export type StoredMatches = z.output<typeof matchesSchema>;
export type StoredComparison = z.output<typeof comparisonSchema>;
export type Match = z.output<typeof matchSchema>;
