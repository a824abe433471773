/**
 * The training loop: activations in, a state out, with checkpoints and a held-out measure on the way. It reads any
 * `ActivationSource` and reports through callbacks; it must not know of files other than its checkpoints.
 */
import { shuffledBatches } from '../activations/shuffle.ts';
import type { ActivationSource } from '../activations/source.ts';
import { decode, encode } from '../dictionaries/dictionary.ts';
import { InputError } from '../formats/errors.ts';
import type { Backend } from '../kernels/backend.ts';
import { readNewestCheckpoint, writeCheckpoint } from './checkpoint.ts';
import { checkOptions, type TrainingOptions, totalSteps } from './options.ts';
import { currentDictionary, initialState, type TrainingState } from './state.ts';
import { type StepMetrics, trainStep } from './step.ts';
import { createWorkspace } from './workspace.ts';

export interface TrainRequest {
  readonly backend: Backend;
  readonly source: ActivationSource;
  /** Activations are multiplied by this before training sees them; see `activationScale`. */
  readonly scale: number;
  /** Mean activation `[width]` before scaling: where b_dec starts. */
  readonly mean: ArrayLike<number>;
  readonly options: TrainingOptions;
  /** Held-out activations `[rows, width]`, on which FVU is measured every `validateEvery` steps. */
  readonly validation?: { readonly activations: Float32Array; readonly rows: number };
  readonly validateEvery?: number;
  /** Where checkpoints go, and every how many steps. None without it. */
  readonly checkpoints?: { readonly dir: string; readonly every: number };
  /** Goes on from the newest checkpoint, where there is one. */
  readonly resume?: boolean;
  /** Called after every step, and awaited. */
  readonly onStep?: (metrics: StepMetrics & { validationFvu?: number }) => void | Promise<void>;
  /** Called once, before the first step, with the step that training goes on from. */
  readonly onStart?: (step: number) => void | Promise<void>;
  /** Aborting it writes a checkpoint and returns after the step in progress. */
  readonly signal?: AbortSignal;
}

export interface TrainResult {
  readonly state: TrainingState;
  /** False where the signal stopped it early. */
  readonly finished: boolean;
}

/** Trains to the end of `options.tokens`. Same seed and source, same bytes, resumed or not, on any thread count. */
export async function train(request: TrainRequest): Promise<TrainResult> {
  const { backend, source, options, scale, checkpoints, signal } = request;
  checkOptions(options);
  const perEpoch = Math.floor(source.totalRows / options.batch);
  if (perEpoch === 0) {
    throw new InputError(
      `the source has ${source.totalRows} activations, less than one batch of ${options.batch}: ` +
        'harvest more tokens or choose a smaller training.batch',
    );
  }
  const state = await initialState(backend, options, {
    width: source.width,
    center: Float64Array.from(request.mean, (value) => scale * value),
    autoencoder: true,
  });
  if (checkpoints && request.resume) await readNewestCheckpoint(checkpoints.dir, state);
  await request.onStart?.(state.step);

  const total = totalSteps(options);
  const workspace = createWorkspace(backend);
  const save = () => (checkpoints ? writeCheckpoint(checkpoints.dir, state) : undefined);
  while (state.step < total) {
    const batches = shuffledBatches(source, {
      batch: options.batch,
      windowRows: options.windowRows,
      seed: options.shuffleSeed,
      epoch: Math.floor(state.step / perEpoch),
      startBatch: state.step % perEpoch,
    });
    for await (const { activations } of batches) {
      const metrics = await trainStep(backend, options, state, { x: activations, scale }, workspace);
      if (!Number.isFinite(metrics.loss)) {
        throw new InputError(
          `training.learningRate ${options.learningRate}: the loss is ${metrics.loss} at step ${metrics.step}; ` +
            'choose a smaller rate',
        );
      }
      await request.onStep?.({ ...metrics, ...(await validate(request, state, total)) });
      const last = state.step >= total || signal?.aborted;
      if (last || (checkpoints && state.step % checkpoints.every === 0)) await save();
      if (last) return { state, finished: state.step >= total };
    }
  }
  return { state, finished: true };
}

async function validate(
  request: TrainRequest,
  state: TrainingState,
  total: number,
): Promise<{ validationFvu?: number }> {
  const { backend, validation, validateEvery, options, scale } = request;
  if (!validation || !validateEvery) return {};
  if (state.step % validateEvery !== 0 && state.step !== total) return {};
  const { rows } = validation;
  const { width } = state;
  const x = new Float32Array(rows * width);
  const origin = new Float32Array(width);
  const sums = new Float64Array(width);
  await backend.shift({ x: validation.activations, scale, center: origin, rows, width, out: x, sums });
  const dictionary = await currentDictionary(backend, state, options);
  const output = await decode(backend, dictionary, await encode(backend, dictionary, x, rows), x);
  const centered = new Float32Array(x.length);
  const squares = new Float32Array(rows);
  const center = Float32Array.from(sums, (value) => value / rows);
  await backend.center({ x, center, rows, width, scale: 1, out: centered });
  const variance = await backend.sumOfSquares(centered);
  await backend.residual({ a: output, b: x, rows, width, scale: 1, out: output, squares });
  return { validationFvu: (await backend.sumOfSquares(output)) / variance };
}
