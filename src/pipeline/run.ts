/**
 * A run from its configuration to its report, in two parts that the command line also offers one by one: training
 * (with the null of re-initialised weights), then everything that is said about the result. Each part leaves the run
 * directory in a state that the next can start from, and that an interrupted part can go on from.
 */
import { cpus } from 'node:os';
import { tokenCount } from '../activations/corpus.ts';
import { InputError } from '../formats/errors.ts';
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
import { describeFile } from './fileSubject.ts';
import { harvestFlops, trainingFlops } from './flops.ts';
import { learn, resolveTraining } from './learn.ts';
import {
  isFile,
  loadMaterial,
  type Material,
  reinitialised,
  type Subject,
  type Workbench,
  widthAt,
} from './subject.ts';

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
  const subject = await loadMaterial(bench, config);
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
  subject: Material,
  dir: string,
  resume: boolean,
): Promise<boolean> {
  await updateRun(dir, {
    status: 'running',
    ...(isFile(subject) ? describeFile(subject) : describe(subject)),
  });
  const lesson = {
    config,
    dir,
    resume,
    onStart: (step: number) => truncateMetrics(dir, step),
    onLine: (line: MetricsLine) => appendMetrics(dir, line),
  };
  const [result] = await learn(bench, [lesson], subject, { phase: 'training' });
  let finished = result.end === 'finished';
  if (finished && config.evaluation.nulls && !isFile(subject)) {
    const reset = await reinitialised(bench, config, subject);
    const phase = 'training of the null';
    const again = { config, dir: reinitialisedDirectory(dir), resume };
    const [null_] = await learn(bench, [again], reset, { phase });
    finished = null_.end === 'finished';
  }
  const { width, scale, steps, deadLatents, l0 } = result;
  const tokens = steps * config.training.batch;
  await updateRun(dir, {
    status: finished ? 'running' : 'interrupted',
    activations: { width, scale },
    training: { tokens, steps, deadLatents },
    timing: bench.stopwatch.timing,
    flops: {
      ...(!isFile(subject) && { harvest: harvestOf(config, subject) }),
      training: trainingFlops(config, width, l0, tokens),
    },
  });
  return finished;
}

function harvestOf(config: RunConfig, { model, corpus, split }: Subject): number {
  return harvestFlops(model.config, hooksOf([siteOf(config)]), tokenCount(corpus, split.train));
}

/** Evaluates a trained run on the test split, explains its latents and writes the report. Returns the report's path. */
export async function finishRun(
  bench: Workbench,
  dir: string,
): Promise<{ report: string; evaluation: Evaluation }> {
  return keepingStatus(dir, async () => {
    const { config } = await readRun(dir);
    const subject = await loadMaterial(bench, config);
    const evaluation = await evaluate(bench, config, subject, dir);
    await writeEvaluation(dir, evaluation);
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

async function firstRecord({ backend }: Workbench, config: RunConfig): Promise<Run> {
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

function describe({
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
