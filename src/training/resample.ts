/**
 * Resampling of dead latents (Bricken et al. 2023, "Towards monosemanticity", appendix "Neuron resampling"): each is given
 * the direction of an activation that is badly reconstructed, drawn with a probability that follows the square of its
 * loss. Its decoder row becomes that direction, its encoder row the same at .2 of the mean norm of the living ones', its
 * bias 0, and the optimiser forgets it. Drawn from one batch, without replacement, so that no more latents come to life
 * at a time than the batch has rows.
 */
import { Random } from '../math/random.ts';
import type { BatchResult } from './gradients.ts';
import type { TrainingOptions } from './options.ts';
import { deadLatents, type TrainingState } from './state.ts';

const ENCODER_SHARE = 0.2;

/**
 * Resamples the latents that are dead after the step that the batch is of, in place: one that it brought to life again
 * stays what it is. Returns how many.
 */
export function resample(
  options: TrainingOptions,
  state: TrainingState,
  { batch, loss }: BatchResult,
): number {
  const { rows, width, outputWidth, input, target } = batch;
  const dead = deadLatents(state, options.deadAfterTokens);
  const random = new Random(options.seed, 'resample', `${state.step}`);
  const chosen = drawRows(squaredLosses(loss.error.scaled, rows, outputWidth), dead.length, random);
  const encoderNorm = ENCODER_SHARE * meanNorm(state, dead);
  const starts = options.family.own?.(options.dictionary) ?? {};
  chosen.forEach((row, i) => {
    const latent = dead[i];
    setDirection(state.parameters.encoderWeight, latent, width, input, row, encoderNorm);
    setDirection(state.parameters.decoderWeight, latent, outputWidth, target, row, options.decoderNorm);
    state.parameters.encoderBias[latent] = 0;
    for (const [name, start] of Object.entries(starts)) state.parameters[name][latent] = start;
    forget(options, state, latent, Object.keys(starts));
    state.tokensSinceFired[latent] = 0;
  });
  return chosen.length;
}

/** The squares of the rows' losses, up to a factor; the loss is a squared error itself. */
function squaredLosses(error: Float32Array, rows: number, width: number): Float64Array {
  return Float64Array.from({ length: rows }, (_, r) => {
    let sum = 0;
    for (let i = r * width; i < (r + 1) * width; i++) sum += error[i] * error[i];
    return sum * sum;
  });
}

/** Rows drawn by weight without replacement: the first of exponential clocks (Efraimidis and Spirakis 2006). */
function drawRows(weights: Float64Array, count: number, random: Random): number[] {
  const clocks = weights.map((weight) => -Math.log(1 - random.uniform()) / weight);
  return [...clocks.keys()]
    .filter((r) => Number.isFinite(clocks[r]))
    .sort((a, b) => clocks[a] - clocks[b] || a - b)
    .slice(0, count);
}

function meanNorm({ parameters, latents, width }: TrainingState, dead: Uint32Array): number {
  const isDead = new Set(dead);
  let [sum, count] = [0, 0];
  for (let j = 0; j < latents; j++) {
    if (isDead.has(j)) continue;
    sum += Math.hypot(...parameters.encoderWeight.subarray(j * width, (j + 1) * width));
    count++;
  }
  return count === 0 ? 1 : sum / count;
}

function setDirection(
  weight: Float32Array,
  latent: number,
  width: number,
  from: Float32Array,
  row: number,
  norm: number,
): void {
  const direction = from.subarray(row * width, (row + 1) * width);
  const scale = norm / (Math.hypot(...direction) || 1);
  for (let i = 0; i < width; i++) weight[latent * width + i] = direction[i] * scale;
}

/** Adam's moments become 0; signum's z the parameter itself. */
function forget(
  options: TrainingOptions,
  state: TrainingState,
  latent: number,
  own: readonly string[],
): void {
  const { firstMoment, secondMoment, parameters, width, outputWidth } = state;
  const widths = { encoderWeight: width, decoderWeight: outputWidth, encoderBias: 1 };
  for (const [name, each] of [...Object.entries(widths), ...own.map((name) => [name, 1] as const)]) {
    const [from, to] = [latent * each, (latent + 1) * each];
    if (options.optimiser === 'signum') firstMoment[name].set(parameters[name].subarray(from, to), from);
    else {
      firstMoment[name].fill(0, from, to);
      secondMoment[name].fill(0, from, to);
    }
  }
}
