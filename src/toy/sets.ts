/**
 * Features in sets, of which all fire together or only one does: correlated and anticorrelated features as in "Toy Models
 * of Superposition" (Elhage et al. 2022, section on correlated features), and sets of features that exclude each other.
 * Consecutive features make a set; sets are independent. It must not know where features point.
 */

import { categoricalEntropy } from '../math/entropy.ts';
import type { Amplitudes } from './amplitudes.ts';
import { type FiringLaw, type FiringNode, firingLaw } from './firingLaw.ts';

interface Sets {
  sets: number;
  /** Features of a set. */
  size: number;
  /** That a feature fires, exact at any strength. */
  probability: number;
  /** From 0, independent features, to 1. */
  strength: number;
  amplitudes: Amplitudes;
}

/**
 * With probability `strength` a set fires as one, all of it with `probability` or nothing; else each feature is on its own.
 * Firings of two features of a set are correlated by `strength` exactly. RangeError where it is not in [0, 1].
 */
export function correlatedSets(options: Sets): FiringLaw {
  const { size, probability: p, strength } = options;
  return setLaw(
    options,
    (members, apart) => [
      { probability: strength * p, children: [{ exclusive: false, nodes: members.map(always) }] },
      { probability: 1 - strength, children: [apart] },
    ],
    (firing) => (firing === size ? p : firing === 0 ? 1 - p : 0),
  );
}

/**
 * With probability `strength` at most one feature of a set fires, each with `probability`; else each is on its own. Firings
 * of two features of a set are correlated by `-strength p / (1 - p)`. At strength 1 this is "a set is on with probability
 * `size p`, and then exactly one of its features fires". RangeError where `strength` or `size p` is not in [0, 1].
 */
export function anticorrelatedSets(options: Sets): FiringLaw {
  const { size, probability: p, strength } = options;
  if (!(size * p <= 1))
    throw new RangeError(`${size} features that exclude each other cannot each fire with ${p}`);
  return setLaw(
    options,
    (members, apart) => [
      ...members.map(({ feature }) => ({ feature, probability: strength * p })),
      { probability: 1 - strength, children: [apart] },
    ],
    (firing) => (firing === 1 ? p : firing === 0 ? 1 - size * p : 0),
  );
}

/**
 * Sets of which at most one feature fires: feature j of set i with `probabilities[i][j]`, which sum to at most 1. Entropy:
 * `sum_i H(p_i1, .., p_ik, none)`. RangeError where they do not fit.
 */
export function exclusiveSets(options: {
  probabilities: readonly (readonly number[])[];
  amplitudes: Amplitudes;
}): FiringLaw {
  const { probabilities, amplitudes } = options;
  let features = 0;
  const roots = probabilities.map((set) => {
    const nodes = set.map((probability) => ({ feature: features++, probability }));
    return { probability: 1, children: [{ exclusive: true, nodes }] };
  });
  const bits = probabilities.reduce((sum, set) => {
    const any = set.reduce((total, p) => total + p, 0);
    return sum + categoricalEntropy([...set, Math.max(0, 1 - any)]);
  }, 0);
  return firingLaw({ features, roots, amplitudes, entropy: { kind: 'exact', bits } });
}

type Group = { exclusive: boolean; nodes: FiringNode[] };

const always = ({ feature }: FiringNode): FiringNode => ({ feature, probability: 1 });

/**
 * Each set a root that always fires and has no feature; exactly one of the cases below it, or none, is. The entropy is that
 * of the mixture: `tied(firing)` is the probability, in the case that is not independence, of any one support of so many
 * features.
 */
function setLaw(
  { sets, size, probability, strength, amplitudes }: Sets,
  cases: (members: FiringNode[], apart: Group) => FiringNode[],
  tied: (firing: number) => number,
): FiringLaw {
  if (!(strength >= 0 && strength <= 1)) throw new RangeError(`strength: expected 0 to 1, not ${strength}`);
  if (!(probability >= 0 && probability <= 1)) throw new RangeError(`${probability} is not a probability`);
  const roots = Array.from({ length: sets }, (_, set) => {
    const members = Array.from({ length: size }, (_, i) => ({ feature: set * size + i, probability }));
    const nodes = cases(members, { exclusive: false, nodes: members });
    return { probability: 1, children: [{ exclusive: true, nodes }] };
  });
  let bits = 0;
  for (let firing = 0, supports = 1; firing <= size; supports *= (size - firing) / (firing + 1), firing++) {
    const apart = probability ** firing * (1 - probability) ** (size - firing);
    const each = strength * tied(firing) + (1 - strength) * apart;
    bits += supports * categoricalEntropy([each]);
  }
  return firingLaw({
    features: sets * size,
    roots,
    amplitudes,
    entropy: { kind: 'exact', bits: sets * bits },
  });
}
