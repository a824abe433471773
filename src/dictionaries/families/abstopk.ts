/**
 * AbsTopK: the k pre-activations of largest magnitude of each token, with their sign, so that one latent can stand for
 * both ends of an axis (Zhu et al. 2025, arXiv 2510.00404). No ReLU and no penalty:
 *
 *   L = mean_r |x'_r - x_r|^2,  f = z where |z| is among the k largest, else 0
 */
import * as z from 'zod';
import { encoderOperands, plainLoss, reconstruct } from './entries.ts';
import { type Family, GAO } from './family.ts';
import { latents, latentsPerToken } from './fields.ts';

const options = z.strictObject({
  family: z.literal('abstopk'),
  latents,
  /** Latents that fire on each token, with either sign. */
  k: latentsPerToken,
});

export const abstopk: Family<typeof options> = {
  name: 'abstopk',
  description: 'the k of largest magnitude of each token, with their sign',
  source: 'Zhu et al. 2025, arXiv 2510.00404',
  options,
  recipe: GAO,
  unitDecoder: true,
  centersInput: true,
  loss: async (batch) => {
    const codes = await batch.backend.encodeAbsTopK({ ...encoderOperands(batch), k: batch.k });
    return plainLoss(batch, codes, await reconstruct(batch, codes));
  },
  dictionary: ({ options }) => ({ selection: { kind: 'absTopK', k: options.k } }),
};
