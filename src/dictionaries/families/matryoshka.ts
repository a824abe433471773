/**
 * Matryoshka BatchTopK (Bussmann et al. 2025, arXiv 2503.17547): the first latents must reconstruct without the later
 * ones, so that they hold what is general, and are not absorbed by what is special. The codes f are BatchTopK's; x'_p is
 * what the latents below the end of prefix p decode to, and the loss is the mean over prefixes, the last of them whole:
 *
 *   L = mean_p mean_r |x'_p,r - x_r|^2
 *
 * With `fixed` prefixes b_dec alone is one more of them, as in the paper's code. `random` ones are drawn anew in each step
 * (Nabeshima 2024, "Matryoshka sparse autoencoders"): the whole and `count - 1` others without replacement, where one of l
 * latents has a probability that follows `sqrt(l) - sqrt(l - 1)`, a Pareto law of power 1/2. His penalty, and the sorting
 * of latents by their squared activation, are left out: BatchTopK takes their place.
 *
 * An array `[rows, outputWidth]` is kept for each prefix.
 */
import * as z from 'zod';
import type { SparseRows } from '../../kernels/backend.ts';
import type { EntryGradients } from '../../kernels/trainingOperations.ts';
import type { Random } from '../../math/random.ts';
import { encoderOperands, sortByLatent } from './entries.ts';
import { type Batch, type Family, GAO, type Loss } from './family.ts';
import { latents, latentsPerToken } from './fields.ts';
import { THRESHOLD_MEMORY, thresholdDictionary, updateThreshold } from './threshold.ts';

const options = z.strictObject({
  family: z.literal('matryoshka'),
  latents,
  /** Latents that fire on a token, on average over a batch. */
  k: latentsPerToken,
  /** Whether the same prefixes are reconstructed in each step, or others. */
  prefixes: z.enum(['fixed', 'random']).default('fixed'),
  /** Only for `fixed`: the shares of the latents that each prefix adds to the one before; the last adds the rest. */
  shares: z
    .array(z.number().positive())
    .readonly()
    .refine((shares) => shares.reduce((sum, share) => sum + share, 0) < 1, {
      error: ({ input }) => `found ${JSON.stringify(input)}, expected shares whose sum is below 1`,
    })
    .default([1 / 32, 1 / 16, 1 / 8, 1 / 4]),
  /** Only for `random`: how many prefixes a step has, the whole dictionary among them. */
  count: z.int().positive().default(10),
});

type Options = z.output<typeof options>;

export const matryoshka: Family<typeof options> = {
  name: 'matryoshka',
  description:
    'k for each token on average over a batch, where the first latents must do without the later ones',
  source: 'Bussmann et al. 2025, arXiv 2503.17547',
  options,
  recipe: GAO,
  unitDecoder: true,
  centersInput: true,
  memory: THRESHOLD_MEMORY,
  loss: async (batch) => {
    const total = batch.rows * batch.k;
    const codes = await batch.backend.encodeBatchTopK({ ...encoderOperands(batch), total });
    const { options, random } = batch;
    return nestedLoss(
      batch,
      codes,
      options.prefixes === 'fixed' ? fixedEnds(options) : randomEnds(options, random),
    );
  },
  dictionary: thresholdDictionary,
};

/** Where prefixes end, ascending: the first has no latents, and the last all. Shares too small for a latent have none. */
function fixedEnds({ latents, shares }: Options): number[] {
  let sum = 0;
  const ends = shares.map((share) => Math.floor((sum += share) * latents));
  return [...new Set([0, ...ends, latents])];
}

/** The same, drawn, each with latents: exponential clocks give a sample without replacement (Efraimidis and Spirakis 2006). */
function randomEnds({ latents, count }: Options, random: Random): number[] {
  const clocks = Float64Array.from({ length: latents - 1 }, (_, i) => {
    const weight = Math.sqrt(i + 1) - Math.sqrt(i);
    return -Math.log(1 - random.uniform()) / weight;
  });
  const first = [...clocks.keys()].sort((a, b) => clocks[a] - clocks[b]).slice(0, count - 1);
  return [...first.map((i) => i + 1).sort((a, b) => a - b), latents];
}

/**
 * Forwards, each group of latents takes up the error that the prefix before it left. Backwards, the gradient of what a
 * group decodes to is the sum of those of all prefixes that it is part of.
 */
async function nestedLoss(batch: Batch, codes: SparseRows, ends: readonly number[]): Promise<Loss> {
  const { backend, parameters, rows, outputWidth, target, workspace } = batch;
  const weight = parameters.decoderWeight;
  const factor = 2 / (rows * ends.length);
  const groups = splitColumns(codes, ends);
  const gradients: Float32Array[] = [];
  const dots: Float32Array[] = [];
  const outputSum = new Float64Array(outputWidth);
  let [squares, whole, smallest] = [0, 0, Number.POSITIVE_INFINITY];
  for (const [g, group] of groups.entries()) {
    gradients[g] = workspace.floats(`prefix${g}.outputGradient`, rows * outputWidth);
    dots[g] = workspace.floats(`prefix${g}.valueGradients`, group.values.length);
    const sums = new Float64Array(outputWidth);
    const found = await backend.reconstruct({
      codes: group,
      weight,
      // The error so far times `factor`, whose negative is to be reconstructed.
      target: g === 0 ? target : gradients[g - 1],
      targetFactor: g === 0 ? 1 : -1 / factor,
      scale: factor,
      width: outputWidth,
      out: gradients[g],
      dots: dots[g],
      sums,
    });
    whole = found.squares;
    squares += whole;
    smallest = Math.min(smallest, found.smallest);
    for (let i = 0; i < outputWidth; i++) outputSum[i] += sums[i];
  }
  updateThreshold(batch.memory, smallest);

  const parts: EntryGradients[] = [];
  for (let g = groups.length - 1; g >= 0; g--) {
    const [group, outputGradient, valueGradients] = [groups[g], gradients[g], dots[g]];
    if (g < groups.length - 1)
      await backend.add({ a: outputGradient, b: gradients[g + 1], out: outputGradient });
    if (ends[g] === 0) continue;
    await backend.dots({ codes: group, weight, m: outputGradient, width: outputWidth, out: valueGradients });
    const order = await sortByLatent(batch, group, `prefix${g}`);
    const { values } = group;
    parts.unshift({ values, valueGradients, preGradients: valueGradients, outputGradient, order });
  }
  const reconstruction = whole / rows;
  return {
    reconstruction,
    // What the shorter prefixes make of the mean.
    penalty: squares / (rows * ends.length) - reconstruction,
    codes,
    parts,
    outputSum,
    outputGradient: gradients[0],
    error: { scaled: gradients[gradients.length - 1], factor },
  };
}

/** The entries of each run of columns, of which `ends[g]` is the end of run g. */
function splitColumns({ rows, offsets, indices, values }: SparseRows, ends: readonly number[]): SparseRows[] {
  const at = offsets.slice(0, rows);
  return ends.map((end) => {
    const starts = new Uint32Array(rows + 1);
    const kept: number[] = [];
    for (let r = 0; r < rows; r++) {
      for (; at[r] < offsets[r + 1] && indices[at[r]] < end; at[r]++) kept.push(at[r]);
      starts[r + 1] = kept.length;
    }
    return {
      rows,
      offsets: starts,
      indices: Uint32Array.from(kept, (e) => indices[e]),
      values: Float32Array.from(kept, (e) => values[e]),
    };
  });
}
