/** What the catalogue says of one run: what it is, its headline numbers beside their nulls, and what of it cannot be read. */
import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError } from '../formats/errors.ts';
import { bestNull } from '../report/measureList.ts';
import { grouped } from '../report/numbers.ts';
import { RUN_FILES, readEvaluation, readRun } from '../runs/directory.ts';
import { readEvidence } from '../runs/evidence.ts';
import type { EvidenceSummary } from '../runs/evidenceSchema.ts';
import type { Evaluation, Run } from '../runs/schema.ts';
import { siteName } from '../runs/site.ts';
import type { Broken, Headline, ListedRun } from './catalogueSchema.ts';
import type { Found } from './scan.ts';

/** Files of a run that a page may ask for; all others stay where they are, and so does what a symbolic link points to. */
export const PUBLIC_FILES: readonly string[] = [
  RUN_FILES.run,
  RUN_FILES.metrics,
  RUN_FILES.evaluation,
  RUN_FILES.features,
  RUN_FILES.examples,
  RUN_FILES.atlas,
  RUN_FILES.latentAtlas,
  RUN_FILES.words,
  RUN_FILES.directions,
  RUN_FILES.directionExamples,
  RUN_FILES.matches,
  RUN_FILES.latentMatches,
  RUN_FILES.evidence,
  RUN_FILES.latentEvidence,
  RUN_FILES.composition,
  RUN_FILES.compositionEdges,
  RUN_FILES.report,
];

const HEADLINES = ['explainedVariance', 'recoveredMean', 'l0', 'deadFraction'];

/** Never throws for what a file says: a run that cannot be read is listed with the reason. */
export async function listRun({ path, directory }: Found): Promise<ListedRun | Broken> {
  const problems: string[] = [];
  const told = async <T>(read: Promise<T>): Promise<T | undefined> => {
    try {
      return await read;
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      problems.push(error.message);
      return undefined;
    }
  };
  const run = await told(readRun(directory));
  if (run === undefined) return { path, error: problems[0] };
  const evaluation = await told(readEvaluation(directory));
  const evidence = await told(readEvidence(directory));
  return {
    path,
    name: run.name,
    status: run.status,
    created: run.created,
    subject: subjectOf(run),
    latents: run.config.dictionary.latents,
    site: siteName(run.config),
    trainedTokens: run.training?.tokens,
    headlines: evaluation ? headlinesOf(evaluation) : [],
    verdict: evidence && verdictOf(evidence),
    hasModel: run.config.activations === undefined,
    files: await sizesOf(directory),
    problems,
  };
}

function subjectOf({ config, model }: Run): string {
  const { family, latents } = config.dictionary;
  const origin = config.activations === undefined ? ` of ${model?.name ?? config.model}` : '';
  return `A ${family} dictionary of ${grouped(latents)} latents for ${siteName(config)}${origin}`;
}

function headlinesOf(evaluation: Evaluation): Headline[] {
  return HEADLINES.filter((metric) => Object.hasOwn(evaluation.metrics, metric)).map((metric) => {
    const { value, low, high } = evaluation.metrics[metric];
    const best = bestNull(metric, evaluation);
    return {
      metric,
      measured: { value, low, high },
      null: best && { name: best.name, value: best.value, low: best.low, high: best.high },
    };
  });
}

function verdictOf({ level, dictionaries }: EvidenceSummary): ListedRun['verdict'] {
  const [own, ...nulls] = dictionaries;
  const best = nulls.reduce<(typeof nulls)[number] | undefined>(
    (most, one) => (most && (most.supportedShare.value ?? 0) >= (one.supportedShare.value ?? 0) ? most : one),
    undefined,
  );
  const { supported, unsupported, undecided, supportedShare } = own;
  return {
    level,
    supported,
    unsupported,
    undecided,
    share: supportedShare,
    null: best && { name: best.name, ...best.supportedShare },
  };
}

async function sizesOf(directory: string): Promise<Record<string, number>> {
  const sizes: Record<string, number> = {};
  for (const file of PUBLIC_FILES) {
    const found = await lstat(join(directory, file)).catch(() => undefined);
    if (found?.isFile()) sizes[file] = found.size;
  }
  return sizes;
}
