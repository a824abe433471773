/**
 * Gated (Rajamanoharan et al. 2024, arXiv 2404.16014): one layer says which latents fire, another how strongly, and only
 * the first is penalised, so that activations do not shrink. Both share their directions,
 *
 *   g = (x - b_dec) W_enc + b_gate            the gate; b_gate is `encoderBias`
 *   m = exp(r_mag) * (x - b_dec) W_enc + b_mag  the magnitude
 *   f = ReLU(m) where g > 0, and else 0
 *   L = mean_r |x'(f) - x|^2 + c mean_r sum_j ReLU(g_j) + mean_r |x'_frozen(ReLU(g)) - x|^2
 *
 * where x'_frozen decodes with a copy of W_dec and b_dec that no gradient reaches. The gate learns by the last two terms
 * alone, since a step has no slope.
 *
 * What is used in the end is one layer with thresholds. Let e = exp(r_mag) > 0 and u = (x - b_dec) W_enc of a latent:
 * g > 0 says u > -b_gate, which is e u + b_mag > b_mag - e b_gate, or m > b_mag - e b_gate. So f is m where
 * m > max(0, b_mag - e b_gate) and else 0, with m the pre-activation of the encoder e W_enc, b_mag.
 */
import * as z from 'zod';
import { encoderOperands, reconstruct, sortByLatent } from './entries.ts';
import type { Family } from './family.ts';
import { latents } from './fields.ts';
import { BRICKEN } from './l1.ts';

const options = z.strictObject({
  family: z.literal('gated'),
  latents,
  /** The weight c of the gate's L1 penalty, for activations whose mean squared norm is 1; .01 to 1 is its range. */
  coefficient: z.number().nonnegative().default(0.08),
});

export const gated: Family<typeof options> = {
  name: 'gated',
  description: 'all above 0 of a gate under an L1 penalty, as strong as a second layer says',
  source: 'Rajamanoharan et al. 2024, arXiv 2404.16014',
  options,
  // The optimiser of the paper, and the rate that dictionary_learning has for it.
  recipe: { ...BRICKEN, learningRate: () => 5e-5, beta1: 0 },
  unitDecoder: true,
  centersInput: true,
  own: () => ({ rMag: 0, magBias: 0 }),
  loss: async (batch) => {
    const { backend, rows, latents, options, parameters, workspace } = batch;
    const { encoderBias: gateBias, rMag, magBias } = parameters;
    const threshold = new Float32Array(latents);
    const gates = await backend.encodeThreshold({ ...encoderOperands(batch), threshold });
    const entries = gates.values.length;
    const gains = rMag.map(Math.exp);
    const magnitudes = workspace.floats('magnitudes', entries);
    for (let e = 0; e < entries; e++) {
      const j = gates.indices[e];
      magnitudes[e] = Math.max(0, gains[j] * (gates.values[e] - gateBias[j]) + magBias[j]);
    }
    const codes = { ...gates, values: magnitudes };
    const main = await reconstruct(batch, codes);
    const frozen = await reconstruct(batch, gates, 'gate');

    const weight = (options.coefficient * batch.warmth) / rows;
    const throughMagnitude = workspace.floats('preGradients', entries);
    const throughGate = workspace.floats('gate.preGradients', entries);
    const gainSums = new Float64Array(latents);
    const biasSums = new Float64Array(latents);
    let sum = 0;
    for (let e = 0; e < entries; e++) {
      const j = gates.indices[e];
      const gradient = magnitudes[e] > 0 ? main.valueGradients[e] : 0;
      const inner = gates.values[e] - gateBias[j];
      throughMagnitude[e] = gains[j] * gradient;
      gainSums[j] += gains[j] * inner * gradient;
      biasSums[j] += gradient;
      throughGate[e] = frozen.valueGradients[e] + weight;
      sum += gates.values[e];
    }
    const order = await sortByLatent(batch, gates);
    return {
      reconstruction: main.error,
      penalty: weight * sum + frozen.error,
      codes,
      parts: [
        {
          values: magnitudes,
          valueGradients: main.valueGradients,
          preGradients: throughMagnitude,
          outputGradient: main.outputGradient,
          order,
          ownBias: true,
        },
        {
          values: gates.values,
          valueGradients: frozen.valueGradients,
          preGradients: throughGate,
          outputGradient: frozen.outputGradient,
          order,
          frozenDecoder: true,
        },
      ],
      outputSum: main.outputSum,
      error: { scaled: main.outputGradient, factor: main.factor },
      own: { rMag: Float32Array.from(gainSums), magBias: Float32Array.from(biasSums) },
    };
  },
  dictionary: ({ width, parameters }) => {
    const { encoderWeight, encoderBias: gateBias, rMag, magBias } = parameters;
    const gains = rMag.map(Math.exp);
    return {
      encoderWeight: encoderWeight.map((value, at) => gains[Math.floor(at / width)] * value),
      encoderBias: magBias,
      selection: {
        kind: 'threshold',
        threshold: magBias.map((bias, j) => Math.max(0, bias - gains[j] * gateBias[j])),
      },
    };
  },
};
