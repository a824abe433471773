/**
 * What is summed over a document while a dictionary is evaluated. Every metric and every bootstrap resample is made
 * from these sums, so the data is read once. It knows nothing of models: sums come from `splice.ts`.
 */
import type { SparseRows } from '../kernels/backend.ts';

/** Most groups that documents are gathered into: more documents than this share groups, whole documents each. */
export const MAX_GROUPS = 512;

/** Sums for one dictionary; each array has an element for each group of documents. */
export interface GroupSums {
  readonly groups: number;
  readonly width: number;
  readonly latents: number;
  /** Activations that were read. */
  readonly tokens: Float64Array;
  /** `sum |x - x'|^2` */
  readonly squaredError: Float64Array;
  /** `sum |x|^2` */
  readonly squaredNorm: Float64Array;
  /** `sum x`, `[groups, width]` */
  readonly total: Float64Array;
  /** Times that each latent fired, `[groups, latents]`. */
  readonly firings: Uint32Array;
  /** Tokens that were predicted. */
  readonly predictions: Float64Array;
  /** Sums of cross-entropy in nats: of the model, and with the activations replaced. */
  readonly crossEntropy: Record<Variant, Float64Array>;
  /** `sum KL(model || model with the dictionary spliced in)`, in nats. */
  readonly kl: Float64Array;
}

/** What stands at the hook point: the model's own activations, their reconstruction, zeros, or the mean. */
export const VARIANTS = ['model', 'spliced', 'zero', 'mean'] as const;
export type Variant = (typeof VARIANTS)[number];

export function emptySums(groups: number, width: number, latents: number): GroupSums {
  const zeros = () => new Float64Array(groups);
  return {
    groups,
    width,
    latents,
    tokens: zeros(),
    squaredError: zeros(),
    squaredNorm: zeros(),
    total: new Float64Array(groups * width),
    firings: new Uint32Array(groups * latents),
    predictions: zeros(),
    crossEntropy: { model: zeros(), spliced: zeros(), zero: zeros(), mean: zeros() },
    kl: zeros(),
  };
}

/** Adds rows `y [rows, width]`, what they were reconstructed as, and the codes of that. `groups [rows]`. */
export function addReconstructions(
  sums: GroupSums,
  y: Float32Array,
  output: Float32Array,
  codes: SparseRows,
  groups: Uint32Array,
): void {
  const { width, latents } = sums;
  for (let r = 0; r < codes.rows; r++) {
    const group = groups[r];
    sums.tokens[group] += 1;
    for (let i = 0; i < width; i++) {
      const value = y[r * width + i];
      const error = value - output[r * width + i];
      sums.total[group * width + i] += value;
      sums.squaredNorm[group] += value * value;
      sums.squaredError[group] += error * error;
    }
    for (let e = codes.offsets[r]; e < codes.offsets[r + 1]; e++)
      sums.firings[group * latents + codes.indices[e]] += 1;
  }
}

/** Share of all tokens on which each latent fired, `[latents]`. */
export function firingFrequency(sums: GroupSums): Float64Array {
  const { groups, latents, firings } = sums;
  const tokens = sums.tokens.reduce((a, b) => a + b, 0);
  const frequency = new Float64Array(latents);
  for (let g = 0; g < groups; g++) {
    for (let j = 0; j < latents; j++) frequency[j] += firings[g * latents + j] / tokens;
  }
  return frequency;
}
