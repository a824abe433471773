/** What `monosem demo` runs: a whole run that is small enough to wait for. */
import type { RunConfigInput } from '../runs/config.ts';

export const DEMO = {
  corpus: { name: 'self', tokens: 120_000, testFraction: 0.08 },
  dictionary: { family: 'topk', latents: 2304, k: 32 },
  training: { tokens: 600_000, batch: 4096 },
} as const satisfies Omit<RunConfigInput, 'name'>;
