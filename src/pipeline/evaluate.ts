/**
 * evaluation.json of a run: the test split, read for the first time, through the dictionary and its nulls.
 */
import { join } from 'node:path';
import { type Dictionary, encode } from '../dictionaries/dictionary.ts';
import { reconstructAll } from '../evaluation/fidelity.ts';
import { DENSITY_EDGES, densityHistogram, measure } from '../evaluation/metrics.ts';
import { randomDictionary } from '../evaluation/nulls/random.ts';
import { spliceAll } from '../evaluation/splice.ts';
import type { GroupSums } from '../evaluation/sums.ts';
import { drawResamples } from '../math/bootstrap.ts';
import { Random } from '../math/random.ts';
import type { RunConfig } from '../runs/config.ts';
import { type Evaluation, storedInterval } from '../runs/schema.ts';
import { siteName, siteOf } from '../runs/site.ts';
import { type Learned, readLearned } from './learn.ts';
import { unreported } from './reporter.ts';
import { activationsOf, isFile, type Material, reinitialised, type Workbench } from './subject.ts';

export const REINITIALISED = 'reinitialised';
const RANDOM = 'random';
const LEVEL = 0.95;
/** Training tokens that the random dictionary's gain is fitted on. */
const GAIN_SEQUENCES = 32;

/** Where the null of re-initialised weights lives in a run directory. */
export function reinitialisedDirectory(dir: string): string {
  return join(dir, 'nulls', REINITIALISED);
}

/** A trained run and where it is. */
export interface TrainedRun {
  readonly config: RunConfig;
  readonly dir: string;
}

/** Evaluates the run in `dir` on the test split. */
export async function evaluate(
  bench: Workbench,
  config: RunConfig,
  material: Material,
  dir: string,
): Promise<Evaluation> {
  const [evaluation] = await evaluateAll(bench, material, [{ config, dir }]);
  return evaluation;
}

/**
 * Evaluates runs on one material, each as if it were alone. What runs of one site have in common is done once: the model
 * as it is, with zeros and with the mean in the place of the activations, and random dictionaries that are the same.
 */
export async function evaluateAll(
  bench: Workbench,
  material: Material,
  runs: readonly TrainedRun[],
): Promise<Evaluation[]> {
  const compared: Record<string, GroupSums>[] = runs.map(() => ({}));
  let documents = 0;
  for (const group of groupsOf(runs, siteKey)) {
    const learned = await Promise.all(group.map((i) => readLearned(runs[i].dir)));
    const random = await unreported(bench.stopwatch, 'random null', () =>
      randomNulls(
        bench,
        material,
        group.map((i, g) => ({ ...runs[i], ...learned[g] })),
      ),
    );
    const own = group.map((i, g) => [`own ${i}`, learned[g].dictionary] as const);
    const dictionaries = { ...Object.fromEntries(own), ...random.dictionaries };
    const result = await spliced(
      bench,
      'evaluation',
      material,
      runs[group[0]].config,
      dictionaries,
      learned[0].mean,
    );
    documents = result.documents;
    for (const [g, i] of group.entries()) {
      compared[i].own = result.sums[`own ${i}`];
      const name = random.names[g];
      if (name !== undefined) compared[i][RANDOM] = result.sums[name];
    }
  }
  if (isFile(material)) return runs.map(({ config }, i) => assemble(config, compared[i], documents));
  const withNulls = runs.filter(({ config }) => config.evaluation.nulls);
  for (const ofSeed of groupsOf(withNulls, ({ config }) => config.seed, Number.POSITIVE_INFINITY)) {
    const again = ofSeed.map((i) => withNulls[i]);
    const reset = await reinitialised(bench, again[0].config, material);
    for (const group of groupsOf(again, siteKey)) {
      const learned = await Promise.all(group.map((i) => readLearned(reinitialisedDirectory(again[i].dir))));
      const dictionaries = Object.fromEntries(group.map((i, g) => [`${i}`, learned[g].dictionary]));
      const { config } = again[group[0]];
      const phase = 'evaluation of the null';
      const { sums } = await spliced(bench, phase, reset, config, dictionaries, learned[0].mean);
      for (const i of group) compared[runs.indexOf(again[i])][REINITIALISED] = sums[`${i}`];
    }
  }
  return unreported(bench.stopwatch, 'intervals', async () =>
    runs.map(({ config }, i) => assemble(config, compared[i], documents)),
  );
}

/** Dictionaries that are in memory at once, with their sums. */
const AT_ONCE = 32;

/** Places of the runs that have a key in common, no more than `most` together. */
function groupsOf(
  runs: readonly TrainedRun[],
  keyOf: (run: TrainedRun) => unknown,
  most = AT_ONCE,
): number[][] {
  const byKey = new Map<unknown, number[]>();
  for (const [i, run] of runs.entries()) {
    const key = keyOf(run);
    byKey.set(key, [...(byKey.get(key) ?? []), i]);
  }
  return [...byKey.values()].flatMap((group) => {
    const parts: number[][] = [];
    for (let at = 0; at < group.length; at += most) parts.push(group.slice(at, at + most));
    return parts;
  });
}

/** What runs that are spliced together must agree on: the site, and the rows that its mean was measured on. */
function siteKey({ config }: TrainedRun): string {
  return JSON.stringify([siteName(config), config.training.shuffleSeed]);
}

function spliced(
  { backend, reporter, stopwatch, signal }: Workbench,
  phase: string,
  material: Material,
  config: RunConfig,
  dictionaries: Record<string, Dictionary>,
  mean: Float32Array,
) {
  return stopwatch.phase(reporter, phase, 'sequences', (update) => {
    const site = siteOf(config);
    const onProgress = (done: number, total: number) => {
      signal?.throwIfAborted();
      update(done, total);
    };
    if (isFile(material)) {
      const source = activationsOf(material, 'test', site.inputs);
      return reconstructAll(backend, source, dictionaries, onProgress);
    }
    const { model, corpus, split } = material;
    return spliceAll({ model, site, corpus, sequences: split.test, dictionaries, mean, onProgress });
  });
}

function assemble(config: RunConfig, sums: Record<string, GroupSums>, documents: number): Evaluation {
  const { resamples } = config.evaluation;
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

/**
 * The random dictionaries of some runs of one site, and the name of each run's; none for runs without nulls. Random
 * directions at a transcoder's two ends have nothing to do with each other, and would be too weak a null.
 */
export async function randomNulls(
  { backend }: Workbench,
  material: Material,
  runs: readonly ({ readonly config: RunConfig } & Learned)[],
): Promise<{ dictionaries: Record<string, Dictionary>; names: (string | undefined)[] }> {
  const dictionaries: Record<string, Dictionary> = {};
  const site = siteOf(runs[0].config);
  const wanted = runs.map(({ config }) => config.evaluation.nulls && site.autoencoder);
  if (!wanted.includes(true)) return { dictionaries, names: runs.map(() => undefined) };
  const source = activationsOf(material, 'train', site.inputs);
  const count = Math.min(GAIN_SEQUENCES, source.sequences);
  const { activations, rows } = await source.read(Array.from({ length: count }, (_, i) => i));
  const names: (string | undefined)[] = [];
  for (const [i, { config, dictionary, mean }] of runs.entries()) {
    if (!wanted[i]) {
      names.push(undefined);
      continue;
    }
    const { values } = await encode(backend, dictionary, activations, rows);
    const k = Math.max(1, Math.round(values.length / rows));
    const shape = { latents: dictionary.latents, k, seed: config.seed };
    const name = `random ${JSON.stringify(shape)}`;
    dictionaries[name] ??= await randomDictionary(backend, shape, mean, activations, rows);
    names.push(name);
  }
  return { dictionaries, names };
}
