/**
 * What evidence.json and evidence.parquet say: what speaks for each latent, the verdict on it, and how many of the latents of the
 * dictionary and of its nulls are supported. It must not know how any of it was got.
 */
import * as z from 'zod';
import { LATENT_CLASSES, type LatentClass } from '../evaluation/composition/graph.ts';
import { COMPONENTS } from '../evaluation/evidence/components.ts';
import { VERDICTS } from '../evaluation/verdict/verdicts.ts';
import type { Columns } from './columns.ts';
import { intervalSchema } from './schema.ts';

const whole = z.int().nonnegative();

/** What is measured of each latent, with a 95 % interval; `evaluation/evidence/` says what each means. */
export const EVIDENCE_MEASURES = [...COMPONENTS, 'ablated', 'added', 'transfer'] as const;
export type EvidenceMeasure = (typeof EVIDENCE_MEASURES)[number];

/** Probabilities of the quantiles of `distributions`: every twentieth, from the least to the greatest. */
export const EVIDENCE_QUANTILES: readonly number[] = Array.from({ length: 21 }, (_, i) => i / 20);

/** One measure over the latents of a dictionary of which it is known: how many, and its values at `EVIDENCE_QUANTILES`. */
const distributionSchema = z.object({
  latents: z.int().positive(),
  quantiles: z
    .array(z.number())
    .length(EVIDENCE_QUANTILES.length)
    .refine((values) => values.every((value, i) => i === 0 || value >= values[i - 1]), {
      message: 'expected quantiles in ascending order',
    }),
});

const judgedSchema = z.object({
  /** `dictionary`, or the name of the null. */
  name: z.string().min(1),
  latents: whole,
  /** Latents that fire often enough for anything to be said. */
  judged: whole,
  supported: whole,
  unsupported: whole,
  undecided: whole,
  /** Supported latents over all latents, with its interval over documents. */
  supportedShare: intervalSchema,
  /** Mean over the latents judged of the probability that each is true, with its interval over documents. */
  probability: intervalSchema,
  /** Of nulls only: what the dictionary has more of both, with intervals in which the documents are the same. */
  gap: z.object({ supportedShare: intervalSchema, probability: intervalSchema }).optional(),
  /** Of each measure that is known of any latent. Runs that were judged by an older version have none. */
  distributions: z.partialRecord(z.enum(EVIDENCE_MEASURES), distributionSchema).optional(),
});

export const evidenceSchema = z.object({
  format: z.literal(1),
  /** The false-discovery rate that `supported` and `unsupported` keep to. */
  level: z.number().gt(0).lt(1),
  split: z.literal('test'),
  documents: whole,
  tokens: whole,
  /** What `transfer` was measured on, where it was. */
  otherCorpus: z.object({ name: z.string().min(1), sha256: z.string(), tokens: whole }).optional(),
  /** The run's own first, then its nulls. */
  dictionaries: z.array(judgedSchema).min(1),
  /** The run's own latents by what they are to each other (composition.json), each class that there is. */
  classes: z.array(
    z.object({
      class: z.enum(LATENT_CLASSES),
      latents: whole,
      supported: whole,
      unsupported: whole,
      undecided: whole,
      /** Mean over those judged, with its interval over the documents; null where none is. */
      probability: intervalSchema.nullable(),
    }),
  ),
});

type End = '' | 'Low' | 'High';
const ENDS: readonly End[] = ['', 'Low', 'High'];

/** NaN where it is not known. */
const number = z.union([z.number(), z.nan()]);

/** A row of evidence.parquet; percentiles are among the latents of all nulls. */
export type LatentEvidence = {
  latent: number;
  class: LatentClass;
  verdict: (typeof VERDICTS)[number];
  /** That it is a true feature, calibrated where the truth is known. */
  probability: number;
  score: number;
  sharePercentile: number;
  kurtosisPercentile: number;
} & Record<`${EvidenceMeasure}${End}`, number>;

const measures = EVIDENCE_MEASURES.flatMap((name) => ENDS.map((end) => `${name}${end}` as const));

export const latentEvidenceSchema = z.object({
  latent: whole,
  class: z.enum(LATENT_CLASSES),
  verdict: z.enum(VERDICTS),
  probability: number,
  score: number,
  sharePercentile: number,
  kurtosisPercentile: number,
  ...Object.fromEntries(measures.map((key) => [key, number])),
}) as unknown as z.ZodType<LatentEvidence>;

const inSnakeCase = (key: string) => key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
const numbers = ['probability', 'score', 'sharePercentile', 'kurtosisPercentile', ...measures] as const;
export const EVIDENCE_COLUMNS = {
  latent: { column: 'latent', type: 'INT32' },
  class: { column: 'class', type: 'STRING' },
  verdict: { column: 'verdict', type: 'STRING' },
  ...Object.fromEntries(numbers.map((key) => [key, { column: inSnakeCase(key), type: 'DOUBLE' }])),
} as Columns<LatentEvidence>;

export type EvidenceSummary = z.infer<typeof evidenceSchema>;
export type JudgedDictionary = z.infer<typeof judgedSchema>;
export type EvidenceDistribution = z.infer<typeof distributionSchema>;
