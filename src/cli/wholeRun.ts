/**
 * Carries a run out from wherever it stands to its report, for the commands that do so. After a signal the line
 * says how to go on.
 */
import { pathToFileURL } from 'node:url';
import { finishRun, trainRun } from '../pipeline/run.ts';
import type { Workbench } from '../pipeline/subject.ts';
import { grouped } from '../report/numbers.ts';
import type { RunConfig } from '../runs/config.ts';
import { readRun } from '../runs/directory.ts';
import type { Evaluation } from '../runs/schema.ts';
import { siteName } from '../runs/site.ts';
import { keepOnInterruption } from './interruption.ts';
import { metricsTable } from './metricsTable.ts';
import { corpusText } from './text.ts';

export interface FinishedRun {
  readonly directory: string;
  readonly report: string;
  readonly evaluation: Evaluation;
}

/** Trains the run in `directory`; an Interruption where a signal stopped it. */
export async function train(
  bench: Workbench,
  config: RunConfig,
  directory: string,
  resume: boolean,
): Promise<void> {
  await keepOnInterruption(directory, `monosem train --resume ${directory}`, async () => {
    const finished = await trainRun(bench, config, directory, { resume });
    if (!finished) bench.signal?.throwIfAborted();
  });
}

/** Evaluates and explains a trained run, and writes its report. */
export async function finish(bench: Workbench, directory: string): Promise<FinishedRun> {
  return keepOnInterruption(directory, `monosem evaluate ${directory}`, async () => ({
    directory,
    ...(await finishRun(bench, directory)),
  }));
}

/** What a person is told about a finished run. */
export async function finishedText({ directory, report, evaluation }: FinishedRun): Promise<string> {
  const { config, model, corpus } = await readRun(directory);
  const { latents, family } = config.dictionary;
  const origin = config.activations === undefined ? ` in ${model?.name ?? config.model}` : '';
  const title = `${directory}: ${grouped(latents)} latents (${family}) of ${siteName(config)}${origin}`;
  const text = corpus ? `\ntext: ${corpusText(corpus)}` : '';
  return `${title}${text}\n\n${metricsTable(evaluation)}\nreport: ${report}\nopen:   ${pathToFileURL(report).href}\n`;
}
