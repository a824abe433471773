/**
 * The threshold at which a dictionary fires that was trained to choose among a batch: the average over recent batches of
 * the smallest activation that was selected (Bussmann et al. 2024, appendix), which forgets by .99 a step. The average
 * starts at zero, which `1 - .99^steps` corrects for, as in Adam, so that it is right after ten steps as after ten
 * thousand.
 */
import type { Family } from './family.ts';

const DECAY = 0.99;

/** What a family remembers for it. */
export const THRESHOLD_MEMORY = { thresholdSum: 0, thresholdWeight: 0 };

type Memory = Record<string, number>;

/** Takes up a batch whose smallest selected activation is `smallest`; infinity where none was selected. */
export function updateThreshold(memory: Memory, smallest: number): void {
  if (!Number.isFinite(smallest)) return;
  memory.thresholdSum = DECAY * memory.thresholdSum + (1 - DECAY) * smallest;
  memory.thresholdWeight = DECAY * memory.thresholdWeight + (1 - DECAY);
}

/** A dictionary of latents that all fire above it; 0 before the first batch. */
export const thresholdDictionary: Family['dictionary'] = ({ latents, memory }) => {
  const threshold = memory.thresholdWeight === 0 ? 0 : memory.thresholdSum / memory.thresholdWeight;
  return { selection: { kind: 'threshold', threshold: new Float32Array(latents).fill(threshold) } };
};
