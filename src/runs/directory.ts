/**
 * The run directory, the only place where a run is kept: it writes and reads each file, whole or not at all, and
 * checks each against its schema on both ways. A part that a run has not come to yet is read as undefined. It
 * must not know how the parts are made or shown.
 */

import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { writeDirAtomic, writeFileAtomic } from '../formats/atomic.ts';
import { explainSystemError, InputError, systemCode } from '../formats/errors.ts';
import { jsonText, readJson } from '../formats/json.ts';
import { appendJsonl, readJsonl } from '../formats/jsonl.ts';
import { validate } from '../formats/validate.ts';
import { runSchema } from './runSchema.ts';
import {
  type Evaluation,
  evaluationSchema,
  type MetricsLine,
  metricsLineSchema,
  type Run,
} from './schema.ts';

/** The names of the files and directories in a run directory. */
export const RUN_FILES = {
  run: 'run.json',
  metrics: 'metrics.jsonl',
  dictionary: 'sae',
  checkpoints: 'checkpoints',
  evaluation: 'evaluation.json',
  features: 'features.parquet',
  examples: 'examples.parquet',
  atlas: 'atlas.json',
  latentAtlas: 'atlas.parquet',
  words: 'words.parquet',
  directions: 'directions.parquet',
  directionExamples: 'direction_examples.parquet',
  matches: 'matches.json',
  latentMatches: 'matches.parquet',
  evidence: 'evidence.json',
  latentEvidence: 'evidence.parquet',
  composition: 'composition.json',
  compositionEdges: 'composition.parquet',
  report: 'report.html',
} as const;

/** Makes the directory of a new run with its run.json, in one step. InputError where `directory` exists. */
export async function createRun(directory: string, run: Run): Promise<void> {
  const text = jsonText(validate(runSchema, run, join(directory, RUN_FILES.run)));
  await writeDirAtomic(directory, (temporary) => writeFileAtomic(join(temporary, RUN_FILES.run), text));
}

/** Some of run.json's keys; of an object in it (`timing`, `flops`, `memory`) only those of its keys that are new. */
export type RunPatch = Partial<Omit<Run, 'format'>>;

/** Puts `patch` into run.json: `timing`, `flops` and `memory` gain its phases, every other key is replaced. Gives the result. */
export async function updateRun(directory: string, patch: RunPatch): Promise<Run> {
  const path = join(directory, RUN_FILES.run);
  const before = await readJson(path);
  const run = validate(runSchema, before, path);
  const after = {
    ...(before as object),
    ...patch,
    timing: { ...run.timing, ...patch.timing },
    flops: { ...run.flops, ...patch.flops },
    memory: { ...run.memory, ...patch.memory },
  };
  const checked = validate(runSchema, after, path);
  await writeFileAtomic(path, jsonText(after));
  return checked;
}

/** Reads run.json. InputError names the file, and the field that is not as it should be. */
export async function readRun(directory: string): Promise<Run> {
  const path = join(directory, RUN_FILES.run);
  return validate(runSchema, await readJson(path), path);
}

/** Adds a line to metrics.jsonl. */
export async function appendMetrics(directory: string, line: MetricsLine): Promise<void> {
  const path = join(directory, RUN_FILES.metrics);
  await appendJsonl(path, validate(metricsLineSchema, line, path));
}

/** The lines of metrics.jsonl, none where the file is not there; one torn by a killed process is left out. */
export async function readMetrics(directory: string): Promise<MetricsLine[]> {
  const path = join(directory, RUN_FILES.metrics);
  if (!(await exists(path))) return [];
  const lines = await readJsonl(path, { tornTail: 'drop' });
  return lines.map((line, i) => validate(metricsLineSchema, line, `${path}, line ${i + 1}`));
}

/** Drops the lines of metrics.jsonl after `step`, as a run does that resumes from a checkpoint at `step`. */
export async function truncateMetrics(directory: string, step: number): Promise<void> {
  const path = join(directory, RUN_FILES.metrics);
  if (!(await exists(path))) return;
  const lines = (await readMetrics(directory)).filter((line) => line.step <= step);
  await writeFileAtomic(path, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
}

/** Writes evaluation.json. */
export async function writeEvaluation(directory: string, evaluation: Evaluation): Promise<void> {
  const path = join(directory, RUN_FILES.evaluation);
  await writeFileAtomic(path, jsonText(validate(evaluationSchema, evaluation, path)));
}

/** Reads evaluation.json; undefined where the run has not been evaluated. */
export async function readEvaluation(directory: string): Promise<Evaluation | undefined> {
  const path = join(directory, RUN_FILES.evaluation);
  return (await exists(path)) ? validate(evaluationSchema, await readJson(path), path) : undefined;
}

/** A run directory found by `listRuns`: its path, and what its run.json says or why that cannot be read. */
export type ListedRun = { directory: string } & ({ run: Run } | { error: string });

/** The run directories right below `root`, by name: those that hold a run.json. InputError where `root` cannot be read. */
export async function listRuns(root: string): Promise<ListedRun[]> {
  const names = await readdir(root).catch((error) => {
    throw explainSystemError(error, 'read', root);
  });
  const listed: ListedRun[] = [];
  for (const name of names.sort()) {
    const directory = join(root, name);
    // Hidden names are directories that a killed process left half-written.
    if (name.startsWith('.') || !(await exists(join(directory, RUN_FILES.run)))) continue;
    try {
      listed.push({ directory, run: await readRun(directory) });
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      listed.push({ directory, error: error.message });
    }
  }
  return listed;
}

/** Whether there is anything at `path`. InputError where that cannot be told. */
export async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR') return false;
    throw explainSystemError(error, 'read', path);
  }
}
