/**
 * Latents that stand for two features at once. Cosines hardly see them: a dictionary may have every feature and a latent
 * for each pair besides. They are told by when they fire. It must not know where codes come from.
 *
 * Anders et al., "Sparse autoencoders find composed features in small toy models", LessWrong 2024: a sparsity penalty is
 * paid once for a pair instead of twice. F1 against a label is `2 both / (latent + label)`, in numbers of samples.
 */
import type { SparseRows } from '../kernels/backend.ts';
import { blocksOf, sumOverBlocks } from './blocks.ts';
import { rowsByColumn } from './rowsByColumn.ts';

/** A latent stands for a feature or a pair only where its F1 is above this. */
const STANDS_FOR = 0.6;
/** A decoder row is mixed where its second-largest |cos| with a feature is above this. */
const MIXED = 0.4;
/**
 * F1 > .6 asks for `both > .3 (latent + label)`, and label >= both, so `both / latent > 3 / 7`: features that are rarer
 * among a latent's firings need not be looked at, alone or in pairs. Somewhat less, for what resampling may do.
 */
const LEAST_SHARE = 0.35;

export interface CompositionScores {
  /** Share of latents whose best F1 against a pair of features is above that against any one, and above .6. */
  readonly composed: number;
  /** Share of latents whose best F1 against one feature is above .6, and not composed. */
  readonly atomic: number;
  /** Share of the features that fire in these samples for which some atomic latent stands. */
  readonly atomsCovered: number;
  /** What each latent stands for, `[latents, 2]`: two features, one and -1, or -1 twice. */
  readonly standsFor: Int32Array;
}

/** Counts of samples by blocks: of what fires, and of latents with the features and pairs that they may stand for. */
export interface CompositionCounts {
  readonly latents: number;
  readonly features: number;
  /** `[blocks, latents]`, `[blocks, features]`, `[blocks, pairs]` */
  readonly latentFires: Float64Array;
  readonly featureFires: Float64Array;
  readonly pairFires: Float64Array;
  readonly candidates: Candidates;
  /** In which the candidate's latent and label both fire, `[blocks, candidates]`. */
  readonly together: Float64Array;
}

/** What each latent may stand for: one feature or two. */
interface Candidates {
  readonly count: number;
  /** Those of latent j stand at `offsets[j] .. offsets[j + 1]`. */
  readonly offsets: Uint32Array;
  /** Two features, or one and -1. `[count, 2]` */
  readonly features: Int32Array;
  /** Where both of them are counted in `pairFires`; -1 for one. `[count]` */
  readonly pair: Int32Array;
}

/**
 * The counts in `blocks` runs of the samples of `codes [rows, latents]` and `labels [rows, features]`. RangeError where rows do not
 * fit.
 */
export function countCompositions(
  options: { codes: SparseRows; labels: SparseRows; latents: number; features: number },
  blocks: number,
): CompositionCounts {
  const { codes, labels, latents, features } = options;
  if (codes.rows !== labels.rows)
    throw new RangeError(`codes: ${codes.rows} rows were given for labels of ${labels.rows}`);
  const blockOf = blocksOf(codes.rows, blocks);
  const { candidates, pairs, pairsOf } = findCandidates(options);
  const { count, offsets, features: labelled } = candidates;
  const latentFires = new Float64Array(blocks * latents);
  const featureFires = new Float64Array(blocks * features);
  const pairFires = new Float64Array(blocks * pairs);
  const together = new Float64Array(blocks * count);
  const fires = new Uint8Array(features);
  for (let row = 0; row < codes.rows; row++) {
    const block = blockOf[row];
    const active = labels.indices.subarray(labels.offsets[row], labels.offsets[row + 1]);
    for (const feature of active) {
      fires[feature] = 1;
      featureFires[block * features + feature]++;
    }
    for (const feature of active)
      for (const { other, pair } of pairsOf[feature]) if (fires[other]) pairFires[block * pairs + pair]++;
    for (let e = codes.offsets[row]; e < codes.offsets[row + 1]; e++) {
      if (codes.values[e] === 0) continue;
      const latent = codes.indices[e];
      latentFires[block * latents + latent]++;
      for (let c = offsets[latent]; c < offsets[latent + 1]; c++) {
        const [first, second] = [labelled[2 * c], labelled[2 * c + 1]];
        if (fires[first] && (second < 0 || fires[second])) together[block * count + c]++;
      }
    }
    for (const feature of active) fires[feature] = 0;
  }
  return { latents, features, latentFires, featureFires, pairFires, candidates, together };
}

/** The scores of samples of which block b was drawn `weights[b]` times. */
export function compositionScores(counts: CompositionCounts, weights: Float64Array): CompositionScores {
  const { latents, candidates } = counts;
  const [latentFires, featureFires] = [counts.latentFires, counts.featureFires].map((table) =>
    sumOverBlocks(table, weights),
  );
  const [pairFires, together] = [counts.pairFires, counts.together].map((table) =>
    sumOverBlocks(table, weights),
  );
  const standsFor = new Int32Array(2 * latents).fill(-1);
  const covered = new Set<number>();
  let [composed, atomic] = [0, 0];
  for (let latent = 0; latent < latents; latent++) {
    // Of equal ones the first stands, a single feature before a pair.
    let [best, of] = [STANDS_FOR, -1];
    for (let c = candidates.offsets[latent]; c < candidates.offsets[latent + 1]; c++) {
      const pair = candidates.pair[c];
      const labelled = pair < 0 ? featureFires[candidates.features[2 * c]] : pairFires[pair];
      const f1 = (2 * together[c]) / (latentFires[latent] + labelled);
      if (f1 > best) [best, of] = [f1, c];
    }
    if (of < 0) continue;
    standsFor.set(candidates.features.subarray(2 * of, 2 * of + 2), 2 * latent);
    if (candidates.pair[of] < 0) {
      atomic++;
      covered.add(candidates.features[2 * of]);
    } else composed++;
  }
  const firing = featureFires.reduce((count, fired) => count + (fired > 0 ? 1 : 0), 0);
  return {
    composed: composed / latents,
    atomic: atomic / latents,
    atomsCovered: covered.size / firing,
    standsFor,
  };
}

/** Whether a decoder row is near to two features or more: the second-largest of its `cosines [features]` above `MIXED`. */
export function isMixed(cosines: Float64Array): boolean {
  let near = 0;
  for (const cosine of cosines) if (cosine > MIXED) near++;
  return near >= 2;
}

/** For each latent the features that are on in more than `LEAST_SHARE` of its firings, alone and in pairs. */
function findCandidates({
  codes,
  labels,
  latents,
  features,
}: {
  codes: SparseRows;
  labels: SparseRows;
  latents: number;
  features: number;
}): {
  candidates: Candidates;
  pairs: number;
  pairsOf: { other: number; pair: number }[][];
} {
  const firings = rowsByColumn(codes, latents);
  const both = new Uint32Array(features);
  const [labelled, pairOf] = [[] as number[], [] as number[]];
  const offsets = new Uint32Array(latents + 1);
  const known = new Map<number, number>();
  const pairsOf = Array.from({ length: features }, (): { other: number; pair: number }[] => []);
  for (let latent = 0; latent < latents; latent++) {
    const [from, end] = [firings.offsets[latent], firings.offsets[latent + 1]];
    both.fill(0);
    for (let f = from; f < end; f++) {
      const row = firings.rows[f];
      for (let e = labels.offsets[row]; e < labels.offsets[row + 1]; e++) both[labels.indices[e]]++;
    }
    const often: number[] = [];
    for (let i = 0; i < features; i++) if (both[i] > LEAST_SHARE * (end - from)) often.push(i);
    for (const feature of often) {
      labelled.push(feature, -1);
      pairOf.push(-1);
    }
    for (const [place, i] of often.entries()) {
      for (const other of often.slice(place + 1)) {
        const key = i * features + other;
        const pair = known.get(key) ?? known.size;
        if (pair === known.size) {
          known.set(key, pair);
          pairsOf[i].push({ other, pair });
        }
        labelled.push(i, other);
        pairOf.push(pair);
      }
    }
    offsets[latent + 1] = pairOf.length;
  }
  const candidates = {
    count: pairOf.length,
    offsets,
    features: Int32Array.from(labelled),
    pair: Int32Array.from(pairOf),
  };
  return { candidates, pairs: known.size, pairsOf };
}
