/**
 * The entropy of which features of a forest fire, from its structure: by the chain rule, a parent's before its children's,
 * which say something only where it fires. Shannon 1948, section 6. It must not know how the forest is drawn.
 */

import { binaryEntropy, categoricalEntropy } from '../math/entropy.ts';
import { type Coupling, coupledRoot, entropyGivenShared } from './coupling.ts';
import type { Entropy } from './distribution.ts';
import type { FiringNode } from './firingLaw.ts';

/**
 * `H = sum over roots of h(p) + p H(children)`, with H of a group of children the sum of the same where each is on its own,
 * and where they exclude each other `H(p_1, .., p_k, none) + sum_i p_i H(children of i)`.
 *
 * Exact where one sees from the features that fire which nodes do: each has a feature that no other has, or a child that
 * always fires with it. Otherwise, H is a bound from above and the most uncertain feature one from below. Where roots are
 * coupled, the sum of `h` is a bound from above and that of `entropyGivenShared` one from below (children depend on their
 * root alone).
 */
export function supportEntropy(roots: readonly FiringNode[], coupling?: Coupling): Entropy {
  const high = roots.reduce((sum, root) => sum + nodeEntropy(root), 0);
  if (!isVisible(roots)) return { kind: 'bounds', low: mostUncertain(roots), high };
  if (!coupling) return { kind: 'exact', bits: high };
  const low = roots.reduce((sum, root, i) => {
    const { probability } = root;
    const certain = probability === 0 || probability === 1;
    const own = certain ? 0 : entropyGivenShared(probability, coupledRoot(coupling, i, probability).residual);
    return sum + own + probability * childrenEntropy(root);
  }, 0);
  return { kind: 'bounds', low, high };
}

function nodeEntropy(node: FiringNode): number {
  return binaryEntropy(node.probability) + node.probability * childrenEntropy(node);
}

function childrenEntropy({ children = [] }: FiringNode): number {
  let bits = 0;
  for (const { exclusive, nodes } of children) {
    if (!exclusive) {
      for (const node of nodes) bits += nodeEntropy(node);
      continue;
    }
    const probabilities = nodes.map(({ probability }) => probability);
    const none = Math.max(0, 1 - probabilities.reduce((sum, p) => sum + p, 0));
    bits += categoricalEntropy([...probabilities, none]);
    for (const node of nodes) bits += node.probability * childrenEntropy(node);
  }
  return bits;
}

/** Whether the features that fire say which nodes do. */
function isVisible(roots: readonly FiringNode[]): boolean {
  const seen = new Set<number>();
  const visit = (node: FiringNode): boolean => {
    const { feature, children = [] } = node;
    if (feature !== undefined && seen.has(feature)) return false;
    if (feature !== undefined) seen.add(feature);
    return (
      (feature !== undefined || hasCertainChild(node)) && children.every(({ nodes }) => nodes.every(visit))
    );
  };
  return roots.every(visit);
}

function hasCertainChild({ children = [] }: FiringNode): boolean {
  return children.some(({ exclusive, nodes }) => {
    if (!exclusive) return nodes.some(({ probability }) => probability === 1);
    return nodes.reduce((sum, { probability }) => sum + probability, 0) > 1 - 1e-12;
  });
}

function mostUncertain(roots: readonly FiringNode[]): number {
  const probabilities = new Map<number, number>();
  const visit = ({ feature, probability, children = [] }: FiringNode, parent: number): void => {
    const p = parent * probability;
    if (feature !== undefined) probabilities.set(feature, (probabilities.get(feature) ?? 0) + p);
    for (const { nodes } of children) for (const node of nodes) visit(node, p);
  };
  for (const root of roots) visit(root, 1);
  return Math.max(0, ...[...probabilities.values()].map(binaryEntropy));
}
