/**
 * BatchTopK: the k * rows largest pre-activations of a whole batch (Bussmann et al. 2024, arXiv 2412.06410), so that a
 * token has as many latents as it needs. When it is used there is no batch, and latents fire above a threshold.
 */
import * as z from 'zod';
import { encoderOperands, plainLoss, reconstruct, roomFor } from './entries.ts';
import { type Family, GAO } from './family.ts';
import { latents } from './fields.ts';
import { THRESHOLD_MEMORY, thresholdDictionary, updateThreshold } from './threshold.ts';

const options = z.strictObject({
  family: z.literal('batchtopk'),
  latents,
  /** Latents that fire on a token, on average over a batch; it need not be a whole number. */
  k: z.number().positive().default(32),
});

export const batchtopk: Family<typeof options> = {
  name: 'batchtopk',
  description: 'k for each token on average over a batch',
  source: 'Bussmann et al. 2024, arXiv 2412.06410',
  options,
  recipe: GAO,
  unitDecoder: true,
  centersInput: true,
  memory: THRESHOLD_MEMORY,
  loss: async (batch) => {
    const total = Math.round(batch.rows * batch.k);
    const room = roomFor(batch, total);
    const codes = await batch.backend.encodeBatchTopK({ ...encoderOperands(batch), total, room });
    const reconstruction = await reconstruct(batch, codes);
    updateThreshold(batch.memory, reconstruction.smallest);
    return plainLoss(batch, codes, reconstruction);
  },
  dictionary: thresholdDictionary,
};
