/**
 * A run from its configuration to its report, in two parts that the command line also offers one by one: training
 * (with the nulls that are trained), then everything that is said about the result. Each part leaves the run
 * directory in a state that the next can start from, and that an interrupted part can go on from.
 */
import { keepsToK, L0_TOLERANCE } from '../evaluation/knob.ts';
import { InputError } from '../formats/errors.ts';
import { decimal, percent } from '../report/numbers.ts';
import { writeReport } from '../report/writeReport.ts';
import type { RunConfig } from '../runs/config.ts';
import {
  appendMetrics,
  createRun,
  exists,
  readRun,
  truncateMetrics,
  updateRun,
  writeEvaluation,
} from '../runs/directory.ts';
import type { Evaluation, MetricsLine } from '../runs/schema.ts';
import { hooksOf, siteOf } from '../runs/site.ts';
import { writeExamples, writeFeatures } from '../runs/tables.ts';
import { makeAtlas } from './atlas.ts';
import { diskOf } from './disk.ts';
import { evaluate } from './evaluate.ts';
import { explain } from './explain.ts';
import { type LearnResult, learn, resolveTraining } from './learn.ts';
import { nullDirectory, nullLessons, nullsOfKind } from './nulls.ts';
import { describe, finishFlops, firstRecord, trainedRecord } from './records.ts';
import { unreported } from './reporter.ts';
import { isFile, loadMaterial, type Material, reinitialised, type Workbench, widthAt } from './subject.ts';

/**
 * Trains as `config` says into the new run directory `dir`, or goes on with the run that is there. False where the
 * signal stopped it: the run is then `interrupted` and can be resumed.
 */
export async function trainRun(
  bench: Workbench,
  config: RunConfig,
  dir: string,
  options: { resume: boolean },
): Promise<boolean> {
  if (!options.resume && (await exists(dir))) {
    throw new InputError(
      `${dir}: it exists already; choose another --name, or go on with it: monosem train --resume ${dir}`,
    );
  }
  const material = await loadMaterial(bench, config);
  const resolved = resolveTraining(config, widthAt(material, siteOf(config).inputs), bench.backend);
  if (options.resume) bench.stopwatch.goOn((await readRun(dir)).timing);
  else await createRun(dir, await firstRecord(bench, resolved));
  return keepingStatus(dir, () => trainAll(bench, resolved, material, dir, options.resume));
}

/** Trains the dictionary with the nulls that read the same rows, then the null of re-initialised weights. */
async function trainAll(
  bench: Workbench,
  config: RunConfig,
  material: Material,
  dir: string,
  resume: boolean,
): Promise<boolean> {
  // One that a sweep stopped goes on like any other.
  await updateRun(dir, { status: 'running', stopped: undefined, ...describe(material) });
  const lesson = {
    config,
    dir,
    resume,
    onStart: (step: number) => truncateMetrics(dir, step),
    onLine: (line: MetricsLine) => appendMetrics(dir, line),
  };
  const lessons = [lesson, ...nullLessons(config, dir, resume)];
  const [result, ...besides] = await learn(bench, lessons, material, { phase: 'training' });
  let finished = [result, ...besides].every(({ end }) => end === 'finished');
  let reset: LearnResult | undefined;
  if (finished && nullsOfKind(config, 'reinitialised').length > 0 && !isFile(material)) {
    const again = { config, dir: nullDirectory(dir, 'reinitialised'), resume };
    const drawnAnew = await reinitialised(bench, config, material);
    [reset] = await learn(bench, [again], drawnAnew, { phase: 'training of the null' });
    finished = reset.end === 'finished';
  }
  await updateRun(dir, {
    status: finished ? 'running' : 'interrupted',
    ...trainedRecord(bench, config, material, result, { besides, reset }),
  });
  return finished;
}

/** Evaluates a trained run on the test split, explains its latents, makes their atlas and writes the report. Returns the report's path. */
export async function finishRun(
  bench: Workbench,
  dir: string,
): Promise<{ report: string; evaluation: Evaluation }> {
  return keepingStatus(dir, async () => {
    const { config } = await readRun(dir);
    const material = await loadMaterial(bench, config);
    const evaluation = await evaluate(bench, config, material, dir);
    await writeEvaluation(dir, evaluation);
    noteL0(bench, config, evaluation);
    const { features, examples } = await explain(bench, config, material, dir);
    await bench.stopwatch.phase(bench.reporter, 'writing', 'files', async (update) => {
      await writeFeatures(dir, features);
      update(1, 2);
      await writeExamples(dir, examples);
      update(2, 2);
    });
    await makeAtlas(bench, config, material, dir);
    const { timing, memory } = bench.stopwatch;
    await updateRun(dir, {
      status: 'complete',
      timing,
      memory,
      flops: finishFlops(config, material, evaluation),
    });
    const report = await unreported(bench.stopwatch, 'report', () => writeReport(dir));
    await updateRun(dir, { timing, memory, disk: await diskOf(dir, material, hooksOf([siteOf(config)])) });
    return { report, evaluation };
  });
}

/** A dictionary that was told how many latents fire on a token should keep to it on text that it never saw. */
function noteL0({ reporter }: Workbench, { dictionary }: RunConfig, { metrics }: Evaluation): void {
  const [k, l0] = ['k' in dictionary ? dictionary.k : undefined, metrics.l0.value];
  if (k === undefined || l0 === null || keepsToK(k, l0)) return;
  reporter.note(
    `L0 on the test split is ${decimal(l0, 1)}, more than ${percent(L0_TOLERANCE)} from the k of ${k} that was asked for`,
  );
}

/** Does `work` on a run. Where it fails or is stopped, the run is marked as interrupted before the error goes on. */
async function keepingStatus<T>(dir: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    // What stopped the work, a full disk say, may also stop this; then the first error is the one to tell.
    await updateRun(dir, { status: 'interrupted' }).catch(() => undefined);
    throw error;
  }
}
