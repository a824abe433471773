/**
 * The verdict on a run: companions are trained, evidence is gathered for the dictionary and for its nulls, and what is supported
 * is counted in both. What it finds is in evidence.json and evidence.parquet of the run. It must not know of terminals.
 */
import { modelSource } from '../activations/harvest.ts';
import type { Dictionary } from '../dictionaries/dictionary.ts';
import { type CausalEffects, causalEffects } from '../evaluation/evidence/causal.ts';
import { type Component, type Components, FEWEST_FIRINGS } from '../evaluation/evidence/components.ts';
import { componentsWithout, type Evidence, gatherEvidence } from '../evaluation/evidence/evidence.ts';
import { firingsOf } from '../evaluation/evidence/firing.ts';
import { transferOf } from '../evaluation/evidence/transfer.ts';
import type { NullName } from '../evaluation/nulls/index.ts';
import { CALIBRATION } from '../evaluation/verdict/calibration.ts';
import { INPUTS, verdictInputs } from '../evaluation/verdict/inputs.ts';
import { scoreOf } from '../evaluation/verdict/model.ts';
import { verdictsOf } from '../evaluation/verdict/verdicts.ts';
import { InputError } from '../formats/errors.ts';
import { beside } from '../kernels/inTurns.ts';
import { writeReport } from '../report/writeReport.ts';
import type { RunConfig } from '../runs/config.ts';
import { readRun } from '../runs/directory.ts';
import { writeEvidence } from '../runs/evidence.ts';
import type { EvidenceSummary } from '../runs/evidenceSchema.ts';
import { isEvaluated } from '../runs/schema.ts';
import { type Site, siteOf } from '../runs/site.ts';
import { type CompanionDictionaries, trainCompanions } from './companions.ts';
import { composition, recordComposition } from './composition.ts';
import { type Learned, readLearned } from './learn.ts';
import { madeNulls, nullDirectory, nullsOfKind } from './nulls.ts';
import { type OtherText, otherText } from './otherText.ts';
import {
  activationsOf,
  isFile,
  loadMaterial,
  type Material,
  reinitialised,
  type Workbench,
} from './subject.ts';
import { classesOf, gapOf, type Judged, latentRows, summaryOf } from './verdictSummary.ts';

/** The parts of the documents that intervals of shares leave out in turn. */
const PARTS = 10;

/**
 * Judges the evaluated run in `dir`, an autoencoder of one hook point or of a file, at a false-discovery rate of `level`. Where
 * another corpus is named, it is also measured whether latents hold in its text. Undefined where the signal stopped it; a second call
 * goes on. InputError where the run is not evaluated or cannot be judged.
 */
export async function judgeRun(
  bench: Workbench,
  dir: string,
  level: number,
  otherCorpus?: string,
): Promise<EvidenceSummary | undefined> {
  try {
    return await judge(bench, dir, level, otherCorpus);
  } catch (error) {
    if (error === bench.signal?.reason) return undefined;
    throw error;
  }
}

async function judge(
  bench: Workbench,
  dir: string,
  level: number,
  otherCorpus: string | undefined,
): Promise<EvidenceSummary | undefined> {
  const run = await readRun(dir);
  const { config } = run;
  const site = siteOf(config);
  if (!isEvaluated(run))
    throw new InputError(`${dir}: the run is ${run.status}; evaluate it first: monosem evaluate ${dir}`);
  if (!site.autoencoder || site.inputs.length > 1)
    throw new InputError(`${dir}: only autoencoders of one hook point can be judged, and this is none`);
  const material = await loadMaterial(bench, config);
  const other = otherCorpus === undefined ? undefined : await otherText(bench, config, material, otherCorpus);
  const learned = await readLearned(dir);
  const reset = await resetNull(bench, config, dir, material);

  // JavaScript's part of one falls into the addon's part of the other.
  const [companions, nullDictionaries, effects] = await beside(
    trainCompanions(bench, config, dir, material, 'training of companions'),
    nullsOf(bench, config, dir, material, learned),
    effectsOf(bench, config, site, material, learned.dictionary),
  );
  if (!companions) return undefined;
  const [wider] = companions.widths;
  const judged = { site, level, seed: config.seed, other };
  const [judgements, graph, resetCompanions] = await beside(
    judgeDictionaries(bench, {
      ...judged,
      named: [['dictionary', learned.dictionary], ...nullDictionaries],
      material,
      companions,
      mean: learned.mean,
    }),
    composition(bench, { material, site, dictionary: learned.dictionary, wider, seed: config.seed }),
    reset && trainCompanions(bench, config, reset.dir, reset.material, 'training of companions of the null'),
  );
  const [own, ...nulls] = judgements;
  if (reset) {
    if (!resetCompanions) return undefined;
    const { dictionary, mean } = await readLearned(reset.dir);
    const of = { ...judged, named: [[reset.name, dictionary]] as const, mean };
    nulls.push(
      ...(await judgeDictionaries(bench, { ...of, material: reset.material, companions: resetCompanions })),
    );
  }
  await recordComposition(dir, graph, { seed: config.seed, wider: true });

  const { rows } = own.evidence.sums;
  const summary: EvidenceSummary = {
    format: 1,
    level,
    split: 'test',
    documents: own.evidence.documents,
    tokens: rows.reduce((sum, count) => sum + count, 0),
    ...(other && {
      otherCorpus: { name: other.corpus.name, sha256: other.corpus.sha256, tokens: other.tokens },
    }),
    dictionaries: [
      summaryOf(own, effects),
      ...nulls.map((one) => ({ ...summaryOf(one), gap: gapOf(own, one) })),
    ],
    classes: classesOf(own, graph),
  };
  await writeEvidence(dir, summary, latentRows(own, nulls, graph, effects));
  await writeReport(dir);
  return summary;
}

/** The null that is measured on activations of its own; undefined where the run has none. */
async function resetNull(bench: Workbench, config: RunConfig, dir: string, material: Material) {
  if (isFile(material) || nullsOfKind(config, 'reinitialised').length === 0) return undefined;
  const name: NullName = 'reinitialised';
  return { name, dir: nullDirectory(dir, name), material: await reinitialised(bench, config, material) };
}

/** The nulls that are measured on the run's own activations. */
async function nullsOf(
  bench: Workbench,
  config: RunConfig,
  dir: string,
  material: Material,
  learned: Learned,
): Promise<[NullName, Dictionary][]> {
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

interface Judging {
  readonly named: readonly (readonly [name: string, dictionary: Dictionary])[];
  readonly material: Material;
  readonly site: Site;
  readonly companions: CompanionDictionaries;
  readonly other: OtherText | undefined;
  readonly mean: Float32Array;
  readonly level: number;
  readonly seed: number;
}

/** Judges dictionaries of the same activations, all of them in one pass over the test rows. */
async function judgeDictionaries(bench: Workbench, of: Judging): Promise<Judged[]> {
  const { backend, reporter, stopwatch, signal } = bench;
  const { named, material, site, companions, mean, level, seed } = of;
  const gathered = await stopwatch.phase(reporter, 'evidence', 'sequences', (update) =>
    gatherEvidence({
      backend,
      subjects: named.map(([, dictionary]) => dictionary),
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
  const transfers = await transfersOf(bench, of, gathered);
  return named.map(([name, dictionary], i): Judged => {
    const evidence = gathered[i];
    const firings = firingsOf(evidence.sums);
    const scored = (components: Components) => scoresOf(components, dictionary, firings);
    const scores = scored(evidence.components);
    const judge = (of: Float64Array) => verdictsOf(CALIBRATION, of, level, evidence.remainders);
    const parts = Array.from({ length: Math.min(PARTS, evidence.sums.groups) }, (_, part) => part);
    const without = parts.map((part) =>
      judge(scored(componentsWithout(evidence, (group) => group % PARTS === part))),
    );
    return { name, dictionary, evidence, transfer: transfers?.[i], scores, verdicts: judge(scores), without };
  });
}

/** Whether the latents of each hold in other text, where there is some. */
async function transfersOf(
  { backend, reporter, stopwatch, signal }: Workbench,
  { named, material, site, other, mean, seed }: Judging,
  gathered: readonly Evidence[],
): Promise<Component[] | undefined> {
  if (!other || isFile(material)) return undefined;
  return stopwatch.phase(reporter, 'evidence in other text', 'sequences', (update) =>
    transferOf({
      backend,
      subjects: named.map(([, dictionary], i) => ({ dictionary, worth: gathered[i].components.worth })),
      source: modelSource(material.model, other.corpus, other.sequences, site.inputs),
      mean,
      seed,
      onProgress: (done, total) => {
        signal?.throwIfAborted();
        update(done, total);
      },
    }),
  );
}

/** Scores `[latents]`; NaN where a latent fires too rarely on all rows together. */
function scoresOf(components: Components, dictionary: Dictionary, firings: Float64Array): Float64Array {
  const inputs = verdictInputs(components, dictionary);
  return firings.map((some, j) =>
    some < FEWEST_FIRINGS
      ? NaN
      : scoreOf(CALIBRATION, inputs.subarray(j * INPUTS.length, (j + 1) * INPUTS.length)),
  );
}

/** Undefined where there is no model to change. */
async function effectsOf(
  { reporter, stopwatch, signal }: Workbench,
  { seed }: RunConfig,
  { inputs: [hook] }: Site,
  material: Material,
  dictionary: Dictionary,
): Promise<CausalEffects | undefined> {
  if (isFile(material)) return undefined;
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
