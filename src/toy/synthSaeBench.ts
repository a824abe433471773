/**
 * SynthSAEBench (Chanin and Garriga-Alonso, arXiv 2602.14687): a world at the scale of a real dictionary's, with
 * superposition, hierarchy and correlations. Written anew from its published recipe, it is another draw of the same kind
 * of world: no seed gives the authors' own. It must not know who learns it.
 */

import type { Backend } from '../kernels/backend.ts';
import { Random } from '../math/random.ts';
import { additiveDistribution } from './additive.ts';
import type { Amplitude } from './amplitudes.ts';
import { randomLoadings } from './copula.ts';
import { randomDirections, spreadDirections } from './directions.ts';
import type { Distribution } from './distribution.ts';
import { type FiringLaw, firingLaw } from './firingLaw.ts';
import { zipfBetween } from './frequencies.ts';
import { chosenEvenly, regularTrees, treeFeatures } from './hierarchy.ts';

/** How large a world of this kind is. */
export interface SynthSaeBenchSize {
  readonly features: number;
  readonly width: number;
  readonly trees: number;
}

/** SynthSAEBench-16k. */
export const SYNTH_SAE_BENCH_16K: SynthSaeBenchSize = { features: 16_384, width: 768, trees: 128 };
/** A sixteenth of the features, an eighth of them roots as there, in a sixth of the dimensions: for a few processors. */
export const SYNTH_SAE_BENCH_1K: SynthSaeBenchSize = { features: 1024, width: 128, trees: 8 };

const [BRANCHING, DEPTH] = [4, 3];
const FREQUENCIES = { exponent: 0.5, most: 0.4, least: 5e-4 };
const [RANK, CORRELATION_SCALE] = [25, 0.1];
const [FIRST_MEAN, LAST_MEAN] = [5, 4];
const SD = { mean: 0.5, sd: 0.5 };
const SPREADING_STEPS = 100;
const BIAS_NORM = 0.5;

/**
 * Features by falling frequency, `p_i` from 0.4 to 5e-4 with Zipf exponent 0.5. The first are in `trees` trees of branching
 * 4 and depth 3, numbered level by level, in which children exclude each other and their amplitudes are multiplied by
 * the parent's over its mean; the others are on their own. As in the recipe, child i stands, given its parent, with
 * `min(1, p_i / p_parent (1 + sum of siblings' p / p_parent))`, and of those that stand one fires, each as likely: what that
 * makes of their probabilities is computed exactly (`chosenEvenly`), and is less than `p_i`. Expected L0 34.50 for 16k.
 *
 * Amplitudes are normal with means from 5 (most frequent) to 4 and standard deviations `|N(0.5, 0.5)|`, drawn once for each
 * feature. Roots and single features have correlated normals of rank 25, `randomLoadings` of scale 0.1.
 *
 * Where this departs from the published code: children depend on their parent alone, not on the normals that roots share
 * (so that their probabilities are known exactly); amplitudes that are not > 0 are drawn again instead of silencing the
 * feature; a parent's mean is that of its law.
 */
export function synthSaeBenchFirings(size: SynthSaeBenchSize, seed: number): FiringLaw {
  const { features, trees } = size;
  const wanted = zipfBetween({ features, ...FREQUENCIES });
  const standing = (child: number, parent: number, siblings: readonly number[]): number => {
    const others = siblings.reduce((sum, sibling) => sum + wanted[sibling], -wanted[child]);
    return Math.min(1, (wanted[child] / wanted[parent]) * (1 + others / wanted[parent]));
  };
  const shape = { trees, branching: BRANCHING, depth: DEPTH };
  const roots = regularTrees({
    ...shape,
    exclusive: true,
    scaled: true,
    probabilityOf: (feature, parent, siblings) => {
      if (parent === undefined) return wanted[feature];
      const ordered = [feature, ...siblings.filter((sibling) => sibling !== feature)];
      return chosenEvenly(ordered.map((child) => standing(child, parent, siblings)));
    },
  });
  for (let feature = treeFeatures(shape); feature < features; feature++)
    roots.push({ feature, probability: wanted[feature] });
  const spread = new Random(seed, 'amplitudes');
  const amplitudes = Array.from({ length: features }, (_, i): Amplitude => {
    const mean = FIRST_MEAN + ((LAST_MEAN - FIRST_MEAN) * i) / (features - 1);
    return { kind: 'normal', mean, sd: Math.abs(SD.mean + SD.sd * spread.normal()) };
  });
  const loadings = randomLoadings(roots.length, RANK, CORRELATION_SCALE, new Random(seed, 'correlations'));
  return firingLaw({ features, roots, amplitudes, coupling: { rank: RANK, loadings } });
}

/**
 * The world of `synthSaeBenchFirings`: directions are random, spread apart by 100 steps (`spreadDirections`), and a random
 * bias of norm 0.5 is added. `seed` decides all of it; making the directions of 16k takes a minute on two cores.
 */
export async function synthSaeBench(
  backend: Backend,
  size: SynthSaeBenchSize,
  seed: number,
): Promise<Distribution> {
  const { features, width } = size;
  const directions = randomDirections(features, width, new Random(seed, 'directions'));
  await spreadDirections(backend, directions, width, SPREADING_STEPS);
  const bias = randomDirections(1, width, new Random(seed, 'bias')).map((value) => BIAS_NORM * value);
  return additiveDistribution({ law: synthSaeBenchFirings(size, seed), width, directions, bias, seed });
}
