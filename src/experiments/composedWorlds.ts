/** Worlds in which it is known what is composed of what, for the experiments that ask dictionaries. It must not know these. */
import { type Dictionary, encode } from '../dictionaries/dictionary.ts';
import {
  type CompositionScores,
  compositionScores,
  countCompositions,
} from '../evaluation/groundTruthComposition.ts';
import type { Backend, SparseRows } from '../kernels/backend.ts';
import { orthonormalRows } from '../math/orthonormal.ts';
import { Random } from '../math/random.ts';
import { additiveDistribution } from '../toy/additive.ts';
import type { Amplitudes } from '../toy/amplitudes.ts';
import { pairedGroupFirings } from '../toy/composition.ts';
import type { Distribution, Samples } from '../toy/distribution.ts';
import { CIRCLE, curveFirings } from '../toy/manifolds.ts';

const WIDTH = 24;
const AMPLITUDES: Amplitudes = { kind: 'normal', mean: 1, sd: 0.15 };

/** Two groups of six orthonormal atoms in 24 dimensions, of each of which one is on with probability `both`, else of either. */
export function pairedGroups(both: number, seed: number): Distribution {
  return additiveDistribution({
    law: pairedGroupFirings({ sizes: [6, 6], both, amplitudes: AMPLITUDES }),
    width: WIDTH,
    directions: orthonormal(12, seed),
    seed,
  });
}

const [CIRCLES, SINGLES] = [4, 8];

/** Four circles and eight features of one dimension, all at right angles, in 24 dimensions. Features 0 to 3 are the circles. */
export function circlesAndSingles(seed: number): Distribution {
  const of = <T>(circle: T, single: T) => [
    ...new Array<T>(CIRCLES).fill(circle),
    ...new Array<T>(SINGLES).fill(single),
  ];
  const law = curveFirings({
    probabilities: of(0.15, 0.08),
    points: of<number | 'all'>('all', 0),
    amplitudes: AMPLITUDES,
  });
  return additiveDistribution({
    law,
    width: WIDTH,
    directions: orthonormal(2 * CIRCLES + SINGLES, seed),
    curves: of<typeof CIRCLE | undefined>(CIRCLE, undefined),
    seed,
  });
}

/** What the latents of a dictionary stand for by its codes of `samples`. */
export async function standingOf(
  backend: Backend,
  dictionary: Dictionary,
  { features }: Distribution,
  { x, labels }: Samples,
): Promise<{ codes: SparseRows; truth: CompositionScores }> {
  const codes = await encode(backend, dictionary, x, labels.rows);
  const counts = countCompositions({ codes, labels, latents: dictionary.latents, features }, 1);
  return { codes, truth: compositionScores(counts, Float64Array.of(1)) };
}

function orthonormal(rows: number, seed: number): Float32Array {
  return Float32Array.from(orthonormalRows(rows, WIDTH, new Random(seed, 'directions')));
}
