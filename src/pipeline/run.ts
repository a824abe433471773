/**
 * A run from its configuration to its report, in two parts that the command line also offers one by one: training
 * (with the null of re-initialised weights), then everything that is said about the result. Each part leaves the run
 * directory in a state that the next can start from, and that an interrupted part can go on from.
 */
import { cpus } from 'node:os';
import { tokenCount } from '../activations/corpus.ts';
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
import type { Evaluation, MetricsLine, Run } from '../runs/schema.ts';
import { hooksOf, siteOf } from '../runs/site.ts';
import { writeExamples, writeFeatures } from '../runs/tables.ts';
import { monosemVersion } from '../version.ts';
import { evaluate, reinitialisedDirectory } from './evaluate.ts';
import { explain } from './explain.ts';
import { harvestFlops, trainingFlops } from './flops.ts';
import { type LearnResult, learn, resolveTraining } from './learn.ts';
import { loadSubject, reinitialised, type Subject, type Workbench, widthAt } from './subject.ts';

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
  const subject = await loadSubject(bench, config);
  const width = widthAt(subject, siteOf(config).inputs);
  const resolved = resolveTraining(config, width, bench.backend);
  if (options.resume) Object.assign(bench.stopwatch.timing, (await readRun(dir)).timing);
  else await createRun(dir, await firstRecord(bench, resolved));
  return keepingStatus(dir, () => trainBoth(bench, resolved, subject, dir, options.resume));
}

/** Trains the dictionary, then its null. */
async function trainBoth(
  bench: Workbench,
  config: RunConfig,
  subject: Subject,
  dir: string,
  resume: boolean,
): Promise<boolean> {
  // One that a sweep stopped goes on like any other.
  await updateRun(dir, { status: 'running', stopped: undefined, ...describe(subject) });
  const lesson = {
    config,
    dir,
    resume,
    onStart: (step: number) => truncateMetrics(dir, step),
    onLine: (line: MetricsLine) => appendMetrics(dir, line),
  };
  const [result] = await learn(bench, [lesson], subject, { phase: 'training' });
  let finished = result.end === 'finished';
  if (finished && config.evaluation.nulls) {
    const reset = await reinitialised(bench, config, subject);
    const phase = 'training of the null';
    const again = { config, dir: reinitialisedDirectory(dir), resume };
    const [null_] = await learn(bench, [again], reset, { phase });
    finished = null_.end === 'finished';
  }
  await updateRun(dir, {
    status: finished ? 'running' : 'interrupted',
    ...trainedRecord(config, subject, result),
    timing: bench.stopwatch.timing,
  });
  return finished;
}

/** What run.json says of a training as far as it came. */
export function trainedRecord(
  config: RunConfig,
  subject: Subject,
  { width, scale, steps, deadLatents, l0 }: LearnResult,
): Pick<Run, 'activations' | 'training' | 'flops'> {
  const tokens = steps * config.training.batch;
  const read = tokenCount(subject.corpus, subject.split.train);
  return {
    activations: { width, scale },
    training: { tokens, steps, deadLatents },
    flops: {
      harvest: harvestFlops(subject.model.config, hooksOf([siteOf(config)]), read),
      training: trainingFlops(config, width, l0, tokens),
    },
  };
}

/** Evaluates a trained run on the test split, explains its latents and writes the report. Returns the report's path. */
export async function finishRun(
  bench: Workbench,
  dir: string,
): Promise<{ report: string; evaluation: Evaluation }> {
  return keepingStatus(dir, async () => {
    const { config } = await readRun(dir);
    const subject = await loadSubject(bench, config);
    const evaluation = await evaluate(bench, config, subject, dir);
    await writeEvaluation(dir, evaluation);
    noteL0(bench, config, evaluation);
    const { features, examples } = await explain(bench, config, subject, dir);
    await bench.stopwatch.phase(bench.reporter, 'writing', 'files', async (update) => {
      await writeFeatures(dir, features);
      update(1, 2);
      await writeExamples(dir, examples);
      update(2, 2);
    });
    await updateRun(dir, { status: 'complete', timing: bench.stopwatch.timing });
    return { report: await writeReport(dir), evaluation };
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

/** run.json of a run that has not begun. */
export async function firstRecord({ backend }: Workbench, config: RunConfig): Promise<Run> {
  return {
    format: 1,
    name: config.name,
    status: 'running',
    created: new Date().toISOString(),
    config,
    seed: config.seed,
    versions: { monosem: await monosemVersion(), node: process.versions.node },
    machine: {
      cpu: cpus()[0]?.model.trim() || 'unknown',
      backend: backend.name,
      instructionSet: backend.instructionSet,
      threads: backend.threads,
    },
    timing: {},
    flops: {},
  };
}

/** What run.json says of a subject. */
export function describe({
  model,
  modelSha256,
  modelSource,
  corpus,
  split,
}: Subject): Pick<Run, 'model' | 'corpus'> {
  const documents = (part: Uint32Array) => new Set(Array.from(part, (s) => corpus.documents[s])).size;
  const counts = (count: (part: Uint32Array) => number) => ({
    train: count(split.train),
    validation: count(split.validation),
    test: count(split.test),
  });
  return {
    model: { name: model.config.name, sha256: modelSha256, source: modelSource },
    corpus: {
      name: corpus.name,
      description: corpus.description,
      modelGenerated: corpus.modelGenerated,
      sha256: corpus.sha256,
      documents: counts(documents),
      tokens: counts((part) => tokenCount(corpus, part)),
    },
  };
}
