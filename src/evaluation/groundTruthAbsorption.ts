/**
 * Absorption in trees of features, in which a child fires only with its parent: does the parent's latent fall silent where
 * a child says it all? Chanin et al. 2024, "A is for absorption" (arXiv 2409.14507), with the truth in the place of
 * probes. It must not know how features were assigned to latents.
 */
import type { SparseRows } from '../kernels/backend.ts';
import { blocksOf, meanOfKnown, sumOverBlocks } from './blocks.ts';
import { latentOfFeature } from './groundTruthFirings.ts';

export interface AbsorptionScores {
  /**
   * `P(latent of the parent fires | parent and child) / P(latent of the parent fires | parent without child)`: 1 where the
   * child makes no difference, 0 where it takes the parent's place. NaN where one of the two is unknown or the second is
   * 0, as without a latent for the parent. `[children]`, in ascending order of features.
   */
  readonly kept: Float64Array;
  /** The features that have a parent, `[children]`. */
  readonly children: Int32Array;
  /** Of those that are known. */
  readonly mean: number;
}

/** `[blocks, children]` each: samples with parent and child, with the parent alone, and those in which its latent fires. */
export interface AbsorptionCounts {
  readonly children: Int32Array;
  readonly withChild: Float64Array;
  readonly withChildFires: Float64Array;
  readonly alone: Float64Array;
  readonly aloneFires: Float64Array;
}

/**
 * Counts in `blocks` runs of samples. `codes [rows, latents]`, `labels [rows, features]`, `parentOf [features]`, -1 for
 * roots, `pairedFeature [latents]` from `scoreDirections`. RangeError where lengths do not fit.
 */
export function countAbsorption(
  options: { codes: SparseRows; labels: SparseRows; parentOf: Int32Array; pairedFeature: Int32Array },
  blocks: number,
): AbsorptionCounts {
  const { codes, labels, parentOf, pairedFeature } = options;
  const features = parentOf.length;
  if (codes.rows !== labels.rows)
    throw new RangeError(`codes: ${codes.rows} rows were given for labels of ${labels.rows}`);
  parentOf.forEach((parent, feature) => {
    if (parent < -1 || parent >= features || parent === feature)
      throw new RangeError(`parentOf: feature ${feature} was given ${parent}, of ${features} features`);
  });
  const children = Int32Array.from(parentOf.keys()).filter((feature) => parentOf[feature] >= 0);
  const latentOf = latentOfFeature(pairedFeature, features);
  const blockOf = blocksOf(codes.rows, blocks);
  const zeros = () => new Float64Array(blocks * children.length);
  const counts = { withChild: zeros(), withChildFires: zeros(), alone: zeros(), aloneFires: zeros() };
  const on = new Uint8Array(features);
  const fires = new Uint8Array(pairedFeature.length);
  for (let row = 0; row < codes.rows; row++) {
    const active = labels.indices.subarray(labels.offsets[row], labels.offsets[row + 1]);
    for (const feature of active) on[feature] = 1;
    const [from, end] = [codes.offsets[row], codes.offsets[row + 1]];
    for (let e = from; e < end; e++) fires[codes.indices[e]] = codes.values[e] === 0 ? 0 : 1;
    for (let c = 0, at = blockOf[row] * children.length; c < children.length; c++, at++) {
      const parent = parentOf[children[c]];
      if (!on[parent]) continue;
      const fired = fires[latentOf[parent]] ?? 0;
      (on[children[c]] ? counts.withChild : counts.alone)[at]++;
      (on[children[c]] ? counts.withChildFires : counts.aloneFires)[at] += fired;
    }
    for (const feature of active) on[feature] = 0;
    for (let e = from; e < end; e++) fires[codes.indices[e]] = 0;
  }
  return { children, ...counts };
}

/** The scores of samples of which block b was drawn `weights[b]` times. */
export function absorptionScores(counts: AbsorptionCounts, weights: Float64Array): AbsorptionScores {
  const { children } = counts;
  const [withChild, withChildFires, alone, aloneFires] = [
    counts.withChild,
    counts.withChildFires,
    counts.alone,
    counts.aloneFires,
  ].map((table) => sumOverBlocks(table, weights));
  const kept = Float64Array.from(children, (_, c) =>
    aloneFires[c] > 0 ? withChildFires[c] / withChild[c] / (aloneFires[c] / alone[c]) : NaN,
  );
  return { kept, children, mean: meanOfKnown(kept) };
}
