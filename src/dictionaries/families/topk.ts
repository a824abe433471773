/**
 * TopK: the k largest pre-activations of each token, then a ReLU (Gao et al. 2024, arXiv 2406.04093). No penalty:
 *
 *   L = mean_r |x'_r - x_r|^2,  f = ReLU(TopK(z))
 */
import * as z from 'zod';
import { encoderOperands, plainLoss, reconstruct, roomFor } from './entries.ts';
import { type Family, GAO } from './family.ts';
import { latents, latentsPerToken } from './fields.ts';

const options = z.strictObject({
  family: z.literal('topk'),
  latents,
  /** Latents that fire on each token. */
  k: latentsPerToken,
});

export const topk: Family<typeof options> = {
  name: 'topk',
  description: 'the k strongest of each token',
  source: 'Gao et al. 2024, arXiv 2406.04093',
  options,
  recipe: GAO,
  unitDecoder: true,
  centersInput: true,
  loss: async (batch) => {
    const room = roomFor(batch, batch.rows * batch.k);
    const codes = await batch.backend.encodeTopK({ ...encoderOperands(batch), k: batch.k, room });
    return plainLoss(batch, codes, await reconstruct(batch, codes));
  },
  dictionary: ({ options }) => ({ selection: { kind: 'topk', k: options.k } }),
};
