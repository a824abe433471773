/**
 * One training step: gradient, clipping, optimiser, unit decoder rows, and the bookkeeping of dead latents. It changes
 * the state in place and knows nothing of streams, files or logs.
 */
import type { Loss, Workspace } from '../dictionaries/families/family.ts';
import type { Backend } from '../kernels/backend.ts';
import type { Optimiser, Trained } from '../kernels/trainingOperations.ts';
import { frozenParameter, keepNearStart, withoutFrozen } from './freeze.ts';
import { type BatchResult, propagate, type Rows } from './gradients.ts';
import type { TrainingOptions } from './options.ts';
import { resample } from './resample.ts';
import { learningRate, resamplesAfter } from './schedules.ts';
import type { TrainingState } from './state.ts';

export interface StepMetrics {
  readonly step: number;
  readonly tokens: number;
  /** Mean squared error. */
  readonly loss: number;
  /** What the family's penalty adds to the loss. */
  readonly penalty: number;
  /** `sum |y - y'|^2 / sum |y - mean of the batch|^2` */
  readonly fvu: number;
  readonly auxLoss: number;
  /** Latents that fired on a token, on average. */
  readonly l0: number;
  /** Latents dead before the step. */
  readonly dead: number;
  /** Global norm before clipping. */
  readonly gradientNorm: number;
  readonly learningRate: number;
}

const ADAM_EPSILON = 1e-8;

/** Trains on `options.batch` rows of `data`. What is in the workspace before does not matter. */
export async function trainStep(
  backend: Backend,
  options: TrainingOptions,
  state: TrainingState,
  data: Rows,
  workspace: Workspace,
): Promise<StepMetrics> {
  const rows = options.batch;
  const result = await propagate(backend, options, state, data, workspace);
  state.step += 1;
  const rate = learningRate(options, state.step);
  const gradientNorm = await update(backend, options, state, result, rate, workspace);
  const fired = recordFirings(state, result.loss, rows);
  if (resamplesAfter(options, state.step)) resample(options, state, result);
  return {
    step: state.step,
    tokens: state.step * rows,
    loss: result.loss.reconstruction,
    penalty: result.loss.penalty,
    fvu: result.loss.reconstruction / result.variance,
    auxLoss: result.auxLoss,
    l0: fired / rows,
    dead: result.batch.dead.length,
    gradientNorm,
    learningRate: rate,
  };
}

/** Steps along the gradient, clipped to `options.gradientClip`. Returns its norm before that. */
async function update(
  backend: Backend,
  options: TrainingOptions,
  state: TrainingState,
  { gradient: whole, loss, own, batch }: BatchResult,
  rate: number,
  workspace: Workspace,
): Promise<number> {
  const { dense } = loss;
  const frozen = frozenParameter(options.freeze);
  const gradient = withoutFrozen(options.freeze, whole, workspace);
  const throughInput = new Float64Array(state.width);
  let squares = dense ? 0 : await backend.measureLatentGradients({ ...gradient, throughInput });
  const centered = batch.input === batch.target;
  const decoderBias = new Float32Array(loss.outputSum);
  if (centered)
    for (let i = 0; i < decoderBias.length; i++) decoderBias[i] = loss.outputSum[i] - throughInput[i];
  if (dense && gradient.unitDecoder) turnOnly(dense.decoderWeight, gradient);
  const others: Record<string, Float32Array> = { ...own, ...dense, decoderBias };
  if (frozen !== undefined) delete others[frozen];
  for (const array of Object.values(others)) squares += await backend.sumOfSquares(array);
  const norm = Math.sqrt(squares);
  const optimiser = optimiserOf(options, state.step, rate, norm);
  const trained = (name: string): Trained => ({
    parameter: state.parameters[name],
    m: state.firstMoment[name],
    v: state.secondMoment[name],
  });
  if (!dense) {
    await backend.updateLatents({
      ...gradient,
      optimiser,
      trained: {
        encoderWeight: trained('encoderWeight'),
        encoderBias: trained('encoderBias'),
        decoderWeight: trained('decoderWeight'),
      },
    });
  }
  for (const [name, array] of Object.entries(others))
    await backend.stepArray({ optimiser, trained: trained(name), gradient: array });
  if (dense && gradient.unitDecoder) {
    const { decoderWeight: weight, latents, outputWidth: width } = gradient;
    await backend.unitRows({ weight, rows: latents, width });
  }
  stayNearStart(options, state, frozen);
  return norm;
}

/** Undoes what the optimiser's rounding did to a frozen weight, and more than a softly frozen one may move. */
function stayNearStart(
  { freeze, optimiser }: TrainingOptions,
  { parameters, firstMoment, decoderStart, outputWidth }: TrainingState,
  frozen: string | undefined,
): void {
  // Signum's z starts as the parameter and stays, but the average that it is taken from is rounded.
  if (frozen !== undefined && optimiser === 'signum') parameters[frozen].set(firstMoment[frozen]);
  if (freeze !== 'soft-decoder') return;
  keepNearStart(parameters.decoderWeight, decoderStart!, outputWidth);
  if (optimiser === 'signum') keepNearStart(firstMoment.decoderWeight, decoderStart!, outputWidth);
}

/** Takes the part along each unit decoder row out of its gradient, as `updateLatents` does. */
function turnOnly(
  gradient: Float32Array,
  { decoderWeight, latents, outputWidth }: BatchResult['gradient'],
): void {
  for (let j = 0; j < latents; j++) {
    const [from, to] = [j * outputWidth, (j + 1) * outputWidth];
    let along = 0;
    for (let i = from; i < to; i++) along += gradient[i] * decoderWeight[i];
    for (let i = from; i < to; i++) gradient[i] -= along * decoderWeight[i];
  }
}

function optimiserOf(options: TrainingOptions, step: number, rate: number, norm: number): Optimiser {
  const { beta1, beta2 } = options;
  if (options.optimiser === 'signum') return { kind: 'signum', step, rate, momentum: beta1 };
  const gradientScale = Math.min(1, options.gradientClip / (norm + 1e-6));
  return { kind: 'adam', step, rate, beta1, beta2, epsilon: ADAM_EPSILON, gradientScale };
}

/** A latent that fired for the loss counts anew; one that AuxK chose has not fired by that. Returns how many fired in all. */
function recordFirings({ tokensSinceFired }: TrainingState, { codes }: Loss, rows: number): number {
  for (let j = 0; j < tokensSinceFired.length; j++) tokensSinceFired[j] += rows;
  const { indices, values } = codes;
  let fired = 0;
  for (let e = 0; e < values.length; e++) {
    if (values[e] === 0) continue;
    tokensSinceFired[indices[e]] = 0;
    fired++;
  }
  return fired;
}
