/**
 * evaluation.json of a run: the test split, read for the first time, through the dictionary and its nulls.
 */
import { join } from 'node:path';
import { modelSource } from '../activations/harvest.ts';
import { type Dictionary, encode } from '../dictionaries/dictionary.ts';
import { DENSITY_EDGES, densityHistogram, measure } from '../evaluation/metrics.ts';
import { randomDictionary } from '../evaluation/nulls.ts';
import { spliceAll } from '../evaluation/splice.ts';
import type { GroupSums } from '../evaluation/sums.ts';
import { drawResamples } from '../math/bootstrap.ts';
import { Random } from '../math/random.ts';
import type { RunConfig } from '../runs/config.ts';
import { type Evaluation, storedInterval } from '../runs/schema.ts';
import { siteOf } from '../runs/site.ts';
import { readLearned } from './learn.ts';
import { unreported } from './reporter.ts';
import { reinitialised, type Subject, type Workbench } from './subject.ts';

export const REINITIALISED = 'reinitialised';
const RANDOM = 'random';
const LEVEL = 0.95;
/** Training tokens that the random dictionary's gain is fitted on. */
const GAIN_SEQUENCES = 32;

/** Where the null of re-initialised weights lives in a run directory. */
export function reinitialisedDirectory(dir: string): string {
  return join(dir, 'nulls', REINITIALISED);
}

/** Evaluates the run in `dir` on the test split. */
export async function evaluate(
  bench: Workbench,
  config: RunConfig,
  subject: Subject,
  dir: string,
): Promise<Evaluation> {
  const { reporter, stopwatch } = bench;
  const { nulls, resamples } = config.evaluation;
  const { dictionary, mean } = await readLearned(dir);
  // Random directions at a transcoder's two ends have nothing to do with each other, and would be too weak a null.
  const random: Record<string, Dictionary> =
    nulls && siteOf(config).autoencoder
      ? {
          [RANDOM]: await unreported(stopwatch, 'random null', () =>
            randomNull(bench, config, subject, dictionary, mean),
          ),
        }
      : {};
  const run = (phase: string, of: Subject, dictionaries: Record<string, Dictionary>, at: Float32Array) =>
    stopwatch.phase(reporter, phase, 'sequences', (onProgress) =>
      spliceAll({
        model: of.model,
        site: siteOf(config),
        corpus: of.corpus,
        sequences: of.split.test,
        dictionaries,
        mean: at,
        onProgress: (done, total) => {
          bench.signal?.throwIfAborted();
          onProgress(done, total);
        },
      }),
    );
  const { sums, documents } = await run('evaluation', subject, { own: dictionary, ...random }, mean);
  const compared: Record<string, GroupSums> = { ...sums };
  if (nulls) {
    const other = await readLearned(reinitialisedDirectory(dir));
    const reset = await reinitialised(bench, config, subject);
    const result = await run(
      'evaluation of the null',
      reset,
      { [REINITIALISED]: other.dictionary },
      other.mean,
    );
    Object.assign(compared, result.sums);
  }
  return unreported(stopwatch, 'intervals', async () => assemble(config, compared, documents, resamples));
}

function assemble(
  config: RunConfig,
  sums: Record<string, GroupSums>,
  documents: number,
  resamples: number,
): Evaluation {
  const draws = drawResamples(sums.own.groups, resamples, new Random(config.seed, 'bootstrap'));
  const measured = Object.fromEntries(Object.entries(sums).map(([name, one]) => [name, measure(one, draws)]));
  const nullNames = Object.keys(sums).filter((name) => name !== 'own');
  const metrics = Object.entries(measured.own).map(([metric, interval]) => [
    metric,
    {
      ...storedInterval(interval),
      n: documents,
      nulls: nullNames.map((name) => ({
        name,
        ...storedInterval(measured[name][metric as keyof typeof measured.own]),
      })),
    },
  ]);
  return {
    format: 1,
    split: 'test',
    documents,
    tokens: sums.own.tokens.reduce((a, b) => a + b, 0),
    level: LEVEL,
    resamples,
    metrics: Object.fromEntries(metrics),
    density: {
      edges: DENSITY_EDGES,
      dictionaries: Object.entries(sums).map(([name, one]) => ({
        name: name === 'own' ? config.name : name,
        ...densityHistogram(one),
      })),
    },
    nulls: nullNames.map((name) => ({ name, description: DESCRIPTIONS[name] })),
  };
}

const DESCRIPTIONS: Record<string, string> = {
  [RANDOM]:
    'A dictionary of random directions with as many latents and as many of them active, read by inner products, with the one gain that fits best.',
  [REINITIALISED]:
    'A dictionary trained in the same way on the same text, but on the model with its weights drawn anew; measured on that model.',
};

/** The dictionary of random directions that `dictionary` is held against. */
export async function randomNull(
  bench: Workbench,
  config: RunConfig,
  subject: Subject,
  dictionary: Dictionary,
  mean: Float32Array,
): Promise<Dictionary> {
  const source = modelSource(subject.model, subject.corpus, subject.split.train, siteOf(config).inputs);
  const count = Math.min(GAIN_SEQUENCES, source.sequences);
  const { activations, rows } = await source.read(Array.from({ length: count }, (_, i) => i));
  const { values } = await encode(bench.backend, dictionary, activations, rows);
  const k = Math.max(1, Math.round(values.length / rows));
  const shape = { latents: dictionary.latents, k, seed: config.seed };
  return randomDictionary(bench.backend, shape, mean, activations, rows);
}
