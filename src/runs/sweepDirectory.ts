/**
 * The directory of a sweep: sweep.json, and beside it an ordinary run directory for each arm, whose own files say all
 * else. It must not know how arms are trained.
 */
import { join } from 'node:path';
import * as z from 'zod';
import { writeDirAtomic, writeFileAtomic } from '../formats/atomic.ts';
import { jsonText, readJson } from '../formats/json.ts';
import { validate } from '../formats/validate.ts';
import { createRun } from './directory.ts';
import { halvingSchema } from './grid.ts';
import { type Run, stopSchema } from './schema.ts';

export const SWEEP_FILE = 'sweep.json';

const whole = z.int().nonnegative();

const sweepSchema = z.object({
  format: z.literal(1),
  name: z.string().min(1),
  created: z.iso.datetime(),
  /** Names of the arms, which are also those of their directories. */
  arms: z.array(z.string().min(1)).min(1),
  halving: halvingSchema.optional(),
  /** What was decided at each rung of halving, so that it is decided once. */
  rungs: z.array(
    z.object({
      step: whole,
      /** Who was compared, and who of them stopped. */
      arms: z.array(z.string()),
      stopped: z.array(stopSchema.extend({ arm: z.string() })),
    }),
  ),
  /** Of all arms together, by phase. */
  timing: z.record(z.string(), z.object({ wallSeconds: z.number(), cpuSeconds: z.number() })),
});

export type SweepFile = z.output<typeof sweepSchema>;
export type Rung = SweepFile['rungs'][number];

/** Makes the directory of a new sweep with its arms' directories, in one step. InputError where `directory` exists. */
export async function createSweep(directory: string, sweep: SweepFile, runs: readonly Run[]): Promise<void> {
  const checked = validate(sweepSchema, sweep, join(directory, SWEEP_FILE));
  await writeDirAtomic(directory, async (temporary) => {
    await writeFileAtomic(join(temporary, SWEEP_FILE), jsonText(checked));
    for (const run of runs) await createRun(join(temporary, run.name), run);
  });
}

/** Reads sweep.json. InputError names the file, and the field that is not as it should be. */
export async function readSweep(directory: string): Promise<SweepFile> {
  const path = join(directory, SWEEP_FILE);
  return validate(sweepSchema, await readJson(path), path);
}

/** Replaces keys of sweep.json; gives the result. */
export async function updateSweep(
  directory: string,
  patch: Partial<Pick<SweepFile, 'rungs' | 'timing'>>,
): Promise<SweepFile> {
  const path = join(directory, SWEEP_FILE);
  const after = validate(sweepSchema, { ...(await readSweep(directory)), ...patch }, path);
  await writeFileAtomic(path, jsonText(after));
  return after;
}
