/**
 * Latents that stand for two features at once. Cosines hardly see them: a dictionary may have every feature and a latent
 * for each pair besides. They are told by when they fire. It must not know where codes come from.
 *
 * Anders et al., "Sparse autoencoders find composed features in small toy models", LessWrong 2024: a sparsity penalty is
 * paid once for a pair instead of twice. F1 against a label is `2 both / (latent + label)`, in numbers of samples.
 */
import type { SparseRows } from '../kernels/backend.ts';
import { blocksOf, sumOverBlocks } from './blocks.ts';

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
  /** Features of each pair, `[pairs, 2]`. */
  readonly pairs: Int32Array;
  readonly candidates: readonly Candidate[];
  /** In which the candidate's latent and label both fire, `[blocks, candidates]`. */
  readonly together: Float64Array;
}

interface Candidate {
  readonly latent: number;
  /** A feature, or a place in `pairs`. */
  readonly label: number;
  readonly isPair: boolean;
}

/**
 * The counts in `blocks` runs of the samples of `codes [rows, latents]` and `labels [rows, features]`. Holds
 * `[latents, features]`. RangeError where rows do not fit.
 */
export function countCompositions(
  options: { codes: SparseRows; labels: SparseRows; latents: number; features: number },
  blocks: number,
): CompositionCounts {
  const { codes, labels, latents, features } = options;
  if (codes.rows !== labels.rows)
    throw new RangeError(`codes: ${codes.rows} rows were given for labels of ${labels.rows}`);
  const blockOf = blocksOf(codes.rows, blocks);
  const { pairs, pairsOf, candidates, ofLatent } = findCandidates(options);
  const latentFires = new Float64Array(blocks * latents);
  const featureFires = new Float64Array(blocks * features);
  const pairFires = new Float64Array((blocks * pairs.length) / 2);
  const together = new Float64Array(blocks * candidates.length);
  const fires = new Uint8Array(features);
  for (let row = 0; row < codes.rows; row++) {
    const block = blockOf[row];
    const active = labels.indices.subarray(labels.offsets[row], labels.offsets[row + 1]);
    for (const feature of active) {
      fires[feature] = 1;
      featureFires[block * features + feature]++;
    }
    for (const feature of active)
      for (const { other, pair } of pairsOf[feature])
        if (fires[other]) pairFires[(block * pairs.length) / 2 + pair]++;
    for (let e = codes.offsets[row]; e < codes.offsets[row + 1]; e++) {
      if (codes.values[e] === 0) continue;
      latentFires[block * latents + codes.indices[e]]++;
      for (const c of ofLatent[codes.indices[e]]) {
        const { label, isPair } = candidates[c];
        const on = isPair ? fires[pairs[2 * label]] && fires[pairs[2 * label + 1]] : fires[label];
        if (on) together[block * candidates.length + c]++;
      }
    }
    for (const feature of active) fires[feature] = 0;
  }
  return { latents, features, latentFires, featureFires, pairFires, pairs, candidates, together };
}

/** The scores of samples of which block b was drawn `weights[b]` times. */
export function compositionScores(counts: CompositionCounts, weights: Float64Array): CompositionScores {
  const { latents, pairs, candidates } = counts;
  const [latentFires, featureFires] = [counts.latentFires, counts.featureFires].map((table) =>
    sumOverBlocks(table, weights),
  );
  const [pairFires, together] = [counts.pairFires, counts.together].map((table) =>
    sumOverBlocks(table, weights),
  );
  // Of equal ones the first stands, a single feature before a pair.
  const best = new Float64Array(latents).fill(STANDS_FOR);
  const of = new Int32Array(latents).fill(-1);
  for (const [c, { latent, label, isPair }] of candidates.entries()) {
    const labelled = isPair ? pairFires[label] : featureFires[label];
    const f1 = (2 * together[c]) / (latentFires[latent] + labelled);
    if (f1 > best[latent]) {
      best[latent] = f1;
      of[latent] = c;
    }
  }
  const standsFor = new Int32Array(2 * latents).fill(-1);
  const covered = new Set<number>();
  let [composed, atomic] = [0, 0];
  for (let latent = 0; latent < latents; latent++) {
    if (of[latent] < 0) continue;
    const { label, isPair } = candidates[of[latent]];
    standsFor.set(isPair ? pairs.subarray(2 * label, 2 * label + 2) : [label], 2 * latent);
    if (isPair) composed++;
    else {
      atomic++;
      covered.add(label);
    }
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
}) {
  const both = new Uint32Array(latents * features);
  const fired = new Uint32Array(latents);
  for (let row = 0; row < codes.rows; row++) {
    const active = labels.indices.subarray(labels.offsets[row], labels.offsets[row + 1]);
    for (let e = codes.offsets[row]; e < codes.offsets[row + 1]; e++) {
      if (codes.values[e] === 0) continue;
      fired[codes.indices[e]]++;
      const at = codes.indices[e] * features;
      for (const feature of active) both[at + feature]++;
    }
  }
  const candidates: Candidate[] = [];
  const pairs: number[] = [];
  const pairOf = new Map<number, number>();
  const pairsOf = Array.from({ length: features }, (): { other: number; pair: number }[] => []);
  const ofLatent = Array.from({ length: latents }, (_, latent): number[] => {
    const often: number[] = [];
    for (let i = 0; i < features; i++)
      if (both[latent * features + i] > LEAST_SHARE * fired[latent]) often.push(i);
    const from = candidates.length;
    for (const label of often) candidates.push({ latent, label, isPair: false });
    for (const [place, i] of often.entries()) {
      for (const other of often.slice(place + 1)) {
        const key = i * features + other;
        const pair = pairOf.get(key) ?? pairOf.size;
        if (pair === pairOf.size) {
          pairOf.set(key, pair);
          pairs.push(i, other);
          pairsOf[i].push({ other, pair });
        }
        candidates.push({ latent, label: pair, isPair: true });
      }
    }
    return Array.from({ length: candidates.length - from }, (_, c) => from + c);
  });
  return { candidates, pairs: Int32Array.from(pairs), pairsOf, ofLatent };
}
