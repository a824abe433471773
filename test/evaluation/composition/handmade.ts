/** Dictionaries whose compositions are known because they were made by hand, and rows that they reconstruct exactly. */
import type { Dictionary } from '../../../src/dictionaries/dictionary.ts';
import { analyseComposition } from '../../../src/evaluation/composition/analyse.ts';
import type { Backend, SparseRows } from '../../../src/kernels/backend.ts';
import { createReferenceBackend } from '../../../src/kernels/reference.ts';
import { orthonormalRows } from '../../../src/math/orthonormal.ts';
import { Random } from '../../../src/math/random.ts';
import { tiedDictionary } from '../dictionaries.ts';
import { sparse } from '../sparse.ts';

export const backend: Backend = createReferenceBackend();
export const WIDTH = 20;

/** Orthonormal directions, and sums of them. */
export function basis(seed: number) {
  const rows = orthonormalRows(WIDTH, WIDTH, new Random(seed, 'basis'));
  const of = (i: number) => [...rows.subarray(i * WIDTH, (i + 1) * WIDTH)];
  const sum = (...terms: (readonly [weight: number, direction: number])[]) => {
    const v = new Array<number>(WIDTH).fill(0);
    for (const [weight, i] of terms)
      of(i).forEach((value, c) => {
        v[c] += weight * value;
      });
    const norm = Math.hypot(...v);
    return v.map((value) => value / norm);
  };
  return { of, sum };
}

export interface HandMade {
  readonly dictionary: Dictionary;
  readonly codes: SparseRows;
  readonly x: Float32Array;
}

/** A dictionary of `rows`, and activations that are what its `codes` decode to. */
export async function handMade(rows: number[][], codes: (readonly [number, number])[][]): Promise<HandMade> {
  const weight = Float32Array.from(rows.flat());
  const dictionary = tiedDictionary(weight, WIDTH, {
    kind: 'threshold',
    threshold: new Float32Array(rows.length),
  });
  const written = sparse(
    codes.map((row) => row.map(([j, value]): [number, number] => [j, value]).sort((a, b) => a[0] - b[0])),
  );
  const x = new Float32Array(codes.length * WIDTH);
  await backend.decode({ codes: written, weight, width: WIDTH, out: x });
  return { dictionary, codes: written, x };
}

export const analyse = (made: HandMade, more: { documents?: Uint32Array; wider?: Dictionary } = {}) =>
  analyseComposition({ backend, ...made, ...more, seed: 1 });

/**
 * Two groups of `size` atoms, of each of which one is on with probability `both` and else one of either; atoms are latents
 * `0 .. 2 size - 1`, and the pairs (i, j) in `pairs` have a latent of their own after them, which takes their place.
 */
export function pairedGroups(
  size: number,
  pairs: readonly (readonly [number, number])[],
  both: number,
  rows: number,
  seed = 1,
) {
  const { of, sum } = basis(seed);
  const random = new Random(seed, 'samples');
  const place = new Map(pairs.map(([i, j], p) => [i * size + j, 2 * size + p]));
  const decoder = [
    ...Array.from({ length: 2 * size }, (_, a) => of(a)),
    ...pairs.map(([i, j]) => sum([1, i], [1, size + j])),
  ];
  const codes = Array.from({ length: rows }, (): [number, number][] => {
    const [i, j] = [random.below(size), random.below(size)];
    const amplitude = 1 + 0.1 * random.normal();
    if (random.uniform() < both) {
      const own = place.get(i * size + j);
      return own === undefined
        ? [
            [i, amplitude],
            [size + j, amplitude],
          ]
        : [[own, Math.SQRT2 * amplitude]];
    }
    return random.uniform() < 0.5 ? [[i, amplitude]] : [[size + j, amplitude]];
  });
  return { decoder, codes };
}
