/**
 * From verdicts on the latents of a dictionary and of its nulls to what is told of them: counts, shares with intervals, gaps, a row
 * for each latent. It must not know how evidence is gathered.
 */
import type { Dictionary } from '../dictionaries/dictionary.ts';
import { type CompositionGraph, LATENT_CLASSES } from '../evaluation/composition/graph.ts';
import type { CausalEffects } from '../evaluation/evidence/causal.ts';
import { COMPONENTS, type Component } from '../evaluation/evidence/components.ts';
import type { Evidence } from '../evaluation/evidence/evidence.ts';
import type { Verdicts } from '../evaluation/verdict/verdicts.ts';
import { jackknifeInterval } from '../math/jackknife.ts';
import { mean, quantiles } from '../math/statistics.ts';
import {
  EVIDENCE_MEASURES,
  EVIDENCE_QUANTILES,
  type EvidenceMeasure,
  type EvidenceSummary,
  type JudgedDictionary,
  type LatentEvidence,
} from '../runs/evidenceSchema.ts';
import { storedInterval } from '../runs/schema.ts';

/** A dictionary with its evidence and the verdicts on its latents. */
export interface Judged {
  readonly name: string;
  readonly dictionary: Dictionary;
  readonly evidence: Evidence;
  /** Where other text was given. */
  readonly transfer?: Component;
  readonly verdicts: Verdicts;
  readonly scores: Float64Array;
  /** The verdicts without each part of the documents. */
  readonly without: readonly Verdicts[];
}

function count({ verdict }: Verdicts, wanted: Verdicts['verdict'][number]): number {
  return verdict.reduce((sum, one) => sum + (one === wanted ? 1 : 0), 0);
}

/** The share of all latents that is supported. */
const supportedShare = (verdicts: Verdicts) => count(verdicts, 'supported') / verdicts.verdict.length;
const probability = ({ trueShare }: Verdicts) => trueShare;

/** A number with its interval over the documents. */
function measured({ verdicts, without }: Judged, of: (verdicts: Verdicts) => number) {
  return storedInterval(jackknifeInterval(of(verdicts), without.map(of)));
}

/** How many latents of a dictionary are supported, and how each measure is spread over them; `effects` where they were measured. */
export function summaryOf(judged: Judged, effects?: CausalEffects): JudgedDictionary {
  const { name, dictionary, verdicts } = judged;
  return {
    name,
    latents: dictionary.latents,
    judged: verdicts.probability.reduce((sum, p) => sum + (Number.isNaN(p) ? 0 : 1), 0),
    supported: count(verdicts, 'supported'),
    unsupported: count(verdicts, 'unsupported'),
    undecided: count(verdicts, 'undecided'),
    supportedShare: measured(judged, supportedShare),
    probability: measured(judged, probability),
    distributions: distributionsOf(judged, effects),
  };
}

function distributionsOf(
  { evidence: { components }, transfer }: Judged,
  effects: CausalEffects | undefined,
): JudgedDictionary['distributions'] {
  const told: [EvidenceMeasure, Float64Array][] = COMPONENTS.map((name) => [name, components[name].value]);
  if (effects) told.push(['ablated', effects.ablated.value], ['added', effects.added.value]);
  if (transfer) told.push(['transfer', transfer.value]);
  return Object.fromEntries(
    told
      .map(([name, values]) => [name, values.filter(Number.isFinite)] as const)
      .filter(([, known]) => known.length > 0)
      .map(([name, known]) => [
        name,
        { latents: known.length, quantiles: quantiles(known, EVIDENCE_QUANTILES) },
      ]),
  );
}

/** Parts of documents are the same for both, so what they have in common is not in the interval of the difference. */
export function gapOf(own: Judged, other: Judged): NonNullable<JudgedDictionary['gap']> {
  const gap = (of: (verdicts: Verdicts) => number) => {
    const without = own.without.map((verdicts, part) => of(verdicts) - of(other.without[part]));
    return storedInterval(jackknifeInterval(of(own.verdicts) - of(other.verdicts), without));
  };
  return { supportedShare: gap(supportedShare), probability: gap(probability) };
}

/** The latents by their class, and how each class was judged. */
export function classesOf(
  { verdicts, without }: Judged,
  { nodes }: CompositionGraph,
): EvidenceSummary['classes'] {
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

/** Rows of evidence.parquet. Made one by one as they are asked for. */
export function* latentRows(
  { dictionary, evidence: { components }, transfer, verdicts, scores }: Judged,
  nulls: readonly Judged[],
  { nodes }: CompositionGraph,
  effects: CausalEffects | undefined,
): Generator<LatentEvidence> {
  const unknown = new Float64Array(dictionary.latents).fill(NaN);
  const nothing = { value: unknown, low: unknown, high: unknown };
  const all = { ...components, ablated: nothing, added: nothing, transfer: transfer ?? nothing, ...effects };
  const of = (name: EvidenceMeasure): Component => all[name];
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
