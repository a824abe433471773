/**
 * One training step: gradient, clipping, Adam, unit decoder rows, and the bookkeeping of dead latents and of
 * BatchTopK's threshold. It changes the state in place and knows nothing of streams, files or logs.
 */
import type { Backend } from '../kernels/backend.ts';
import type { AdamOptions, Trained } from '../kernels/trainingOperations.ts';
import { type BatchResult, propagate, type Select, type Workspace } from './gradients.ts';
import { ADAM_EPSILON, learningRate, type TrainingOptions } from './options.ts';
import { deadLatents, type Parameters, THRESHOLD_DECAY, type TrainingState } from './state.ts';

export interface StepMetrics {
  readonly step: number;
  readonly tokens: number;
  readonly loss: number;
  /** `sum |x - x'|^2 / sum |x - mean of the batch|^2` */
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

/** Trains on `scale * x`, `x [options.batch, width]`. What is in the workspace before does not matter. */
export async function trainStep(
  backend: Backend,
  options: TrainingOptions,
  state: TrainingState,
  { x, scale }: { x: Float32Array; scale: number },
  workspace: Workspace,
): Promise<StepMetrics> {
  const { width, latents, parameters } = state;
  const rows = options.batch;
  const dead = deadLatents(state, options.deadAfterTokens);
  const result = await propagate(
    { backend, parameters, width, latents, x, scale, rows },
    selectionOf(backend, options),
    {
      dead,
      latents: options.auxLatents,
      coefficient: options.auxCoefficient,
      precision: options.precision,
    },
    workspace,
  );
  state.step += 1;
  const rate = learningRate(options, state.step);
  const gradientNorm = await update(backend, options, state, result, rate);
  recordFirings(state, result, rows);
  return {
    step: state.step,
    tokens: state.step * rows,
    loss: result.loss,
    fvu: result.loss / result.variance,
    auxLoss: result.auxLoss,
    l0: result.l0,
    dead: dead.length,
    gradientNorm,
    learningRate: rate,
  };
}

/** TopK chooses k for each token, BatchTopK k for each token of the batch on average. */
function selectionOf(backend: Backend, { family, k, latents, precision }: TrainingOptions): Select {
  return (x, rows, parameters) => {
    const operands = {
      x,
      rows,
      width: x.length / rows,
      weight: parameters.encoderWeight,
      bias: parameters.encoderBias,
      columns: latents,
      precision,
    };
    return family === 'topk'
      ? backend.encodeTopK({ ...operands, k })
      : backend.encodeBatchTopK({ ...operands, total: rows * k });
  };
}

/** Steps along the gradient, clipped to `options.gradientClip`. Returns its norm before that. */
async function update(
  backend: Backend,
  options: TrainingOptions,
  state: TrainingState,
  { gradient, outputSum }: BatchResult,
  rate: number,
): Promise<number> {
  const throughInput = new Float64Array(state.width);
  const squares = await backend.measureLatentGradients({ ...gradient, throughInput });
  const decoderBias = Float32Array.from(outputSum, (through, i) => through - throughInput[i]);
  const norm = Math.sqrt(decoderBias.reduce((sum, value) => sum + value * value, squares));
  const adam: AdamOptions = {
    step: state.step,
    rate,
    beta1: options.beta1,
    beta2: options.beta2,
    epsilon: ADAM_EPSILON,
    gradientScale: Math.min(1, options.gradientClip / (norm + 1e-6)),
  };
  const trained = (name: keyof Parameters): Trained => ({
    parameter: state.parameters[name],
    m: state.firstMoment[name],
    v: state.secondMoment[name],
  });
  await backend.updateLatents({
    ...gradient,
    adam,
    trained: {
      encoderWeight: trained('encoderWeight'),
      encoderBias: trained('encoderBias'),
      decoderWeight: trained('decoderWeight'),
    },
  });
  await backend.adam({ ...adam, ...trained('decoderBias'), gradient: decoderBias });
  return norm;
}

/** A latent that fired for the loss counts anew; one that AuxK chose has not fired by that. */
function recordFirings(state: TrainingState, { gradient, smallest }: BatchResult, rows: number): void {
  const { offsets } = gradient.parts[0].order;
  for (let j = 0; j < state.latents; j++) {
    if (offsets[j + 1] > offsets[j]) state.tokensSinceFired[j] = 0;
    else state.tokensSinceFired[j] += rows;
  }
  if (Number.isFinite(smallest)) {
    state.thresholdAverage = THRESHOLD_DECAY * state.thresholdAverage + (1 - THRESHOLD_DECAY) * smallest;
  }
}
