/** From a run directory to its report.html. It must not know how the page looks. */

import { join } from 'node:path';
import { writeFileAtomic } from '../formats/atomic.ts';
import { RUN_FILES, readEvaluation, readMetrics, readRun } from '../runs/directory.ts';
import { readEvidence, readLatentEvidence } from '../runs/evidence.ts';
import { readExamples, readFeatures } from '../runs/tables.ts';
import { renderPage, SAMPLE_SIZE } from './page.ts';
import { sampleLatents } from './sample.ts';

/**
 * Writes report.html, one file that opens from disk without a server, and gives its path. Parts that the run has
 * not come to are said to be missing. The same run directory gives the same bytes. InputError where a file of the
 * run cannot be read or is not as it should be.
 */
export async function writeReport(runDirectory: string): Promise<string> {
  const run = await readRun(runDirectory);
  const metrics = await readMetrics(runDirectory);
  const evaluation = await readEvaluation(runDirectory);
  const evidence = await readEvidence(runDirectory);
  const latentEvidence = await readLatentEvidence(runDirectory);
  const features = await readFeatures(runDirectory);
  const sample = new Set(sampleLatents(features ?? [], SAMPLE_SIZE).map(({ latent }) => latent));
  const examples = await readExamples(runDirectory, sample);
  const path = join(runDirectory, RUN_FILES.report);
  await writeFileAtomic(
    path,
    renderPage({ run, metrics, evaluation, evidence, latentEvidence, features, examples }),
  );
  return path;
}
