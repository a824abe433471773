/**
 * ReLU with an L1 penalty weighted by decoder norms (Conerly et al., "Update on how we train SAEs", Transformer Circuits,
 * April 2024):
 *
 *   L = mean_r |x'_r - x_r|^2 + c mean_r sum_j f_j |d_j|
 *
 * Decoder rows are free, and b_dec is not subtracted before the encoder. Of an output in several blocks (a crosscoder,
 * Lindsey et al. 2024) |d_j| is the sum of the norms in the blocks.
 */
import * as z from 'zod';
import { decoderNorms, encoderOperands, plainLoss, reconstruct } from './entries.ts';
import { type Family, GAO } from './family.ts';
import { latents } from './fields.ts';

const options = z.strictObject({
  family: z.literal('relu'),
  latents,
  /** The weight c of the L1 penalty, for activations whose mean squared norm is their width. */
  coefficient: z.number().nonnegative().default(5),
});

export const relu: Family<typeof options> = {
  name: 'relu',
  description: 'all above 0, under an L1 penalty weighted by decoder norms',
  source: 'Conerly et al. 2024, Transformer Circuits, April update',
  options,
  recipe: {
    ...GAO,
    squaredNorm: 'width',
    learningRate: () => 5e-5,
    warmupFraction: 0,
    sparsityWarmupFraction: 0.05,
    auxCoefficient: 0,
    decoderNorm: 0.1,
  },
  unitDecoder: false,
  centersInput: false,
  loss: async (batch) => {
    const { backend, rows, latents, outputBounds, options } = batch;
    const blocks = outputBounds.length - 1;
    const threshold = new Float32Array(latents);
    const codes = await backend.encodeThreshold({ ...encoderOperands(batch), threshold });
    const reconstruction = await reconstruct(batch, codes);
    const weight = (options.coefficient * batch.warmth) / rows;
    const norms = decoderNorms(batch);
    const total = norms.filter((_, at) => at % blocks === 0);
    for (let b = 1; b < blocks; b++) for (let j = 0; j < latents; j++) total[j] += norms[j * blocks + b];

    const sums = new Float64Array(latents);
    const preGradients = batch.workspace.floats('preGradients', codes.values.length);
    let penalty = 0;
    for (let e = 0; e < codes.values.length; e++) {
      const latent = codes.indices[e];
      sums[latent] += codes.values[e];
      penalty += codes.values[e] * total[latent];
      preGradients[e] = reconstruction.valueGradients[e] + weight * total[latent];
    }
    // The gradient of |d| along d is d / |d|.
    const coefficients = norms.map((norm, at) =>
      norm > 0 ? (weight * sums[Math.floor(at / blocks)]) / norm : 0,
    );
    return {
      ...(await plainLoss(batch, codes, reconstruction, preGradients)),
      penalty: weight * penalty,
      alongDecoder: { coefficients, bounds: outputBounds },
    };
  },
  dictionary: ({ latents }) => ({ selection: { kind: 'threshold', threshold: new Float32Array(latents) } }),
};
