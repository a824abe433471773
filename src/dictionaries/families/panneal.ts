/**
 * p-annealing (Karvonen et al. 2024, arXiv 2408.00113): the penalty of an L1 dictionary is bent towards a count of the
 * latents that fire,
 *
 *   L = mean_r |x'_r - x_r|^2 + c_u mean_r sum_j f_j^{p_u},  |d_j| = 1
 *
 * p_0 = 1. Over the part of the training that is left after `START`, p falls to its last value in equal steps, each as
 * long as the others, of which the first still has p = 1. Whenever it falls, c is multiplied so that the penalty of recent activations stays what it was,
 *
 *   c_{u+1} = c_u <sum f^{p_u}> / <sum f^{p_{u+1}}>,
 *
 * where <.> is an average over batches that forgets by `DECAY` a step; in the paper it is that of the last ten.
 */
import * as z from 'zod';
import { encoderOperands, plainLoss, reconstruct } from './entries.ts';
import type { Batch, Family } from './family.ts';
import { latents } from './fields.ts';
import { BRICKEN } from './l1.ts';

const options = z.strictObject({
  family: z.literal('panneal'),
  latents,
  /**
   * The weight c of the penalty at the start, where it is an L1, for activations whose mean squared norm is 1; .01 to 1
   * is its range. On stories15M with 4,608 latents, after 200 steps, 51 of them fire on a token at .04.
   */
  coefficient: z.number().nonnegative().default(0.04),
  /** The power p that the penalty ends with. */
  finalPower: z.number().positive().max(1).default(0.2),
});

/** The share of the training after which p begins to fall. */
const START = 0.3;
/** How many values p has, the first being 1. */
const POWERS = 10;
const DECAY = 0.9;
/** Below this an activation is rounding error; the slope of f^p, which has no bound at 0, stays what it is here. */
const SMALLEST = 1e-6;

type Options = z.output<typeof options>;

export const panneal: Family<typeof options> = {
  name: 'panneal',
  description: 'all above 0, under a penalty that turns from L1 into a count',
  source: 'Karvonen et al. 2024, arXiv 2408.00113',
  options,
  // Latents are resampled before p begins to fall.
  recipe: { ...BRICKEN, resampleAt: [0.125, 0.25] },
  unitDecoder: true,
  centersInput: true,
  memory: { updates: 0, scale: 1, now: 0, next: 0 },
  loss: async (batch) => {
    const { backend, rows, latents, options, memory } = batch;
    const threshold = new Float32Array(latents);
    const codes = await backend.encodeThreshold({ ...encoderOperands(batch), threshold });
    const reconstruction = await reconstruct(batch, codes);
    lowerPower(batch);
    const power = powerAfter(memory.updates, options);
    const nextPower = powerAfter(Math.min(memory.updates + 1, POWERS - 1), options);
    const weight = (options.coefficient * memory.scale * batch.warmth) / rows;
    const preGradients = batch.workspace.floats('preGradients', codes.values.length);
    let [sum, nextSum] = [0, 0];
    for (let e = 0; e < codes.values.length; e++) {
      const value = Math.max(codes.values[e], SMALLEST);
      const raised = value ** power;
      sum += raised;
      nextSum += value ** nextPower;
      preGradients[e] = reconstruction.valueGradients[e] + (weight * power * raised) / value;
    }
    memory.now = DECAY * memory.now + (1 - DECAY) * sum;
    memory.next = DECAY * memory.next + (1 - DECAY) * nextSum;
    return { ...(await plainLoss(batch, codes, reconstruction, preGradients)), penalty: weight * sum };
  },
  dictionary: ({ latents }) => ({ selection: { kind: 'threshold', threshold: new Float32Array(latents) } }),
};

function powerAfter(updates: number, { finalPower }: Options): number {
  return 1 - ((1 - finalPower) * updates) / (POWERS - 1);
}

/** Takes p to its next value where that is due, and c with it. One value a step, in runs however short. */
function lowerPower({ memory, progress }: Batch<Options>): void {
  const due = Math.floor((POWERS * (progress - START)) / (1 - START));
  if (memory.updates >= Math.min(due, POWERS - 1)) return;
  memory.updates += 1;
  if (memory.next > 0) memory.scale *= memory.now / memory.next;
  memory.now = 0;
  memory.next = 0;
}
