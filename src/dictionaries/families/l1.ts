/**
 * ReLU with an L1 penalty and decoder rows of unit norm (Bricken et al. 2023, "Towards monosemanticity"), the `standard`
 * dictionary of other libraries:
 *
 *   L = mean_r |x'_r - x_r|^2 + c mean_r sum_j f_j,  |d_j| = 1
 *
 * The error is squared, as in the paper. dictionary_learning's trainer takes its root, mean_r |x'_r - x_r|; its
 * coefficients, times twice the error |x' - x| that training ends with, pull as strongly here.
 */
import * as z from 'zod';
import { encoderOperands, plainLoss, reconstruct } from './entries.ts';
import { type Family, GAO, type Recipe } from './family.ts';
import { latents } from './fields.ts';

const options = z.strictObject({
  family: z.literal('l1'),
  latents,
  /**
   * The weight c of the L1 penalty, for activations whose mean squared norm is 1; .01 to 1 is its range. On stories15M
   * with 4,608 latents, after 200 steps, 137 of them fire on a token at .03, and 38 at .08.
   */
  coefficient: z.number().nonnegative().default(0.08),
});

/**
 * The rate is that of SAEBench's standard dictionaries, whose activations are of this norm. The paper resamples four
 * times in the first tenth of a million steps; here it is done over the first half, since in a short run a latent counts
 * as dead no sooner than after a tenth of it.
 */
export const BRICKEN: Recipe = {
  ...GAO,
  learningRate: () => 3e-4,
  warmupFraction: 0.02,
  sparsityWarmupFraction: 0.05,
  auxCoefficient: 0,
  resampleAt: [0.125, 0.25, 0.375, 0.5],
};

export const l1: Family<typeof options> = {
  name: 'l1',
  description: 'all above 0, under an L1 penalty, with unit decoder rows',
  source: 'Bricken et al. 2023, Towards Monosemanticity',
  options,
  recipe: BRICKEN,
  unitDecoder: true,
  centersInput: true,
  loss: async (batch) => {
    const { backend, rows, latents, options } = batch;
    const threshold = new Float32Array(latents);
    const codes = await backend.encodeThreshold({ ...encoderOperands(batch), threshold });
    const reconstruction = await reconstruct(batch, codes);
    const weight = (options.coefficient * batch.warmth) / rows;
    const preGradients = batch.workspace.floats('preGradients', codes.values.length);
    let sum = 0;
    for (let e = 0; e < codes.values.length; e++) {
      sum += codes.values[e];
      preGradients[e] = reconstruction.valueGradients[e] + weight;
    }
    return { ...(await plainLoss(batch, codes, reconstruction, preGradients)), penalty: weight * sum };
  },
  dictionary: ({ latents }) => ({ selection: { kind: 'threshold', threshold: new Float32Array(latents) } }),
};
