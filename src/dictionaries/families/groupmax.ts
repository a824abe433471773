/**
 * GroupMax: latents stand in k groups of neighbours, and of each group the strongest fires, where it is positive; so a
 * group has at most one latent on a token, and two of a group never fire together (EleutherAI's sparsify, `activation:
 * groupmax`). Finding it takes no sorting. No penalty:
 *
 *   L = mean_r |x'_r - x_r|^2,  f = ReLU(the largest z of each group)
 *
 * The recipe is the one that sparsify shares with Gao et al. 2024 where it trains by Adam.
 */
import * as z from 'zod';
import { encoderOperands, plainLoss, reconstruct } from './entries.ts';
import { type Family, GAO } from './family.ts';
import { latents, latentsPerToken } from './fields.ts';

const options = z
  .strictObject({
    family: z.literal('groupmax'),
    latents,
    /** Groups, of which each has a latent on a token at most; a divisor of `latents`. It is not annealed. */
    k: latentsPerToken,
  })
  .refine(({ latents, k }) => latents % k === 0, {
    path: ['k'],
    error: ({ input }) => {
      const { latents, k } = input as { latents: number; k: number };
      return `found ${k}, expected a divisor of the ${latents} latents, which stand in k groups of one size`;
    },
  });

export const groupmax: Family<typeof options> = {
  name: 'groupmax',
  description: 'the strongest of each of k groups of latents',
  source: "EleutherAI's sparsify",
  options,
  recipe: GAO,
  unitDecoder: true,
  centersInput: true,
  loss: async (batch) => {
    const codes = await batch.backend.encodeGroupMax({ ...encoderOperands(batch), groups: batch.options.k });
    return plainLoss(batch, codes, await reconstruct(batch, codes));
  },
  dictionary: ({ options }) => ({ selection: { kind: 'groupMax', k: options.k } }),
};
