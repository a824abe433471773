/**
 * JumpReLU with a penalty that saturates, and a loss that brings latents back (Anthropic's "Dictionary learning
 * optimization techniques", Transformer Circuits, January 2025 update):
 *
 *   L = mean_r |x'_r - x_r|^2 + c mean_r sum_j tanh(4 f_j |d_j|) + p mean_r sum_j ReLU(theta_j - z_j) |d_j|
 *
 * Decoder rows are free. The penalty has a slope wherever f has, so encoder and thresholds both learn by it; its weight
 * rises over the whole training. The last term, of the pre-activations that fall short, draws every latent (or every
 * dead one) towards firing. It is exact, and needs no dense product: the sum over the rows that fall short is that over
 * all rows, which follows from the sum of the inputs, less that over the rows above the threshold,
 *
 *   sum_r ReLU(theta - z_r) = rows (theta - b) - w . sum_r x_r - sum_{r: z_r > theta} (theta - z_r).
 *
 * The bandwidth of 2 is for activations whose mean squared norm is their width, so that pre-activations are around 1:
 * entries within 1 of the threshold are far more than those that fire, and a step costs as much as that of a dense
 * dictionary. Of an output in several blocks |d_j| is the sum of the norms in the blocks.
 */
import * as z from 'zod';
import { decoderNorms, plainLoss, reconstruct } from './entries.ts';
import { type Batch, type Family, GAO } from './family.ts';
import { latents } from './fields.ts';
import { type Jump, jump, thresholdGradient, thresholdsOf, throughValues } from './jump.ts';

const options = z.strictObject({
  family: z.literal('jumprelu-tanh'),
  latents,
  /**
   * The weight c of the penalty, for activations whose mean squared norm is their width: what a latent must explain of a
   * token's squared norm to be worth its firing. So .0001 to .1 times the width is its range, and the 10 to 20 of the
   * source are for widths of some thousands.
   */
  coefficient: z.number().nonnegative().default(1),
  /** The weight p of the pre-activations that fall short. */
  preActivationCoefficient: z.number().nonnegative().default(3e-6),
  /** Whose pre-activations those are: all latents', as in the source, or the dead ones'. */
  drawn: z.enum(['all', 'dead']).default('all'),
  /** How close to its threshold a pre-activation must come for the threshold to learn of it. */
  bandwidth: z.number().positive().default(2),
});

const STEEPNESS = 4;
const START = 0.1;

type Options = z.output<typeof options>;

export const jumpreluTanh: Family<typeof options> = {
  name: 'jumprelu-tanh',
  description: 'above trained thresholds, under a penalty that saturates',
  source: 'Anthropic 2025, Transformer Circuits, January update',
  options,
  recipe: {
    ...GAO,
    squaredNorm: 'width',
    learningRate: () => 2e-4,
    warmupFraction: 0,
    sparsityWarmupFraction: 1,
    auxCoefficient: 0,
    decoderNorm: 0.1,
  },
  unitDecoder: false,
  centersInput: false,
  own: () => ({ threshold: START }),
  loss: async (batch) => {
    const { rows, latents, width, input, outputBounds, options, backend } = batch;
    const blocks = outputBounds.length - 1;
    const jumped = await jump(batch, options.bandwidth);
    const { codes } = jumped;
    const reconstruction = await reconstruct(batch, codes);
    const norms = decoderNorms(batch);
    const lengths = Float64Array.from({ length: latents }, (_, j) =>
      norms.subarray(j * blocks, (j + 1) * blocks).reduce((sum, norm) => sum + norm, 0),
    );

    const weight = (options.coefficient * batch.warmth) / rows;
    const valueGradients = batch.workspace.floats('withPenalty', codes.values.length);
    const alongLength = new Float64Array(latents);
    let sum = 0;
    for (let e = 0; e < codes.values.length; e++) {
      const [value, length] = [codes.values[e], lengths[codes.indices[e]]];
      const height = Math.tanh(STEEPNESS * value * length);
      const slope = weight * STEEPNESS * (1 - height * height);
      sum += height;
      valueGradients[e] = reconstruction.valueGradients[e] + slope * length;
      alongLength[codes.indices[e]] += slope * value;
    }
    const preGradients = throughValues(jumped, valueGradients);

    const inputSum = new Float64Array(width);
    await backend.columnSum({ m: input, rows, width, out: inputSum });
    const { short, below } = shortfalls(batch, jumped, inputSum);
    const pull = pullOf(batch, lengths);
    for (let e = 0; e < codes.values.length; e++) {
      if (codes.values[e] > 0) preGradients[e] += pull[codes.indices[e]];
    }
    let shortfall = 0;
    for (let j = 0; j < latents; j++) {
      shortfall += pull[j] * short[j];
      if (lengths[j] > 0) alongLength[j] += (pull[j] / lengths[j]) * short[j];
    }
    const coefficients = norms.map((norm, at) =>
      norm > 0 ? alongLength[Math.floor(at / blocks)] / norm : 0,
    );
    const more = below.map((count, j) => pull[j] * count);
    return {
      ...(await plainLoss(batch, codes, reconstruction, preGradients)),
      penalty: weight * sum + shortfall,
      everyRow: {
        coefficients: Float32Array.from(pull, (value) => -value),
        inputSum: Float32Array.from(inputSum),
      },
      alongDecoder: { coefficients, bounds: outputBounds },
      own: { threshold: thresholdGradient(batch, jumped, { values: valueGradients, firing: 0, more }) },
    };
  },
  dictionary: ({ parameters, options }) => ({
    selection: { kind: 'threshold', threshold: thresholdsOf(parameters, options.bandwidth) },
  }),
};

/** What the loss gains with each unit that a pre-activation falls short: `p |d_j| / rows` `[latents]`; 0 of those not drawn. */
function pullOf({ options, dead, rows }: Batch<Options>, lengths: Float64Array): Float64Array {
  const { preActivationCoefficient, drawn } = options;
  const pull = lengths.map((length) => (preActivationCoefficient * length) / rows);
  if (drawn === 'all') return pull;
  const chosen = new Float64Array(pull.length);
  for (const j of dead) chosen[j] = pull[j];
  return chosen;
}

/** `short[j] = sum_r ReLU(theta_j - z_rj)`, and in how many rows it is above 0. */
function shortfalls(
  { rows, width, latents, parameters }: Batch,
  { threshold, codes }: Jump,
  inputSum: Float64Array,
): { short: Float64Array; below: Float64Array } {
  const { encoderWeight, encoderBias } = parameters;
  const short = new Float64Array(latents);
  const below = new Float64Array(latents).fill(rows);
  for (let j = 0; j < latents; j++) {
    short[j] = rows * (threshold[j] - encoderBias[j]);
    for (let i = 0; i < width; i++) short[j] -= encoderWeight[j * width + i] * inputSum[i];
  }
  for (let e = 0; e < codes.values.length; e++) {
    const j = codes.indices[e];
    if (codes.values[e] === 0) continue;
    short[j] += codes.values[e] - threshold[j];
    below[j]--;
  }
  return { short, below };
}
