/** Carries an experiment out and writes its entry. It must not know which experiments there are. */
import { join } from 'node:path';
import { machineOf } from '../pipeline/records.ts';
import type { Workbench } from '../pipeline/subject.ts';
import { writeEntry } from '../runs/entry.ts';
import type { Entry } from '../runs/entrySchema.ts';
import { monosemVersion } from '../version.ts';
import type { Experiment } from './experiment.ts';

export interface ExperimentOptions {
  /** Where `<name>/entry.json` is written. */
  readonly directory: string;
  readonly seed: number;
  readonly quick: boolean;
}

/** Runs `experiment` and writes `directory/<name>/entry.json` when it is done. The same seed gives the same findings. */
export async function runExperiment(
  { backend, reporter, stopwatch, signal }: Workbench,
  experiment: Experiment,
  { directory, seed, quick }: ExperimentOptions,
): Promise<Entry> {
  const { name, title, claim, prediction, source } = experiment;
  const created = new Date().toISOString();
  const outcome = await stopwatch.phase(reporter, name, 'steps', (update) =>
    experiment.run({
      backend,
      quick,
      seed,
      update(done, total) {
        signal?.throwIfAborted();
        update(done, total);
      },
    }),
  );
  const entry: Entry = {
    format: 1,
    experiment: name,
    title,
    claim,
    prediction,
    source,
    findings: [...outcome.findings],
    figures: [...outcome.figures],
    verdict: outcome.verdict,
    because: outcome.because,
    quick,
    seed,
    created,
    seconds: stopwatch.timing[name].wallSeconds,
    versions: { monosem: await monosemVersion(), node: process.versions.node },
    machine: machineOf(backend),
  };
  await writeEntry(join(directory, name), entry);
  return entry;
}
