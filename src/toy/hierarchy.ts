/**
 * Hierarchies: features that fire only where their parent does. Absorption (Chanin et al., arXiv 2409.14507) is what
 * dictionaries make of them. It must not know where features point.
 */

import type { FiringNode } from './firingLaw.ts';

/**
 * Trees of `depth` levels below their roots, each node but the last with `branching` children that exclude each other, or
 * are each on their own. Features are numbered by level: roots 0 .. trees - 1, the children of root i
 * `trees + i branching ..`, and so on. `probabilityOf(feature, parent, siblings)` is that a feature fires, given that its
 * parent does (or at all, for a root: parent undefined); `siblings` are the parent's children, with the feature itself.
 * With `scaled`, amplitudes of children are multiplied by the parent's over its mean.
 */
export function regularTrees(options: {
  trees: number;
  branching: number;
  depth: number;
  exclusive: boolean;
  scaled: boolean;
  probabilityOf: (feature: number, parent: number | undefined, siblings: readonly number[]) => number;
}): FiringNode[] {
  const { trees, branching, depth, exclusive, scaled, probabilityOf } = options;
  const childrenOf = (feature: number, level: number): number[] => {
    const levelStart = treeFeatures({ trees, branching, depth: level - 1 });
    const nextStart = treeFeatures({ trees, branching, depth: level });
    return Array.from({ length: branching }, (_, i) => nextStart + (feature - levelStart) * branching + i);
  };
  const node = (
    feature: number,
    level: number,
    parent: number | undefined,
    siblings: number[],
  ): FiringNode => {
    const own = {
      feature,
      probability: probabilityOf(feature, parent, siblings),
      scaled: scaled && level > 0,
    };
    if (level === depth) return own;
    const children = childrenOf(feature, level);
    const nodes = children.map((child) => node(child, level + 1, feature, children));
    return { ...own, children: [{ exclusive, nodes }] };
  };
  return Array.from({ length: trees }, (_, i) => node(i, 0, undefined, []));
}

/** How many features `regularTrees` numbers. */
export function treeFeatures(shape: { trees: number; branching: number; depth: number }): number {
  const { trees, branching, depth } = shape;
  let features = 0;
  for (let level = 0; level <= depth; level++) features += trees * branching ** level;
  return features;
}

/**
 * The probability that the first of some candidates is chosen, where candidate i stands with `probabilities[i]`, each on
 * its own, and one of those that stand is chosen evenly: `p_0 E[1 / (1 + others that stand)]`.
 */
export function chosenEvenly(probabilities: readonly number[]): number {
  const [own, ...others] = probabilities;
  // The distribution of how many others stand.
  let standing = [1];
  for (const p of others)
    standing = [...standing, 0].map((q, n) => q * (1 - p) + (n > 0 ? standing[n - 1] * p : 0));
  return own * standing.reduce((sum, q, n) => sum + q / (n + 1), 0);
}
