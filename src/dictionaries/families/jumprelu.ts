/**
 * JumpReLU with a penalty on the number of latents that fire (Rajamanoharan et al. 2024, arXiv 2407.14435):
 *
 *   L = mean_r |x'_r - x_r|^2 + c L0,  L0 = mean_r #{j : z_rj > theta_j},  |d_j| = 1
 *
 * through which the thresholds learn; see `jump.ts`. Bandwidth, start and coefficient are for activations whose mean
 * squared norm is 1, which training scales them to, and mean nothing at another: with activations s times as large,
 * thresholds and bandwidth are s times as large for the same dictionary, and the coefficient s^2 times.
 */
import * as z from 'zod';
import { type Family, GAO, type Recipe } from './family.ts';
import { latents } from './fields.ts';
import { lossWithCount, thresholdsOf } from './jump.ts';

const options = z.strictObject({
  family: z.literal('jumprelu'),
  latents,
  /**
   * The weight c of L0: what a latent must explain of a token's squared norm, on average 1, to be worth its firing. So
   * .0001 to .1 is its range; where it is near 1 nothing is worth it. On stories15M with 4,608 latents, after 200 steps,
   * 56 of them fire on a token at .001.
   */
  coefficient: z.number().nonnegative().default(0.001),
  /** How close to its threshold a pre-activation must come for the threshold to learn of it; thresholds start at it. */
  bandwidth: z.number().positive().default(0.001),
});

/** Of Lieberum et al. 2024 (Gemma Scope, arXiv 2408.05147), section 3.2, whose runs are of about a million steps. */
export const GEMMA_SCOPE: Recipe = {
  ...GAO,
  learningRate: () => 7e-5,
  beta1: 0,
  warmupFraction: 0.001,
  decayFraction: 0,
  sparsityWarmupFraction: 0.01,
  auxCoefficient: 0,
};

export const jumprelu: Family<typeof options> = {
  name: 'jumprelu',
  description: 'above trained thresholds, under a penalty on how many',
  source: 'Rajamanoharan et al. 2024, arXiv 2407.14435',
  options,
  recipe: GEMMA_SCOPE,
  unitDecoder: true,
  centersInput: false,
  own: ({ bandwidth }) => ({ threshold: bandwidth }),
  loss: (batch) => {
    const slope = batch.options.coefficient * batch.warmth;
    return lossWithCount(batch, batch.options.bandwidth, (l0) => ({ penalty: slope * l0, slope }));
  },
  dictionary: ({ parameters, options }) => ({
    selection: { kind: 'threshold', threshold: thresholdsOf(parameters, options.bandwidth) },
  }),
};
