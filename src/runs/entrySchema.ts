/**
 * What entry.json says: an experiment as it was carried out. What was claimed and predicted, what was measured, the pictures with
 * the numbers in them, and the verdict. It must not know how any number was got, nor how an entry is shown.
 */
import * as z from 'zod';
import { machineSchema } from './schema.ts';

const whole = z.int().nonnegative();
/** A number that the data do not identify is null. */
const number = z.number().nullable();

const findingSchema = z.object({
  name: z.string().min(1),
  value: number,
  /** The 95 % interval, over `n` seeds or restarts; both null where there is none. */
  low: number,
  high: number,
  n: whole,
  /** Where the prediction has it; a side that is not there is open. */
  predicted: z.object({ low: z.number().optional(), high: z.number().optional() }).optional(),
  /** The same number where there is nothing to be found. */
  null: z.object({ name: z.string().min(1), value: number, low: number, high: number }).optional(),
});

const figureSchema = z.object({
  name: z.string().regex(/^[a-z0-9-]+$/),
  caption: z.string().min(1),
  /** What is drawn, a record for each mark. */
  data: z.array(z.record(z.string(), z.union([z.number(), z.string(), z.boolean(), z.null()]))),
  svg: z.string().startsWith('<svg'),
});

const verdictSchema = z.enum(['held', 'did not hold', 'undecided']);

export const entrySchema = z.object({
  format: z.literal(1),
  experiment: z.string().regex(/^[a-z0-9-]+$/),
  title: z.string().min(1),
  claim: z.string().min(1),
  /** Written down before the run: it is part of the experiment's file. */
  prediction: z.string().min(1),
  source: z.string().min(1),
  findings: z.array(findingSchema),
  figures: z.array(figureSchema),
  verdict: verdictSchema,
  /** What the verdict rests on. */
  because: z.string().min(1),
  /** At reduced size, for a first look. */
  quick: z.boolean(),
  seed: whole,
  /** ISO 8601, UTC. */
  created: z.iso.datetime(),
  seconds: z.number().nonnegative(),
  versions: z.object({ monosem: z.string(), node: z.string() }),
  machine: machineSchema,
});

export type Finding = z.infer<typeof findingSchema>;
export type Figure = z.infer<typeof figureSchema>;
export type Verdict = z.infer<typeof verdictSchema>;
export type Entry = z.infer<typeof entrySchema>;
