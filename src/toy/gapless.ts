/**
 * A world with true features and no right sparsity: all fire always, as strongly as chance has it, down to not at all. It must
 * not know who learns them.
 */
import { orthonormalRows } from '../math/orthonormal.ts';
import { Random } from '../math/random.ts';
import { additiveDistribution } from './additive.ts';
import type { Distribution } from './distribution.ts';
import { independentFirings } from './independent.ts';

const FEATURES = 50;
const WIDTH = 100;

/**
 * 50 orthonormal directions in 100 dimensions, each with a half-normal amplitude in every sample. The directions are those of
 * independent components that are not normal, so they can be found; but amplitudes have a density without a gap, greatest at 0:
 * whatever the number of latents that may fire, the best code takes that many of the largest amplitudes, and one more is
 * worth a little less than the one before. No L0 below that of all features is set apart from its neighbours.
 */
export function gaplessToy(seed: number): Distribution {
  return additiveDistribution({
    law: independentFirings({
      probabilities: new Float64Array(FEATURES).fill(1),
      amplitudes: { kind: 'folded normal', mean: 0, sd: 1 },
    }),
    width: WIDTH,
    directions: Float32Array.from(orthonormalRows(FEATURES, WIDTH, new Random(seed, 'directions'))),
    seed,
  });
}
