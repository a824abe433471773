/**
 * sparsity.json: a sweep over sparsity as it was carried out, and the L0 that it speaks for, or why for none. It must not know
 * how any number was got.
 */
import { join } from 'node:path';
import * as z from 'zod';
import { writeDirAtomic, writeFileAtomic } from '../formats/atomic.ts';
import { jsonText, readJson } from '../formats/json.ts';
import { validate } from '../formats/validate.ts';
import { runConfigSchema } from './config.ts';
import { machineSchema } from './schema.ts';

export const SPARSITY_FILES = { result: 'sparsity.json', picture: 'sparsity.svg' } as const;

const whole = z.int().nonnegative();
/** A number that is not defined, or infinite, is null. */
const number = z.number().nullable();
/** Mean over seeds and its 95 % interval. */
const interval = z.object({ value: number, low: number, high: number });
const criterion = z.enum(['decoderCosine', 'projection', 'descriptionLength', 'knee', 'consensus']);

const optimumSchema = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('optimum'),
    l0: z.number(),
    low: z.number(),
    high: z.number(),
    /** How far the curve rises on both sides. */
    dip: interval,
  }),
  z.object({ kind: z.literal('none'), why: z.string().min(1) }),
]);

export const sparsitySchema = z.object({
  format: z.literal(1),
  name: z.string().min(1),
  created: z.iso.datetime(),
  /** Of every dictionary but for k and the seed. */
  config: runConfigSchema,
  seeds: z.array(whole).min(1),
  /** A value of k each, by ascending L0. */
  points: z.array(
    z.object({
      k: z.int().positive(),
      l0: interval,
      fvu: interval,
      /** c_dec; s_n in units of the root mean square norm; see docs/sparsity.md. */
      decoderCosine: interval,
      projection: interval,
      knee: interval,
      consensus: interval,
      /** Bits of a sample at each of `distortions`. */
      bits: z.array(interval),
    }),
  ),
  /** FVU at which description lengths are compared. */
  distortions: z.array(z.number()),
  /** That of them at which the description length is drawn. */
  distortion: z.number(),
  /** What random directions have of c_dec and s_n, and the mean cosine of two random decoders' matched rows. */
  floors: z.object({ decoderCosine: number, projection: number, consensus: number }),
  optima: z.record(criterion, optimumSchema),
  proposal: z.discriminatedUnion('kind', [
    z.object({
      kind: z.literal('identified'),
      l0: z.number(),
      low: z.number(),
      high: z.number(),
      agreeing: z.array(criterion),
    }),
    z.object({ kind: z.literal('not identified'), why: z.string().min(1) }),
  ]),
  versions: z.object({ monosem: z.string(), node: z.string() }),
  machine: machineSchema,
  timing: z.record(z.string(), z.object({ wallSeconds: z.number(), cpuSeconds: z.number() })),
});

export type SparsityFile = z.output<typeof sparsitySchema>;

/** Makes `directory` with sparsity.json and the picture, in one step. InputError where it exists. */
export async function writeSparsity(directory: string, file: SparsityFile, svg: string): Promise<void> {
  const text = jsonText(validate(sparsitySchema, file, join(directory, SPARSITY_FILES.result)));
  await writeDirAtomic(directory, async (temporary) => {
    await writeFileAtomic(join(temporary, SPARSITY_FILES.result), text);
    await writeFileAtomic(join(temporary, SPARSITY_FILES.picture), svg);
  });
}

/** Reads sparsity.json. InputError names the file, and the field that is not as it should be. */
export async function readSparsityFile(directory: string): Promise<SparsityFile> {
  const path = join(directory, SPARSITY_FILES.result);
  return validate(sparsitySchema, await readJson(path), path);
}
