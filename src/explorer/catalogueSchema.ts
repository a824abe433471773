/**
 * catalogue.json: what there is to look at, so that a page knows it without asking a server that may not be there. The browser checks
 * what it gets by the same schemas. It must not know where the catalogue comes from.
 */
import * as z from 'zod';
import { intervalSchema } from '../runs/schema.ts';

const count = z.int().nonnegative();

/** A run or an entry that cannot be read, and why. */
const broken = z.object({ path: z.string(), error: z.string() });

/** A number beside the null that does best at it. */
const headlineSchema = z.object({
  metric: z.string(),
  measured: intervalSchema,
  null: intervalSchema.safeExtend({ name: z.string() }).optional(),
});

const listedRunSchema = z.object({
  /** Its place below the directory, with `/`; it names the run in addresses. */
  path: z.string().min(1),
  name: z.string(),
  status: z.enum(['running', 'interrupted', 'evaluated', 'complete', 'stopped']),
  created: z.string(),
  /** One sentence on what it is. */
  subject: z.string(),
  latents: count,
  /** Where its dictionary reads: `blocks.2.hook_resid_post`. */
  site: z.string(),
  /** Of training, once it is over. */
  trainedTokens: count.optional(),
  headlines: z.array(headlineSchema),
  /** Of a run that has been judged: latents at its false-discovery rate. */
  verdict: z
    .object({
      level: z.number(),
      supported: count,
      unsupported: count,
      undecided: count,
      share: intervalSchema,
      null: intervalSchema.safeExtend({ name: z.string() }).optional(),
    })
    .optional(),
  /** Whether there is a model behind it, in which a latent can be ablated. */
  hasModel: z.boolean(),
  /** Sizes in bytes of the files that a page may ask for. */
  files: z.record(z.string(), count),
  /** What of it cannot be read, a line each. */
  problems: z.array(z.string()),
});

const listedEntrySchema = z.object({
  path: z.string().min(1),
  experiment: z.string(),
  title: z.string(),
  claim: z.string(),
  verdict: z.enum(['held', 'did not hold', 'undecided']),
  quick: z.boolean(),
  created: z.string(),
  seconds: z.number(),
});

const listedPostSchema = z.object({
  slug: z.string().regex(/^[a-z0-9-]+$/),
  title: z.string().min(1),
  date: z.iso.date(),
  summary: z.string().min(1),
});

export const catalogueSchema = z.object({
  format: z.literal(1),
  /** Whether a server answers: runs in progress are live, and prompts can be tried. */
  served: z.boolean(),
  version: z.string(),
  runs: z.array(z.union([listedRunSchema, broken])),
  entries: z.array(z.union([listedEntrySchema, broken])),
  posts: z.array(z.union([listedPostSchema, broken])),
});

/** A post as a page shows it. */
export const postSchema = listedPostSchema.extend({ html: z.string() });

export type Catalogue = z.output<typeof catalogueSchema>;
export type Broken = z.output<typeof broken>;
export type Headline = z.output<typeof headlineSchema>;
export type ListedRun = z.output<typeof listedRunSchema>;
export type ListedEntry = z.output<typeof listedEntrySchema>;
export type ListedPost = z.output<typeof listedPostSchema>;
export type Post = z.output<typeof postSchema>;

/** What is told of a run in progress, an event each. */
export const progressSchema = z.object({
  run: z.string(),
  step: count,
  tokens: count,
  loss: z.number(),
  fvu: z.number(),
  l0: z.number(),
  dead: count,
  /** Since the line before it; null for the first that is seen. */
  tokensPerSecond: z.number().nullable(),
});
export type Progress = z.output<typeof progressSchema>;
