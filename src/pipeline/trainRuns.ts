/**
 * The training of runs that read one material in one order: one run, or the arms of a sweep. All dictionaries are trained
 * in one pass, then all nulls of re-initialised weights in another. Each run comes to the same bytes as alone.
 */
import { InputError } from '../formats/errors.ts';
import { groupBy } from '../math/groupBy.ts';
import type { RunConfig } from '../runs/config.ts';
import { appendMetrics, createRun, exists, readRun, truncateMetrics, updateRun } from '../runs/directory.ts';
import type { MetricsLine } from '../runs/schema.ts';
import { siteOf } from '../runs/site.ts';
import type { TrainRequest } from '../training/train.ts';
import { reinitialisedDirectory } from './evaluate.ts';
import { type LearnResult, type Lesson, learn, resolveTraining } from './learn.ts';
import { describe, firstRecord, learningFlops, materialFlops } from './records.ts';
import { isFile, type Material, reinitialised, type Workbench, widthAt } from './subject.ts';

/** A run that is to be, or that goes on. */
export interface PlannedRun {
  readonly config: RunConfig;
  readonly dir: string;
}

/**
 * Makes the directory of a new run, with every `auto` of its configuration resolved; of one that goes on, only reads what it
 * says. InputError where a new run's directory is there already.
 */
export async function beginRun(
  bench: Workbench,
  { config, dir }: PlannedRun,
  material: Material,
  { resume }: { resume: boolean },
): Promise<PlannedRun> {
  if (!resume && (await exists(dir))) {
    throw new InputError(
      `${dir}: it exists already; choose another --name, or go on with it: monosem train --resume ${dir}`,
    );
  }
  const resolved = resolveTraining(config, widthAt(material, siteOf(config).inputs), bench.backend);
  if (!resume) await createRun(dir, await firstRecord(bench, resolved));
  await updateRun(dir, { status: 'running', ...describe(material) });
  return { config: resolved, dir };
}

/**
 * Trains the runs and their nulls, from where they stand. The result of each; its run.json says `running` where there is
 * more to do, `interrupted` where the signal stopped it, `stopped` where `afterStep` did.
 */
export async function trainRuns(
  bench: Workbench,
  runs: readonly PlannedRun[],
  material: Material,
  { resume, afterStep }: { resume: boolean; afterStep?: TrainRequest['afterStep'] },
): Promise<LearnResult[]> {
  const lessons = runs.map(
    ({ config, dir }): Lesson => ({
      config,
      dir,
      resume,
      onStart: (step: number) => truncateMetrics(dir, step),
      onLine: (line: MetricsLine) => appendMetrics(dir, line),
    }),
  );
  const results = await learn(bench, lessons, material, { phase: 'training', afterStep });
  const nulls = await trainNulls(
    bench,
    runs.filter(({ config }, i) => results[i].end === 'finished' && config.evaluation.nulls),
    material,
    resume,
  );
  const { timing, memory } = bench.stopwatch;
  return Promise.all(
    runs.map(async (run, i) => {
      const { config, dir } = run;
      const { width, scale, steps, deadLatents } = results[i];
      const null_ = nulls.get(run);
      const end = results[i].end === 'finished' ? (null_?.end ?? 'finished') : results[i].end;
      await updateRun(dir, {
        // What halving says of an arm that it stopped is in its run.json already.
        ...(end !== 'stopped' && { status: end === 'finished' ? 'running' : 'interrupted' }),
        activations: { width, scale },
        training: { tokens: steps * config.training.batch, steps, deadLatents },
        timing,
        memory,
        flops: {
          ...materialFlops(material, config, timing),
          training: learningFlops(config, results[i]),
          ...(null_ && { 'training of the null': learningFlops(config, null_) }),
        },
      });
      return { ...results[i], end };
    }),
  );
}

/** The same dictionaries on the model with its weights drawn anew, which differs with the run's seed. */
async function trainNulls(
  bench: Workbench,
  runs: readonly PlannedRun[],
  material: Material,
  resume: boolean,
): Promise<Map<PlannedRun, LearnResult>> {
  const results = new Map<PlannedRun, LearnResult>();
  if (isFile(material)) return results;
  const bySeed = groupBy(runs, ({ config }) => config.seed);
  for (const some of bySeed.values()) {
    const reset = await reinitialised(bench, some[0].config, material);
    const lessons = some.map(({ config, dir }) => ({ config, dir: reinitialisedDirectory(dir), resume }));
    const learned = await learn(bench, lessons, reset, { phase: 'training of the null' });
    learned.forEach((result, i) => {
      results.set(some[i], result);
    });
  }
  return results;
}

/** The timing that a run that goes on has had so far. */
export async function takeUpTiming(bench: Workbench, dir: string): Promise<void> {
  Object.assign(bench.stopwatch.timing, (await readRun(dir)).timing);
}
