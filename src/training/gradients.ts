/**
 * The loss of a batch and its gradient: what the family says of it, AuxK, and a skip path. After the encoder's one dense
 * product everything costs O(rows x k x width).
 *
 *   z = (x - b_in) W_enc + b_enc,  f = select(z),  y' = f W_dec + b_dec (+ x W_skip^T)
 *   L = mean_r |y'_r - y_r|^2 + penalty + c L_aux
 *
 * In an autoencoder y = x, and b_in is b_dec or nothing. The gradient of the latents' parameters is left in the form
 * that it takes for each entry: see `kernels/trainingOperations.ts` for what that means and who sums it.
 */
import type { Batch, Loss, Workspace } from '../dictionaries/families/family.ts';
import type { Backend } from '../kernels/backend.ts';
import type { LatentGradientOperands } from '../kernels/trainingOperations.ts';
import { Random } from '../math/random.ts';
import { propagateAux } from './auxk.ts';
import { type TrainingOptions, totalSteps } from './options.ts';
import { latentsAt, sparsityWarmth } from './schedules.ts';
import { deadLatents, type TrainingState } from './state.ts';

/** Most weights whose gradients are kept between measuring and stepping: to write and read more would take longer than to form them twice. */
const KEPT = 2 ** 23;

/** How many numbers of a step's gradients are kept: those of both weights, or none. */
export function keptGradients(latents: number, width: number, outputWidth: number): number {
  const all = latents * (width + outputWidth);
  return all <= KEPT ? all : 0;
}

/** Activations, and what they are multiplied by first. */
export interface Rows {
  /** `[rows, width]` */
  readonly x: Float32Array;
  readonly scale: number;
  /** What a transcoder predicts, `[rows, outputWidth]`, and what it is multiplied by first. */
  readonly target?: { readonly y: Float32Array; readonly scale: number };
}

/** What a batch says. Its arrays are the workspace's, and valid until that is used again. */
export interface BatchResult {
  readonly batch: Batch;
  readonly loss: Loss;
  /** `mean_r |y_r - mean y|^2` */
  readonly variance: number;
  /** AuxK's normalised error before its coefficient; 0 where no latent is dead. */
  readonly auxLoss: number;
  readonly gradient: LatentGradientOperands;
  /** Of the family's own parameters, and of the skip path. */
  readonly own: Readonly<Record<string, Float32Array>>;
}

/** The loss of a batch in the step after those that `state` has taken, and its gradient for each entry. */
export async function propagate(
  backend: Backend,
  options: TrainingOptions,
  state: TrainingState,
  data: Rows,
  workspace: Workspace,
): Promise<BatchResult> {
  const { batch, variance } = await prepare(backend, options, state, data, workspace);
  const loss = await options.family.loss(batch);
  const aux = await propagateAux(batch, loss, {
    coefficient: options.auxCoefficient,
    latents: options.auxLatents,
  });
  const { parameters, rows, width, outputWidth, latents, input } = batch;
  const { everyRow, alongDecoder } = loss;
  const { encoderWeight, decoderWeight } = parameters;
  const kept = keptGradients(latents, width, outputWidth);
  const own: Record<string, Float32Array> = { ...loss.own };
  if (options.skip) {
    own.skip = workspace.floats('skip.gradient', outputWidth * width);
    const a = loss.outputGradient ?? loss.error.scaled;
    await backend.transposedProduct({ a, b: input, rows, aWidth: outputWidth, bWidth: width, out: own.skip });
  }
  return {
    batch,
    loss,
    variance,
    auxLoss: aux?.loss ?? 0,
    gradient: {
      rows,
      latents,
      width,
      outputWidth,
      input,
      encoderWeight,
      decoderWeight,
      unitDecoder: options.family.unitDecoder,
      parts: aux ? [...loss.parts, aux.part] : loss.parts,
      everyRow,
      alongDecoder,
      kept: kept > 0 ? workspace.floats('gradients', kept) : undefined,
    },
    own,
  };
}

/** Scales and centres the batch, and puts together what the family is told. */
async function prepare(
  backend: Backend,
  options: TrainingOptions,
  state: TrainingState,
  { x, scale, target: given }: Rows,
  workspace: Workspace,
): Promise<{ batch: Batch; variance: number }> {
  const { family, dictionary, batch: rows } = options;
  const { width, outputWidth, outputBounds, latents, parameters, memory } = state;
  const { decoderBias } = parameters;
  const centers = family.centersInput && state.autoencoder;
  const target = workspace.floats('target', rows * outputWidth);
  const sums = new Float64Array(outputWidth);
  const squares = await backend.shift({
    x: given?.y ?? x,
    scale: given?.scale ?? scale,
    center: decoderBias,
    rows,
    width: outputWidth,
    out: target,
    sums,
  });
  const input = centers ? target : workspace.floats('input', rows * width);
  if (!centers) {
    const [center, ignored] = [new Float32Array(width), new Float64Array(width)];
    await backend.shift({ x, scale, center, rows, width, out: input, sums: ignored });
  }
  if (options.skip) {
    const through = workspace.floats('skip', rows * outputWidth);
    const weight = backend.pack(parameters.skip, outputWidth, width);
    await backend.linear({ x: input, rows, weight, out: through });
    const ignored = new Float32Array(rows);
    await backend.residual({
      a: target,
      b: through,
      rows,
      width: outputWidth,
      scale: 1,
      out: target,
      squares: ignored,
    });
  }
  const step = state.step + 1;
  const batch: Batch = {
    backend,
    precision: options.precision,
    options: dictionary,
    k: latentsAt(options, step),
    warmth: sparsityWarmth(options, step),
    progress: state.step / totalSteps(options),
    parameters,
    memory,
    rows,
    width,
    outputWidth,
    outputBounds,
    latents,
    input,
    target,
    dead: deadLatents(state, options.deadAfterTokens),
    // Few families ask for it, and it takes a hash.
    get random() {
      return new Random(options.seed, 'step', `${step}`);
    },
    workspace,
  };
  return { batch, variance: squares / rows - sums.reduce((total, value) => total + (value / rows) ** 2, 0) };
}
