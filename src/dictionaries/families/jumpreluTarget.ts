/**
 * JumpReLU that is led to a number of latents that fire, instead of a price for them (the variant of Rajamanoharan et al.
 * 2024, arXiv 2407.14435, appendix, that dictionary_learning trains):
 *
 *   L = mean_r |x'_r - x_r|^2 + c (L0 / target - 1)^2,  L0 = mean_r #{j : z_rj > theta_j},  |d_j| = 1
 *
 * Scale and bandwidth are as in `jumprelu.ts`. The count is of pre-activations above the threshold; dictionary_learning
 * counts what is left of them after the jump, so that its thresholds do not learn from those just below.
 */
import * as z from 'zod';
import type { Family } from './family.ts';
import { latents } from './fields.ts';
import { lossWithCount, thresholdsOf } from './jump.ts';
import { GEMMA_SCOPE } from './jumprelu.ts';

const options = z.strictObject({
  family: z.literal('jumprelu-target'),
  latents,
  /** How many latents are to fire on a token, on average. */
  target: z.number().positive().default(32),
  /** The weight c of the distance from the target, for activations whose mean squared norm is 1. */
  coefficient: z.number().nonnegative().default(1),
  /** How close to its threshold a pre-activation must come for the threshold to learn of it; thresholds start at it. */
  bandwidth: z.number().positive().default(0.001),
});

export const jumpreluTarget: Family<typeof options> = {
  name: 'jumprelu-target',
  description: 'above trained thresholds, led to a number of them',
  source: 'Rajamanoharan et al. 2024, arXiv 2407.14435, and dictionary_learning',
  options,
  recipe: { ...GEMMA_SCOPE, warmupFraction: 0.01, decayFraction: 0.2, sparsityWarmupFraction: 0.02 },
  unitDecoder: true,
  centersInput: false,
  own: ({ bandwidth }) => ({ threshold: bandwidth }),
  loss: (batch) => {
    const { target, coefficient, bandwidth } = batch.options;
    const weight = coefficient * batch.warmth;
    return lossWithCount(batch, bandwidth, (l0) => {
      const distance = l0 / target - 1;
      return { penalty: weight * distance ** 2, slope: (2 * weight * distance) / target };
    });
  },
  dictionary: ({ parameters, options }) => ({
    selection: { kind: 'threshold', threshold: thresholdsOf(parameters, options.bandwidth) },
  }),
};
