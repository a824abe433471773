/**
 * The tree toy of Nabeshima, "Matryoshka sparse autoencoders", 2024 (sparselatents.com/matryoshka; the same in Bussmann et
 * al., arXiv 2503.17547): made to show absorption, which dictionaries trained with one sparsity penalty fall for. It must
 * not know who does.
 */

import { orthonormalRows } from '../math/orthonormal.ts';
import { Random } from '../math/random.ts';
import { additiveDistribution } from './additive.ts';
import type { Distribution } from './distribution.ts';
import { type FiringNode, firingLaw } from './firingLaw.ts';

const PARENTS = 3;
const CHILDREN = 3;
const SINGLES = 8;
const FEATURES = PARENTS * (1 + CHILDREN) + SINGLES;

/**
 * 20 features of orthonormal random directions in 20 dimensions, amplitude 1 (as in the published code; its amplitudes of
 * 1 +- 0.05 are commented out there). Three parents fire with probability 0.15; where one does, one of its three children
 * does with probability 0.2 each, or none with 0.4. Eight more fire with 0.05, alone. Parent j is feature 4 j, before its
 * children. Expected L0 1.12. `seed` decides the directions and the samples.
 */
export function nabeshimaTree(seed: number): Distribution {
  const parents: FiringNode[] = Array.from({ length: PARENTS }, (_, j) => {
    const feature = j * (1 + CHILDREN);
    const nodes = Array.from({ length: CHILDREN }, (_, i) => ({
      feature: feature + 1 + i,
      probability: 0.2,
    }));
    return { feature, probability: 0.15, children: [{ exclusive: true, nodes }] };
  });
  const singles: FiringNode[] = Array.from({ length: SINGLES }, (_, i) => ({
    feature: FEATURES - SINGLES + i,
    probability: 0.05,
  }));
  return additiveDistribution({
    law: firingLaw({
      features: FEATURES,
      roots: [...parents, ...singles],
      amplitudes: { kind: 'constant', value: 1 },
    }),
    width: FEATURES,
    directions: Float32Array.from(orthonormalRows(FEATURES, FEATURES, new Random(seed, 'directions'))),
    seed,
  });
}
