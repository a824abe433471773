/**
 * The verdict on a run: companions are trained, evidence is gathered for the dictionary and for its nulls, and what is supported
 * is counted in both. What it finds is in evidence.json and evidence.parquet of the run. It must not know of terminals.
 */
import type { Dictionary } from '../dictionaries/dictionary.ts';
import { type CompositionGraph, LATENT_CLASSES } from '../evaluation/composition/graph.ts';
import { type CausalEffects, causalEffects } from '../evaluation/evidence/causal.ts';
import type { Components } from '../evaluation/evidence/components.ts';
import { componentsWithout, type Evidence, gatherEvidence } from '../evaluation/evidence/evidence.ts';
import type { NullName } from '../evaluation/nulls/index.ts';
import { CALIBRATION } from '../evaluation/verdict/calibration.ts';
import { FEWEST_FIRINGS, INPUTS, verdictInputs } from '../evaluation/verdict/inputs.ts';
import { scoreOf } from '../evaluation/verdict/model.ts';
import { type Verdicts, verdictsOf } from '../evaluation/verdict/verdicts.ts';
import { InputError } from '../formats/errors.ts';
import { jackknifeInterval } from '../math/jackknife.ts';
import { mean } from '../math/statistics.ts';
import { writeReport } from '../report/writeReport.ts';
import type { RunConfig } from '../runs/config.ts';
import { readRun } from '../runs/directory.ts';
import {
  EVIDENCE_MEASURES,
  type EvidenceMeasure,
  type EvidenceSummary,
  type JudgedDictionary,
  type LatentEvidence,
  writeEvidence,
} from '../runs/evidence.ts';
import { isEvaluated, storedInterval } from '../runs/schema.ts';
import { type Site, siteOf } from '../runs/site.ts';
import { type CompanionDictionaries, trainCompanions } from './companions.ts';
import { composition, recordComposition } from './composition.ts';
import { readLearned } from './learn.ts';
import { madeNulls, nullDirectory, nullsOfKind } from './nulls.ts';
import {
  activationsOf,
  isFile,
  loadMaterial,
  type Material,
  reinitialised,
  type Workbench,
} from './subject.ts';

/** The parts of the documents that intervals of shares leave out in turn. */
const PARTS = 10;

/** A dictionary with its evidence and the verdicts on its latents. */
interface Judged {
  readonly name: string;
  readonly dictionary: Dictionary;
  readonly evidence: Evidence;
  readonly verdicts: Verdicts;
  readonly scores: Float64Array;
  /** The verdicts without each part of the documents. */
  readonly without: readonly Verdicts[];
}

/**
 * Judges the evaluated run in `dir`, an autoencoder of one hook point or of a file, at a false-discovery rate of `level`. False
 * where the signal stopped it; a second call goes on. InputError where the run is not evaluated or cannot be judged.
 */
export async function judgeRun(
  bench: Workbench,
  dir: string,
  level: number,
): Promise<EvidenceSummary | undefined> {
  const run = await readRun(dir);
  const { config } = run;
  const site = siteOf(config);
  if (!isEvaluated(run))
    throw new InputError(`${dir}: the run is ${run.status}; evaluate it first: monosem evaluate ${dir}`);
  if (!site.autoencoder || site.inputs.length > 1)
    throw new InputError(`${dir}: only autoencoders of one hook point can be judged, and this is none`);
  const material = await loadMaterial(bench, config);
  const companions = await trainCompanions(bench, config, dir, material, 'training of companions');
  if (!companions) return undefined;

  const learned = await readLearned(dir);
  const judge = (
    name: string,
    of: Material,
    dictionary: Dictionary,
    others: CompanionDictionaries,
    mean: Float32Array,
  ) =>
    judgeDictionary(bench, {
      name,
      material: of,
      site,
      dictionary,
      companions: others,
      mean,
      level,
      seed: config.seed,
    });
  const own = await judge('dictionary', material, learned.dictionary, companions, learned.mean);
  const nulls: Judged[] = [];
  for (const [name, dictionary] of await nullDictionaries(bench, config, dir, material))
    nulls.push(await judge(name, material, dictionary, companions, learned.mean));
  if (!isFile(material) && nullsOfKind(config, 'reinitialised').length > 0) {
    const name: NullName = 'reinitialised';
    const at = nullDirectory(dir, name);
    const reset = await reinitialised(bench, config, material);
    const others = await trainCompanions(bench, config, at, reset, 'training of companions of the null');
    if (!others) return undefined;
    const { dictionary, mean } = await readLearned(at);
    nulls.push(await judge(name, reset, dictionary, others, mean));
  }
  const effects = isFile(material)
    ? undefined
    : await effectsOf(bench, config, site, material, own.dictionary);

  const [wider] = companions.widths;
  const graph = await composition(bench, {
    material,
    site,
    dictionary: own.dictionary,
    wider,
    seed: config.seed,
  });
  await recordComposition(dir, graph, { seed: config.seed, wider: true });

  const { rows } = own.evidence.sums;
  const summary: EvidenceSummary = {
    format: 1,
    level,
    split: 'test',
    documents: own.evidence.documents,
    tokens: rows.reduce((sum, count) => sum + count, 0),
    dictionaries: [summaryOf(own), ...nulls.map((one) => ({ ...summaryOf(one), gap: gapOf(own, one) }))],
    classes: classesOf(own, graph),
  };
  await writeEvidence(dir, summary, latentRows(own, nulls, graph, effects));
  await writeReport(dir);
  return summary;
}

/** The nulls that are measured on the run's own activations. */
async function nullDictionaries(
  bench: Workbench,
  config: RunConfig,
  dir: string,
  material: Material,
): Promise<[NullName, Dictionary][]> {
  const learned = await readLearned(dir);
  const made = await madeNulls(bench, material, [{ config, ...learned }]);
  const ofMade = Object.entries(made.keys[0]).map(([name, key]): [NullName, Dictionary] => [
    name as NullName,
    made.dictionaries[key],
  ]);
  const trained = nullsOfKind(config, 'trained').map(
    async ({ name }): Promise<[NullName, Dictionary]> => [
      name,
      (await readLearned(nullDirectory(dir, name))).dictionary,
    ],
  );
  return [...ofMade, ...(await Promise.all(trained))];
}

async function judgeDictionary(
  { backend, reporter, stopwatch, signal }: Workbench,
  of: {
    name: string;
    material: Material;
    site: Site;
    dictionary: Dictionary;
    companions: CompanionDictionaries;
    mean: Float32Array;
    level: number;
    seed: number;
  },
): Promise<Judged> {
  const { name, material, site, dictionary, companions, mean, level, seed } = of;
  const evidence = await stopwatch.phase(reporter, `evidence for ${name}`, 'sequences', (update) =>
    gatherEvidence({
      backend,
      subject: dictionary,
      ...companions,
      source: activationsOf(material, 'test', site.inputs),
      mean,
      seed,
      onProgress: (done, total) => {
        signal?.throwIfAborted();
        update(done, total);
      },
    }),
  );
  const scored = (components: Components) => scoresOf(components, dictionary, evidence.sums.fires);
  const scores = scored(evidence.components);
  const parts = Array.from({ length: Math.min(PARTS, evidence.sums.groups) }, (_, part) => part);
  const without = parts.map((part) =>
    verdictsOf(CALIBRATION, scored(componentsWithout(evidence, (group) => group % PARTS === part)), level),
  );
  return { name, dictionary, evidence, scores, verdicts: verdictsOf(CALIBRATION, scores, level), without };
}

/** Scores `[latents]`; NaN where a latent fires too rarely on all rows together. */
function scoresOf(components: Components, dictionary: Dictionary, fires: Float64Array): Float64Array {
  const { latents } = dictionary;
  const inputs = verdictInputs(components, dictionary);
  const firings = new Float64Array(latents);
  fires.forEach((some, at) => {
    firings[at % latents] += some;
  });
  return firings.map((some, j) =>
    some < FEWEST_FIRINGS
      ? NaN
      : scoreOf(CALIBRATION, inputs.subarray(j * INPUTS.length, (j + 1) * INPUTS.length)),
  );
}

function effectsOf(
  { reporter, stopwatch, signal }: Workbench,
  { seed }: RunConfig,
  { inputs: [hook] }: Site,
  material: Exclude<Material, { source: unknown }>,
  dictionary: Dictionary,
): Promise<CausalEffects> {
  const { model, corpus, split } = material;
  return stopwatch.phase(reporter, 'causal effects', 'sequences', (update) =>
    causalEffects({
      model,
      hook,
      dictionary,
      corpus,
      sequences: split.test,
      seed,
      onProgress: (done, total) => {
        signal?.throwIfAborted();
        update(done, total);
      },
    }),
  );
}

function count({ verdict }: Verdicts, wanted: Verdicts['verdict'][number]): number {
  return verdict.reduce((sum, one) => sum + (one === wanted ? 1 : 0), 0);
}

/** The share of all latents that is supported, with its interval over the documents. */
const supportedShare = (verdicts: Verdicts) => count(verdicts, 'supported') / verdicts.verdict.length;

function summaryOf({ name, dictionary, verdicts, without }: Judged): JudgedDictionary {
  const { trueShare, probability } = verdicts;
  return {
    name,
    latents: dictionary.latents,
    judged: probability.reduce((sum, p) => sum + (Number.isNaN(p) ? 0 : 1), 0),
    supported: count(verdicts, 'supported'),
    unsupported: count(verdicts, 'unsupported'),
    undecided: count(verdicts, 'undecided'),
    supportedShare: storedInterval(jackknifeInterval(supportedShare(verdicts), without.map(supportedShare))),
    trueShare: Number.isNaN(trueShare) ? null : trueShare,
  };
}

/** Parts of documents are the same for both, so what they have in common is not in the interval of the difference. */
function gapOf(own: Judged, other: Judged) {
  const gap = (a: Verdicts, b: Verdicts) => supportedShare(a) - supportedShare(b);
  const without = own.without.map((verdicts, part) => gap(verdicts, other.without[part]));
  return storedInterval(jackknifeInterval(gap(own.verdicts, other.verdicts), without));
}

function classesOf({ verdicts, without }: Judged, { nodes }: CompositionGraph): EvidenceSummary['classes'] {
  return LATENT_CLASSES.flatMap((name) => {
    const latents = [...nodes.keys()].filter((j) => nodes[j].class === name);
    if (latents.length === 0) return [];
    const counted = (wanted: string) => latents.filter((j) => verdicts.verdict[j] === wanted).length;
    const meanOf = (probability: Float64Array) =>
      mean(latents.map((j) => probability[j]).filter((p) => !Number.isNaN(p)));
    const value = meanOf(verdicts.probability);
    return [
      {
        class: name,
        latents: latents.length,
        supported: counted('supported'),
        unsupported: counted('unsupported'),
        undecided: counted('undecided'),
        probability: Number.isNaN(value)
          ? null
          : storedInterval(
              jackknifeInterval(
                value,
                without.map((part) => meanOf(part.probability)),
              ),
            ),
      },
    ];
  });
}

function* latentRows(
  { dictionary, evidence: { components }, verdicts, scores }: Judged,
  nulls: readonly Judged[],
  { nodes }: CompositionGraph,
  effects: CausalEffects | undefined,
): Generator<LatentEvidence> {
  const unknown = new Float64Array(dictionary.latents).fill(NaN);
  const nothing = { value: unknown, low: unknown, high: unknown };
  const of = (name: EvidenceMeasure) =>
    name === 'ablated' || name === 'added' ? (effects?.[name] ?? nothing) : components[name];
  const amongNulls = (name: 'share' | 'kurtosis') => {
    const values = Float64Array.from(nulls.flatMap((one) => [...one.evidence.components[name].value]))
      .filter((value) => !Number.isNaN(value))
      .sort();
    return (value: number) => (Number.isNaN(value) ? NaN : shareBelow(values, value));
  };
  const [share, kurtosis] = [amongNulls('share'), amongNulls('kurtosis')];
  for (let latent = 0; latent < dictionary.latents; latent++) {
    const measures = EVIDENCE_MEASURES.flatMap((name) => {
      const { value, low, high } = of(name);
      return [
        [name, value[latent]],
        [`${name}Low`, low[latent]],
        [`${name}High`, high[latent]],
      ];
    });
    yield {
      latent,
      class: nodes[latent].class,
      verdict: verdicts.verdict[latent],
      probability: verdicts.probability[latent],
      score: scores[latent],
      sharePercentile: share(components.share.value[latent]),
      kurtosisPercentile: kurtosis(components.kurtosis.value[latent]),
      ...Object.fromEntries(measures),
    } as LatentEvidence;
  }
}

/** The share of `sorted` values below one; NaN of none. */
function shareBelow(sorted: Float64Array, value: number): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] < value) low = middle + 1;
    else high = middle;
  }
  return low / sorted.length;
}
