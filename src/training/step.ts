/**
 * One training step: gradient, clipping, Adam, unit decoder rows, and the bookkeeping of dead latents and of
 * BatchTopK's threshold. It changes the state in place and knows nothing of streams, files or logs.
 */
import type { Backend } from '../kernels/backend.ts';
import { addGradient, type BatchResult, type Select } from './gradients.ts';
import { ADAM_EPSILON, learningRate, type TrainingOptions } from './options.ts';
import {
  deadLatents,
  PARAMETER_NAMES,
  type Parameters,
  THRESHOLD_DECAY,
  type TrainingState,
} from './state.ts';

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

/**
 * Trains on `x [options.batch, width]`. `gradient` is scratch of the parameters' shape: zero before, zero after.
 */
export async function trainStep(
  backend: Backend,
  options: TrainingOptions,
  state: TrainingState,
  x: Float32Array,
  gradient: Parameters,
): Promise<StepMetrics> {
  const { width, latents, parameters } = state;
  const rows = options.batch;
  const dead = deadLatents(state, options.deadAfterTokens);
  const result = await addGradient(
    { backend, parameters, width, latents, x, rows },
    selectionOf(backend, options),
    {
      dead,
      latents: options.auxLatents,
      coefficient: options.auxCoefficient,
      precision: options.precision,
    },
    gradient,
  );
  // A unit row can only turn: what would lengthen it would be undone below, and must not enter Adam's moments.
  const { decoderWeight } = gradient;
  await backend.removeParallel({
    gradient: decoderWeight,
    weight: parameters.decoderWeight,
    rows: latents,
    width,
  });
  const gradientNorm = await globalNorm(backend, gradient);
  state.step += 1;
  const rate = learningRate(options, state.step);
  for (const name of PARAMETER_NAMES) {
    await backend.adam({
      parameter: parameters[name],
      gradient: gradient[name],
      m: state.firstMoment[name],
      v: state.secondMoment[name],
      step: state.step,
      rate,
      beta1: options.beta1,
      beta2: options.beta2,
      epsilon: ADAM_EPSILON,
      gradientScale: Math.min(1, options.gradientClip / (gradientNorm + 1e-6)),
    });
  }
  await backend.unitRows({ weight: parameters.decoderWeight, rows: latents, width });
  recordFirings(state, result, rows);
  return {
    step: state.step,
    tokens: state.step * rows,
    loss: result.loss,
    fvu: result.loss / (await variance(backend, x, rows, width)),
    auxLoss: result.auxLoss,
    l0: result.codes.values.length / rows,
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

async function globalNorm(backend: Backend, gradient: Parameters): Promise<number> {
  let squares = 0;
  for (const name of PARAMETER_NAMES) squares += await backend.sumOfSquares(gradient[name]);
  return Math.sqrt(squares);
}

function recordFirings(state: TrainingState, { codes, firings }: BatchResult, rows: number): void {
  firings.forEach((count, latent) => {
    state.tokensSinceFired[latent] = count > 0 ? 0 : state.tokensSinceFired[latent] + rows;
  });
  let smallest = Number.POSITIVE_INFINITY;
  for (const value of codes.values) if (value < smallest) smallest = value;
  if (Number.isFinite(smallest)) {
    state.thresholdAverage = THRESHOLD_DECAY * state.thresholdAverage + (1 - THRESHOLD_DECAY) * smallest;
  }
}

/** `mean_r |x_r - mean x|^2` */
async function variance(backend: Backend, x: Float32Array, rows: number, width: number): Promise<number> {
  const sums = new Float64Array(width);
  await backend.columnSum({ m: x, rows, width, out: sums });
  const squareOfMean = sums.reduce((total, value) => total + (value / rows) ** 2, 0);
  return (await backend.sumOfSquares(x)) / rows - squareOfMean;
}
