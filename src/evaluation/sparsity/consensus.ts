/**
 * Whether trainings from different seeds come to the same latents. It must not know how dictionaries were trained, nor which
 * L0 is right.
 */
import type { Backend } from '../../kernels/backend.ts';
import { assign } from '../../math/assignment.ts';
import { Random } from '../../math/random.ts';
import { eachCosine } from '../cosines.ts';

/** Decoder rows `[latents, width]`, and which of them fire at all. */
export interface Latents {
  readonly decoderWeight: Float32Array;
  readonly alive: readonly boolean[];
}

/**
 * For each seed, how much of its dictionary the others found too, on average over them: rows are matched one to one so that
 * the sum of their cosines is greatest (PW-MCC; Song et al. 2025, arXiv 2505.20254, with the sign), a pair counts
 * `(cos - null) / (1 - null)`, and one with a dead latent 0. Every latent of the dictionary is in the mean, so that one whose
 * few living latents agree, as at an extreme of sparsity, gains nothing by the rest being dead. 1 where all found the same, 0 of
 * random directions. NaN for one seed alone. O(latents^3) in the worst case.
 */
export async function consensus(
  backend: Backend,
  seeds: readonly Latents[],
  width: number,
  nullCosine: number,
): Promise<number[]> {
  const sums = seeds.map(() => 0);
  for (let a = 0; a < seeds.length; a++) {
    for (let b = 0; b < a; b++) {
      const { cosines, columnOfRow } = await matched(
        backend,
        seeds[a].decoderWeight,
        seeds[b].decoderWeight,
        width,
      );
      let sum = 0;
      columnOfRow.forEach((column, row) => {
        const both = column >= 0 && seeds[a].alive[row] && seeds[b].alive[column];
        if (both) sum += (cosines[row * columnOfRow.length + column] - nullCosine) / (1 - nullCosine);
      });
      sums[a] += sum / columnOfRow.length;
      sums[b] += sum / columnOfRow.length;
    }
  }
  return sums.map((sum) => sum / (seeds.length - 1));
}

/** The mean cosine of matched rows of two random sets of directions, `draws` times: the null of `consensus`. */
export async function randomConsensus(
  backend: Backend,
  { latents, width, seed, draws }: { latents: number; width: number; seed: number; draws: number },
): Promise<number> {
  let sum = 0;
  for (let draw = 0; draw < draws; draw++) {
    const [a, b] = ['a', 'b'].map((which) => {
      const rows = new Float32Array(latents * width);
      new Random(seed, 'random consensus', which, String(draw)).fillNormal(rows, 1);
      return rows;
    });
    sum += (await matched(backend, a, b, width)).total / latents;
  }
  return sum / draws;
}

async function matched(backend: Backend, a: Float32Array, b: Float32Array, width: number) {
  const [rows, columns] = [a.length / width, b.length / width];
  const cosines = new Float64Array(rows * columns);
  await eachCosine(backend, a, b, width, (row, column, cosine) => {
    cosines[row * columns + column] = cosine;
  });
  return { cosines, ...assign({ cost: cosines, rows, columns, goal: 'maximise' }) };
}
