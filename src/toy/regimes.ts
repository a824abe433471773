/**
 * A world of two regimes of very different sparsity in subspaces of their own: what is right for the samples of one is wrong for
 * those of the other. It must not know who learns its features.
 */
import { orthonormalRows } from '../math/orthonormal.ts';
import { Random } from '../math/random.ts';
import { additiveDistribution } from './additive.ts';
import type { Distribution } from './distribution.ts';
import { firingLaw } from './firingLaw.ts';

const FEATURES = 25;
const WIDTH = 100;
/** L0 of 3 and of 16. */
const [RARE, FREQUENT] = [0.12, 0.64];

/**
 * 25 features of each regime, all orthonormal in 100 dimensions; half of the samples are of the one, in which 3 features fire on
 * average, half of the other, in which 16 do. Amplitudes 1 +- .15. A code with as many latents on every sample has no right
 * number of them; one whose number differs from sample to sample (BatchTopK) has, the mean of 9.5.
 */
export function regimesToy(seed: number): Distribution {
  const regime = (first: number, probability: number) => ({
    probability: 0.5,
    children: [
      {
        exclusive: false,
        nodes: Array.from({ length: FEATURES }, (_, i) => ({ feature: first + i, probability })),
      },
    ],
  });
  return additiveDistribution({
    law: firingLaw({
      features: 2 * FEATURES,
      roots: [
        {
          probability: 1,
          children: [{ exclusive: true, nodes: [regime(0, RARE), regime(FEATURES, FREQUENT)] }],
        },
      ],
      amplitudes: { kind: 'normal', mean: 1, sd: 0.15 },
    }),
    width: WIDTH,
    directions: Float32Array.from(orthonormalRows(2 * FEATURES, WIDTH, new Random(seed, 'directions'))),
    seed,
  });
}
