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
import { diskOf } from './disk.ts';
import { evaluate, REINITIALISED, reinitialisedDirectory } from './evaluate.ts';
import { explain } from './explain.ts';
import { evaluationFlops, explanationFlops, harvestFlops, samplingFlops, trainingFlops } from './flops.ts';
import { learn, resolveTraining } from './learn.ts';
import { unreported } from './reporter.ts';
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
  if (options.resume) bench.stopwatch.goOn((await readRun(dir)).timing);
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
  await updateRun(dir, { status: 'running', ...describe(subject) });
  const lesson = {
    config,
    dir,
    resume,
    onStart: (step: number) => truncateMetrics(dir, step),
    onLine: (line: MetricsLine) => appendMetrics(dir, line),
  };
  const [result] = await learn(bench, [lesson], subject, { phase: 'training' });
  let finished = result.end === 'finished';
  let nullL0: number | undefined;
  if (finished && config.evaluation.nulls) {
    const reset = await reinitialised(bench, config, subject);
    const phase = 'training of the null';
    const again = { config, dir: reinitialisedDirectory(dir), resume };
    const [null_] = await learn(bench, [again], reset, { phase });
    finished = null_.end === 'finished';
    nullL0 = null_.l0;
  }
  const { width, scale, steps, deadLatents, l0 } = result;
  const tokens = steps * config.training.batch;
  const { timing, memory } = bench.stopwatch;
  await updateRun(dir, {
    status: finished ? 'running' : 'interrupted',
    activations: { width, scale },
    training: { tokens, steps, deadLatents },
    timing,
    memory,
    flops: {
      ...(subject.sampledTokens > 0 && {
        corpus: samplingFlops(subject.model.config, subject.sampledTokens),
      }),
      ...harvestsOf(subject, config, timing),
      training: trainingFlops(config, width, l0, tokens),
      ...(nullL0 !== undefined && { 'training of the null': trainingFlops(config, width, nullL0, tokens) }),
    },
  });
  return finished;
}

/** FLOPs of the harvests that this run made; one that it found in the cache cost it none. */
function harvestsOf(
  { model, corpus, split }: Subject,
  config: RunConfig,
  timing: Run['timing'],
): Run['flops'] {
  const flops = harvestFlops(model.config, hooksOf([siteOf(config)]), tokenCount(corpus, split.train));
  const made = ['harvest', 'harvest of the null'].filter((phase) => phase in timing);
  return Object.fromEntries(made.map((phase) => [phase, flops]));
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
    const { features, examples } = await explain(bench, config, subject, dir);
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
      flops: finishFlops(config, subject, evaluation),
    });
    const report = await unreported(bench.stopwatch, 'report', () => writeReport(dir));
    await updateRun(dir, { timing, memory, disk: await diskOf(dir, subject, hooksOf([siteOf(config)])) });
    return { report, evaluation };
  });
}

/** FLOPs of the evaluation and the explanation, by the L0 that was measured. */
function finishFlops(config: RunConfig, subject: Subject, { tokens, metrics }: Evaluation): Run['flops'] {
  const site = siteOf(config);
  const { config: model } = subject.model;
  const width = widthAt(subject, site.inputs);
  const { nulls } = metrics.l0;
  const of = (l0: number | null | undefined, dictionaries: number) =>
    evaluationFlops(model, config, site, { width, l0: l0 ?? 0, tokens, dictionaries });
  const beside = nulls.filter(({ name }) => name !== REINITIALISED).length;
  const reset = nulls.find(({ name }) => name === REINITIALISED);
  return {
    evaluation: of(metrics.l0.value, 1 + beside),
    ...(reset && { 'evaluation of the null': of(reset.value, 1) }),
    examples: explanationFlops(model, config, width, tokenCount(subject.corpus, subject.split.train)),
  };
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
