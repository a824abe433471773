/** How a toy model's learning rate changes from step to step. It must not know what is trained. */

export interface ToySchedule {
  /** What follows the warm-up: `constant`; `cosine` falls to 5 % (Liu et al. 2025, arXiv 2505.10465); `linear` falls to 0. */
  readonly kind: 'constant' | 'cosine' | 'linear';
  /** Steps over which the rate rises linearly from 0. */
  readonly warmupSteps: number;
}

const COSINE_END = 0.05;

/**
 * The share of its largest value that the rate has at `step`, 1 .. `steps`. After w steps of warm-up the decay is at
 * `q = (step - 1 - w) / (steps - w)`, so that the last step still moves.
 */
export function rateShare({ kind, warmupSteps }: ToySchedule, step: number, steps: number): number {
  if (step <= warmupSteps) return step / warmupSteps;
  const q = (step - 1 - warmupSteps) / (steps - warmupSteps);
  if (kind === 'cosine') return COSINE_END + ((1 - COSINE_END) * (1 + Math.cos(Math.PI * q))) / 2;
  return kind === 'linear' ? 1 - q : 1;
}
