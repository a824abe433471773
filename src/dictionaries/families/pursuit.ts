/**
 * Matching pursuit (Costa et al. 2025, arXiv 2506.03093, "MP-SAE"): the encoder of `dictionaries/pursuit.ts`, which takes
 * one latent after another from what is left and has no weights of its own. No penalty:
 *
 *   r_0 = x - b_dec,  a_t = <r_t, d_t>,  r_(t+1) = r_t - a_t d_t,  L = mean_r |r_T|^2
 *
 * d_t is the decoder row chosen in round t, and the choice is a constant. The gradient goes back through the rounds, with
 * g_t = dL/dr_t and g_T = 2 r_T / rows:
 *
 *   dL/da_t = -<g_(t+1), d_t>,  dL/dd_t += (dL/da_t) r_t - a_t g_(t+1),  g_t = g_(t+1) + (dL/da_t) d_t
 *
 * and ends at dL/db_dec = -sum_r g_0. Residuals are made again on the way, by r_t = r_(t+1) + a_t d_t, so that a step
 * keeps three arrays `[rows, width]` however many rounds there are, and the gradient `[latents, width]`. A round costs as
 * much as the encoder of another family. The papers give no recipe in these units; it is that of Gao et al. 2024, without
 * AuxK, which has no encoder to train.
 */
import * as z from 'zod';
import { type Pursued, pursue } from '../pursuit.ts';
import { type Batch, type Family, GAO } from './family.ts';
import { latents, latentsPerToken } from './fields.ts';

const options = z.strictObject({
  family: z.literal('pursuit'),
  latents,
  /** Rounds, and so latents of a token, at most. */
  k: latentsPerToken,
  /** A token stops where the norm of what is left is below this, for activations whose mean squared norm is 1. */
  residual: z.number().nonnegative().default(0.01),
});

export const pursuit: Family<typeof options> = {
  name: 'pursuit',
  description: 'one at a time, the one that explains most of what is left',
  source: 'Costa et al. 2025, arXiv 2506.03093',
  options,
  recipe: { ...GAO, auxCoefficient: 0 },
  unitDecoder: true,
  centersInput: true,
  tied: true,
  dense: true,
  loss: async (batch) => {
    const { backend, parameters, rows, width, input, workspace } = batch;
    const factor = 2 / rows;
    const limits = { most: batch.k, residual: batch.options.residual };
    const pursued = await pursue(backend, parameters.decoderWeight, limits, input, rows);
    const scaled = workspace.floats('pursuit.error', rows * width);
    for (let i = 0; i < scaled.length; i++) scaled[i] = -factor * pursued.residual[i];
    const error = (await backend.sumOfSquares(pursued.residual)) / rows;
    const { decoderWeight, outputSum } = propagateBack(batch, pursued, factor);
    return {
      reconstruction: error,
      penalty: 0,
      codes: pursued.codes,
      parts: [],
      dense: { decoderWeight },
      outputSum,
      error: { scaled, factor },
    };
  },
  dictionary: ({ options }) => ({
    selection: { kind: 'pursuit', most: options.k, residual: options.residual },
  }),
};

/** The rounds backwards. Turns `residual` into `r_0`. */
function propagateBack(
  { parameters, width, rows, latents, workspace }: Batch,
  { rounds, residual }: Pursued,
  factor: number,
): { decoderWeight: Float32Array; outputSum: Float64Array } {
  const weight = parameters.decoderWeight;
  const decoderWeight = workspace.floats('pursuit.decoderGradient', latents * width).fill(0);
  const g = workspace.floats('pursuit.residualGradient', rows * width);
  for (let i = 0; i < g.length; i++) g[i] = factor * residual[i];
  for (const round of rounds.toReversed()) {
    for (let i = 0; i < round.rows.length; i++) {
      const [r, d, a] = [round.rows[i] * width, round.latents[i] * width, round.values[i]];
      let gradient = 0;
      for (let c = 0; c < width; c++) gradient -= g[r + c] * weight[d + c];
      for (let c = 0; c < width; c++) {
        residual[r + c] += a * weight[d + c];
        decoderWeight[d + c] += gradient * residual[r + c] - a * g[r + c];
        g[r + c] += gradient * weight[d + c];
      }
    }
  }
  const outputSum = new Float64Array(width);
  for (let i = 0; i < g.length; i++) outputSum[i % width] -= g[i];
  return { decoderWeight, outputSum };
}
