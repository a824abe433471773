/**
 * A run from its configuration to its report, in two parts that the command line also offers one by one: training
 * (with the null of re-initialised weights), then everything that is said about the result. Each part leaves the run
 * directory in a state that the next can start from, and that an interrupted part can go on from.
 */
import { InputError } from '../formats/errors.ts';
import { writeReport } from '../report/writeReport.ts';
import type { RunConfig } from '../runs/config.ts';
import { exists, readRun, updateRun, writeEvaluation } from '../runs/directory.ts';
import type { Evaluation } from '../runs/schema.ts';
import { hooksOf, siteOf } from '../runs/site.ts';
import { writeExamples, writeFeatures } from '../runs/tables.ts';
import { diskOf } from './disk.ts';
import { evaluate } from './evaluate.ts';
import { explain } from './explain.ts';
import { finishFlops } from './records.ts';
import { loadMaterial, type Workbench } from './subject.ts';
import { beginRun, takeUpTiming, trainRuns } from './trainRuns.ts';

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
  // Before anything is loaded, which may take minutes.
  if (!options.resume && (await exists(dir))) {
    throw new InputError(
      `${dir}: it exists already; choose another --name, or go on with it: monosem train --resume ${dir}`,
    );
  }
  const material = await loadMaterial(bench, config);
  if (options.resume) await takeUpTiming(bench, dir);
  const run = await beginRun(bench, { config, dir }, material, options);
  return keepingStatus([dir], async () => {
    const [{ end }] = await trainRuns(bench, [run], material, options);
    return end === 'finished';
  });
}

/** Evaluates a trained run on the test split, explains its latents and writes the report. Returns the report's path. */
export async function finishRun(
  bench: Workbench,
  dir: string,
): Promise<{ report: string; evaluation: Evaluation }> {
  return keepingStatus([dir], async () => {
    const { config } = await readRun(dir);
    const material = await loadMaterial(bench, config);
    const evaluation = await evaluate(bench, config, material, dir);
    await writeEvaluation(dir, evaluation);
    const { features, examples } = await explain(bench, config, material, dir);
    await bench.stopwatch.phase(bench.reporter, 'writing', 'files', async (update) => {
      await writeFeatures(dir, features);
      update(1, 2);
      await writeExamples(dir, examples);
      update(2, 2);
    });
    const { timing, memory } = bench.stopwatch;
    await updateRun(dir, {
      status: 'complete',
      timing,
      memory,
      flops: finishFlops(config, material, evaluation),
      disk: await diskOf(dir, material, hooksOf([siteOf(config)])),
    });
    return { report: await writeReport(dir), evaluation };
  });
}

/** Does `work` on runs. Where it fails or is stopped, they are marked as interrupted before the error goes on. */
export async function keepingStatus<T>(dirs: readonly string[], work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    for (const dir of dirs) {
      // What stopped the work, a full disk say, may also stop this; then the first error is the one to tell.
      const { status } = await readRun(dir).catch(() => ({ status: undefined }));
      if (status === 'running') await updateRun(dir, { status: 'interrupted' }).catch(() => undefined);
    }
    throw error;
  }
}
