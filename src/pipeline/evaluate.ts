/**
 * evaluation.json of a run: the test split, read for the first time, through the dictionary and its nulls.
 */
import type { Dictionary } from '../dictionaries/dictionary.ts';
import { reconstructAll } from '../evaluation/fidelity.ts';
import { DENSITY_EDGES, densityHistogram, measure } from '../evaluation/metrics.ts';
import { type NullName, nullsNamed } from '../evaluation/nulls/index.ts';
import { spliceAll } from '../evaluation/splice.ts';
import type { GroupSums } from '../evaluation/sums.ts';
import { drawResamples } from '../math/bootstrap.ts';
import { Random } from '../math/random.ts';
import type { RunConfig } from '../runs/config.ts';
import { type Evaluation, storedInterval } from '../runs/schema.ts';
import { siteName, siteOf } from '../runs/site.ts';
import { readLearned } from './learn.ts';
import { madeNulls, nullDirectory, nullsOfKind } from './nulls.ts';
import { unreported } from './reporter.ts';
import { activationsOf, isFile, type Material, reinitialised, type Workbench } from './subject.ts';

const LEVEL = 0.95;

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
  const compared: Partial<Record<'own' | NullName, GroupSums>>[] = runs.map(() => ({}));
  let documents = 0;
  for (const group of groupsOf(runs, siteKey)) {
    const learned = await Promise.all(group.map((i) => readLearned(runs[i].dir)));
    const made = await unreported(bench.stopwatch, 'making nulls', () =>
      madeNulls(
        bench,
        material,
        group.map((i, g) => ({ ...runs[i], ...learned[g] })),
      ),
    );
    const dictionaries = { ...made.dictionaries };
    // Which of the dictionaries each run is compared with.
    const keys: Partial<Record<'own' | NullName, string>>[] = made.keys;
    for (const [g, i] of group.entries()) {
      const { config, dir } = runs[i];
      keys[g].own = `own ${i}`;
      dictionaries[keys[g].own] = learned[g].dictionary;
      for (const { name } of nullsOfKind(config, 'trained')) {
        keys[g][name] = `${name} ${i}`;
        dictionaries[keys[g][name]] = (await readLearned(nullDirectory(dir, name))).dictionary;
      }
    }
    const { config } = runs[group[0]];
    const result = await spliced(bench, 'evaluation', material, config, dictionaries, learned[0].mean);
    documents = result.documents;
    for (const [g, i] of group.entries()) {
      for (const [name, key] of Object.entries(keys[g]))
        compared[i][name as 'own' | NullName] = result.sums[key];
    }
  }
  const withReset = runs.filter(({ config }) => nullsOfKind(config, 'reinitialised').length > 0);
  for (const ofSeed of groupsOf(withReset, ({ config }) => config.seed, Number.POSITIVE_INFINITY)) {
    if (isFile(material)) break;
    const again = ofSeed.map((i) => withReset[i]);
    const reset = await reinitialised(bench, again[0].config, material);
    for (const group of groupsOf(again, siteKey)) {
      const learned = await Promise.all(
        group.map((i) => readLearned(nullDirectory(again[i].dir, 'reinitialised'))),
      );
      const dictionaries = Object.fromEntries(group.map((i, g) => [`${i}`, learned[g].dictionary]));
      const { config } = again[group[0]];
      const phase = 'evaluation of the null';
      const { sums } = await spliced(bench, phase, reset, config, dictionaries, learned[0].mean);
      for (const i of group) compared[runs.indexOf(again[i])].reinitialised = sums[`${i}`];
    }
  }
  return unreported(bench.stopwatch, 'intervals', async () =>
    runs.map(({ config }, i) => assemble(config, compared[i] as Compared, documents)),
  );
}

/** Dictionaries that are in memory at once, with their sums. */
const AT_ONCE = 64;

/** Places of the runs that have a key in common, no more than `most` together: as many as have room with their nulls. */
function groupsOf(
  runs: readonly TrainedRun[],
  keyOf: (run: TrainedRun) => unknown,
  most = Math.max(1, Math.floor(AT_ONCE / Math.max(2, ...runs.map(({ config }) => 1 + besides(config))))),
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

/** Nulls that are measured on the same activations. */
function besides(config: RunConfig): number {
  return nullsOfKind(config, 'made').length + nullsOfKind(config, 'trained').length;
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

type Compared = { own: GroupSums } & Partial<Record<NullName, GroupSums>>;

function assemble(config: RunConfig, sums: Compared, documents: number): Evaluation {
  const { resamples } = config.evaluation;
  const draws = drawResamples(sums.own.groups, resamples, new Random(config.seed, 'bootstrap'));
  const nulls = nullsNamed(Object.keys(sums));
  const own = measure(sums.own, draws);
  const beside = nulls.map(({ name }) => ({ name, of: measure(sums[name]!, draws) }));
  const metrics = Object.entries(own).map(([metric, interval]) => [
    metric,
    {
      ...storedInterval(interval),
      n: documents,
      nulls: beside.map(({ name, of }) => ({ name, ...storedInterval(of[metric as keyof typeof own]) })),
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
      dictionaries: [
        { name: config.name, ...densityHistogram(sums.own) },
        ...nulls.map(({ name }) => ({ name, ...densityHistogram(sums[name]!) })),
      ],
    },
    nulls: nulls.map(({ name, description }) => ({ name, description })),
  };
}
