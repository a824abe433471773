/**
 * Features composed of others: conjunctions, which fire where two atoms do, and bindings of fillers to roles. What to
 * ask of a dictionary is whether its latents stand for the parts or for the whole: "Composition" in the sense of Anders
 * et al., "Sparse autoencoders find composed features in small toy models", LessWrong 2024. It must not know who is asked.
 */

import type { SparseRows } from '../kernels/backend.ts';
import { categoricalEntropy } from '../math/entropy.ts';
import { orthonormalRows } from '../math/orthonormal.ts';
import type { Random } from '../math/random.ts';
import type { Amplitudes } from './amplitudes.ts';
import { randomDirections } from './directions.ts';
import { type FiringLaw, firingLaw } from './firingLaw.ts';

/**
 * Atoms 0 .. n - 1 fire each on its own with `probabilities[i]`. Feature n + j is the conjunction of the atoms `pairs[j]`: it
 * fires where both do, besides them, with an amplitude of its own or (`product`) the product of theirs. Its probability is
 * the product of theirs. The entropy is that of the atoms, which conjunctions follow from. `amplitudes` of all n + pairs
 * features, those of products unused. RangeError where a pair is not of two atoms.
 */
export function conjunctionFirings(options: {
  probabilities: readonly number[];
  pairs: readonly (readonly [number, number])[];
  product: boolean;
  amplitudes: Amplitudes;
}): FiringLaw {
  const { probabilities, pairs, product, amplitudes } = options;
  const atoms = probabilities.length;
  const conjunctions = pairs.map(([first, second], j) => {
    if (!(first in probabilities && second in probabilities) || first === second)
      throw new RangeError(`pair ${j}: expected two of ${atoms} atoms, not ${first} and ${second}`);
    const probability = probabilities[first] * probabilities[second];
    return { first, second, feature: atoms + j, product, probability };
  });
  const roots = probabilities.map((probability, feature) => ({ feature, probability }));
  return firingLaw({ features: atoms + pairs.length, roots, amplitudes, conjunctions });
}

/**
 * Two groups of `sizes` atoms, of each of which at most one atom fires, all as likely: with probability `both` an atom of
 * each, else one atom of either group, so that some atom always does. Atoms 0 .. sizes[0] - 1 are the first group.
 * Entropy: `H(both, (1 - both) / 2, (1 - both) / 2) + (1 + both) / 2 (log2 sizes[0] + log2 sizes[1])`. RangeError where
 * `both` is no probability.
 */
export function pairedGroupFirings(options: {
  sizes: readonly [number, number];
  both: number;
  amplitudes: Amplitudes;
}): FiringLaw {
  const { sizes, both, amplitudes } = options;
  if (!(both >= 0 && both <= 1)) throw new RangeError(`both: ${both} is not a probability`);
  const groups = sizes.map((size, g) => ({
    exclusive: true,
    nodes: Array.from({ length: size }, (_, i) => ({ feature: g * sizes[0] + i, probability: 1 / size })),
  }));
  const cases = [
    { probability: both, children: groups },
    ...groups.map((group) => ({ probability: (1 - both) / 2, children: [group] })),
  ];
  const which = categoricalEntropy(cases.map(({ probability }) => probability));
  const bits = which + ((1 + both) / 2) * (Math.log2(sizes[0]) + Math.log2(sizes[1]));
  return firingLaw({
    features: sizes[0] + sizes[1],
    roots: [{ probability: 1, children: [{ exclusive: true, nodes: cases }] }],
    amplitudes,
    entropy: { kind: 'exact', bits },
  });
}

/**
 * Role r is filled with probability `roles[r]`, each on its own, and then by one of `fillers` fillers, each as likely. The
 * feature `r fillers + f` is filler f in role r. Entropy: `sum_r h(p_r) + p_r log2(fillers)`.
 */
export function bindingFirings(options: {
  roles: readonly number[];
  fillers: number;
  amplitudes: Amplitudes;
}): FiringLaw {
  const { roles, fillers, amplitudes } = options;
  const roots = roles.map((probability, r) => {
    const nodes = Array.from({ length: fillers }, (_, f) => ({
      feature: r * fillers + f,
      probability: 1 / fillers,
    }));
    return { probability, children: [{ exclusive: true, nodes }] };
  });
  return firingLaw({ features: roles.length * fillers, roots, amplitudes });
}

/**
 * Where bindings point: `R_r a_f` for filler f in role r, with `R_r` a random rotation or reflection of the whole space and
 * `a_f` random unit vectors; `[roles * fillers, width]`. A tensor product binding (Smolensky, Artificial Intelligence 46,
 * 1990) put back into the space that it came from, as Plate's holographic reduced representations are (1995).
 */
export function bindingDirections(options: {
  roles: number;
  fillers: number;
  width: number;
  random: Random;
}): Float32Array {
  const { roles, fillers, width, random } = options;
  const atoms = randomDirections(fillers, width, random);
  const directions = new Float32Array(roles * fillers * width);
  for (let r = 0; r < roles; r++) {
    const rotation = orthonormalRows(width, width, random);
    for (let f = 0; f < fillers; f++) {
      for (let c = 0; c < width; c++) {
        let sum = 0;
        for (let k = 0; k < width; k++) sum += rotation[c * width + k] * atoms[f * width + k];
        directions[(r * fillers + f) * width + c] = sum;
      }
    }
  }
  return directions;
}

/**
 * Labels by group in the place of feature: a group fires where one of its features does, with the sum of their amplitudes.
 * `groupOf [features]`. With `feature / fillers` rounded down, which roles are filled; with the rest of that division, which
 * fillers are there, in whatever role: what else latents may stand for.
 */
export function groupedLabels(labels: SparseRows, groupOf: ArrayLike<number>): SparseRows {
  const { rows, offsets } = labels;
  const grouped = { offsets: new Uint32Array(rows + 1), indices: [] as number[], values: [] as number[] };
  for (let row = 0; row < rows; row++) {
    const sums = new Map<number, number>();
    for (let e = offsets[row]; e < offsets[row + 1]; e++) {
      const group = groupOf[labels.indices[e]];
      sums.set(group, (sums.get(group) ?? 0) + labels.values[e]);
    }
    for (const [group, sum] of [...sums].sort(([a], [b]) => a - b)) {
      grouped.indices.push(group);
      grouped.values.push(sum);
    }
    grouped.offsets[row + 1] = grouped.indices.length;
  }
  return {
    rows,
    offsets: grouped.offsets,
    indices: Uint32Array.from(grouped.indices),
    values: Float32Array.from(grouped.values),
  };
}
