/** What run.json says. It stands apart from the other schemas because it knows every family, which a page that shows a run need not. */

import * as z from 'zod';
import { runConfigSchema } from './config.ts';
import { machineSchema, stopSchema } from './schema.ts';

const whole = z.int().nonnegative();
const seconds = z.number().nonnegative();
const bytes = z.number().nonnegative();
const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'expected a SHA-256 of 64 lower-case hexadecimal digits');

const splitCounts = z.object({ train: whole, validation: whole, test: whole });

/** run.json: what was run, on what, and how far it came. The parts that a run learns on its way are optional. */
export const runSchema = z
  .object({
    format: z.literal(1),
    name: z.string().min(1),
    /** `evaluated` is complete but for what is said of each latent; `stopped` was given up by its sweep. */
    status: z.enum(['running', 'interrupted', 'evaluated', 'complete', 'stopped']),
    /** Of a run that a sweep stopped early. */
    stopped: stopSchema.optional(),
    /** ISO 8601, UTC. */
    created: z.iso.datetime(),
    config: runConfigSchema,
    seed: whole,
    versions: z.object({ monosem: z.string(), node: z.string() }),
    model: z.object({ name: z.string(), sha256, source: z.string() }).optional(),
    corpus: z
      .object({
        name: z.string(),
        description: z.string(),
        /** Whether the text was sampled from a model rather than written by people. */
        modelGenerated: z.boolean(),
        sha256,
        documents: splitCounts,
        tokens: splitCounts,
      })
      .optional(),
    /** The file of activations that was read in the place of a model and a corpus. */
    file: z.object({ path: z.string(), sha256, documents: splitCounts, rows: splitCounts }).optional(),
    machine: machineSchema,
    /** `scale` multiplies each activation so that the mean squared norm is 1. */
    activations: z.object({ width: z.int().positive(), scale: z.number().positive() }).optional(),
    training: z.object({ tokens: whole, steps: whole, deadLatents: whole }).optional(),
    timing: z.record(
      z.string(),
      z.object({
        wallSeconds: seconds,
        cpuSeconds: seconds,
        /** Of threads that were ready to run and had no processor: how busy the machine was with other things. */
        waitSeconds: seconds.optional(),
      }),
    ),
    /** Floating-point operations of each phase, by count rather than by measurement. */
    flops: z.record(z.string(), z.number().nonnegative()),
    /** The most memory that the process had held by the end of each phase, in bytes. */
    memory: z.record(z.string(), bytes).optional(),
    /** Bytes on disk when the run was complete: of the parts of its directory, and of what it shares with others in the cache. */
    disk: z.record(z.string(), bytes).optional(),
  })
  .superRefine((run, context) => {
    if (run.status !== 'complete' && run.status !== 'evaluated') return;
    const subject =
      run.config.activations === undefined ? (['model', 'corpus'] as const) : (['file'] as const);
    for (const part of [...subject, 'activations', 'training'] as const)
      if (run[part] === undefined)
        context.addIssue({ code: 'custom', path: [part], message: 'missing, though the run is complete' });
  });
