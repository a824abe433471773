/**
 * What JumpReLU families have in common (Rajamanoharan et al. 2024, arXiv 2407.14435): each latent fires above a
 * threshold of its own, which is trained,
 *
 *   f = z where z > theta, and else 0
 *
 * A jump has no slope in theta. What is taken for it is the slope of the loss's expectation, estimated from the
 * pre-activations that come close to the jump, those with |z - theta| < bandwidth / 2:
 *
 *   df/dtheta = -theta / bandwidth,  dH(z - theta)/dtheta = -1 / bandwidth,  and 0 outside of that window,
 *
 * with H the step that counts firings. With respect to z only the true slope is taken, 1 where f > 0.
 *
 * Thresholds are trained as they are, where the paper trains their logarithm, which Adam can pin. They stay above 0 as
 * there: one that a step takes below a hundredth of the bandwidth counts as that, where it still has a slope that can
 * raise it, and is not pushed further down.
 */
import type { SparseRows } from '../../kernels/backend.ts';
import { encoderOperands, plainLoss, reconstruct } from './entries.ts';
import type { Batch, Loss, Parameters } from './family.ts';

/** The latents that fire, and those that come so close to it that their thresholds learn of them. */
export interface Jump {
  readonly bandwidth: number;
  /** `[latents]`, as they count. */
  readonly threshold: Float32Array;
  /** Pre-activation of each entry; all are above `threshold - bandwidth / 2`. */
  readonly preActivations: Float32Array;
  /** f of each entry: 0 where it is not above the threshold. */
  readonly codes: SparseRows;
}

const LEAST = 0.01;

export async function jump(batch: Batch, bandwidth: number): Promise<Jump> {
  const threshold = thresholdsOf(batch.parameters, bandwidth);
  const windows = threshold.map((theta) => theta - bandwidth / 2);
  const found = await batch.backend.encodeThreshold({ ...encoderOperands(batch), threshold: windows });
  const values = found.values.map((z, e) => (z > threshold[found.indices[e]] ? z : 0));
  return { bandwidth, threshold, preActivations: found.values, codes: { ...found, values } };
}

/** The trained thresholds, as they count. */
export function thresholdsOf({ threshold }: Parameters, bandwidth: number): Float32Array {
  return threshold.map((theta) => Math.max(LEAST * bandwidth, theta));
}

/**
 * dL/dtheta `[latents]`, from the gradient of each value and that of each firing (the same for all). `more` is added:
 * what the loss has of the thresholds themselves.
 */
export function thresholdGradient(
  { parameters }: Batch,
  { bandwidth, threshold, preActivations, codes }: Jump,
  gradients: { values: Float32Array; firing: number; more?: Float64Array },
): Float32Array {
  const sums = gradients.more?.slice() ?? new Float64Array(threshold.length);
  for (let e = 0; e < preActivations.length; e++) {
    const j = codes.indices[e];
    if (Math.abs(preActivations[e] - threshold[j]) >= bandwidth / 2) continue;
    sums[j] -= (threshold[j] * gradients.values[e] + gradients.firing) / bandwidth;
  }
  return Float32Array.from(sums, (sum, j) =>
    parameters.threshold[j] < threshold[j] ? Math.min(0, sum) : sum,
  );
}

/** The gradient of the pre-activations through the values: that of the values where they fired. */
export function throughValues({ codes: { values } }: Jump, gradients: Float32Array): Float32Array {
  return gradients.map((gradient, e) => (values[e] > 0 ? gradient : 0));
}

/** The loss of a family with a penalty on L0, the mean number of latents that fire on a token. */
export async function lossWithCount(
  batch: Batch,
  bandwidth: number,
  penaltyOf: (l0: number) => { penalty: number; slope: number },
): Promise<Loss> {
  const jumped = await jump(batch, bandwidth);
  const { codes } = jumped;
  const reconstruction = await reconstruct(batch, codes);
  const { valueGradients } = reconstruction;
  const fired = codes.values.reduce((count, value) => count + (value > 0 ? 1 : 0), 0);
  const { penalty, slope } = penaltyOf(fired / batch.rows);
  const gradients = { values: valueGradients, firing: slope / batch.rows };
  return {
    ...(await plainLoss(batch, codes, reconstruction, throughValues(jumped, valueGradients))),
    penalty,
    own: { threshold: thresholdGradient(batch, jumped, gradients) },
  };
}
