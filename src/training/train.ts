/**
 * The training loop: one stream of activations in, any number of trained dictionaries out, with checkpoints and a held-out
 * measure on the way. Each of them, an arm, comes to the same bytes as if it were alone. It reports through callbacks and
 * must not know of files other than checkpoints.
 */
import type { ActivationSource } from '../activations/source.ts';
import { decode, encode } from '../dictionaries/dictionary.ts';
import type { Workspace } from '../dictionaries/families/family.ts';
import { InputError } from '../formats/errors.ts';
import type { Backend } from '../kernels/backend.ts';
import { inTurns } from '../kernels/inTurns.ts';
import { mixRows } from '../math/mixing.ts';
import { Random } from '../math/random.ts';
import { readNewestCheckpoint, writeCheckpoint } from './checkpoint.ts';
import type { Rows } from './gradients.ts';
import { checkOptions, type TrainingOptions, totalSteps } from './options.ts';
import { currentDictionary, initialState, type TrainingState } from './state.ts';
import { type StepMetrics, trainStep } from './step.ts';
import {
  type Block,
  type BlockRows,
  boundsOf,
  type Stream,
  type StreamBatch,
  scaledMean,
  splitBlocks,
  streamBatches,
  widthOf,
} from './stream.ts';
import { createWorkspace } from './workspace.ts';

/**
 * Arms that take a step at the same time: while one is between two operations, the other keeps the threads busy. Of small
 * ones more: their operations are each done by one thread.
 */
const [IN_FLIGHT, SMALL_IN_FLIGHT] = [2, 16];
/** Products of this many numbers take a thread half a millisecond. */
const SMALL = 2e7;

/** One dictionary in training. */
export interface Arm {
  readonly options: TrainingOptions;
  /** What it reads of the stream: one hook point, or the several of a crosscoder. */
  readonly input: readonly Block[];
  /** What a transcoder predicts. An autoencoder predicts its input. */
  readonly target?: readonly Block[];
  /** It reads its rows mixed, a null without sparse structure: see `mixRows`. */
  readonly mixed?: boolean;
  /** Held-out rows of the stream, on which FVU and L0 are measured every `validateEvery` steps and at the end. */
  readonly validation?: { readonly activations: Float32Array; readonly rows: number };
  readonly validateEvery?: number;
  /** Where checkpoints go, and every how many steps. None without it. */
  readonly checkpoints?: { readonly dir: string; readonly every: number };
  /** Goes on from the newest checkpoint, where there is one. */
  readonly resume?: boolean;
  /** Called once, before the first step, with the step that training goes on from. */
  readonly onStart?: (step: number) => void | Promise<void>;
  /** Called after every step, and awaited. */
  readonly onStep?: (metrics: ArmMetrics) => void | Promise<void>;
}

export type ArmMetrics = StepMetrics & Partial<Validation>;

/** On the held-out rows, where they were due. */
export interface Validation {
  /** Fraction of their variance that is left unexplained. */
  readonly validationFvu: number;
  /** Latents that fire on one of them, on average. */
  readonly validationL0: number;
}

export interface TrainRequest {
  readonly backend: Backend;
  readonly stream: Stream;
  readonly arms: readonly Arm[];
  /**
   * Called after every step that any arm took, with the metrics of those that took it (undefined for the others);
   * answers which arms, by their place, go no further.
   */
  readonly afterStep?: (
    step: number,
    metrics: readonly (ArmMetrics | undefined)[],
  ) => readonly number[] | Promise<readonly number[]>;
  /** Aborting it writes checkpoints and returns after the step in progress. */
  readonly signal?: AbortSignal;
}

export interface TrainResult {
  readonly state: TrainingState;
  /** `stopped` by `afterStep`; `interrupted` by the signal. */
  readonly end: 'finished' | 'stopped' | 'interrupted';
}

/**
 * Trains all arms to the end of their tokens. Same seeds and source, same bytes, resumed or not, alone or not, on any
 * number of threads. Arms take up where their checkpoints are, and wait for each other.
 */
export async function train(request: TrainRequest): Promise<TrainResult[]> {
  const { backend, stream, arms, signal } = request;
  for (const { options } of arms) checkArm(options, stream);
  const states = await Promise.all(arms.map((arm) => startArm(backend, arm)));
  const ends = arms.map(({ options }, i): TrainResult['end'] | undefined =>
    states[i].step >= totalSteps(options) ? 'finished' : undefined,
  );
  const running = () => [...arms.keys()].filter((i) => ends[i] === undefined);
  const small = arms.every(
    ({ options: { batch, dictionary }, input }) => batch * widthOf(input) * dictionary.latents < SMALL,
  );
  const inFlight = Math.min(small ? SMALL_IN_FLIGHT : IN_FLIGHT, arms.length);
  const workspaces = Array.from({ length: inFlight }, () => createWorkspace(backend));
  let step = Math.min(...running().map((i) => states[i].step));
  const lastStep = Math.max(...arms.map(({ options }) => totalSteps(options)));
  if (running().length > 0) {
    const batches = streamBatches(stream, step);
    let coming = batches.next();
    while (running().length > 0) {
      const { value: batch } = await coming;
      const metrics: (ArmMetrics | undefined)[] = arms.map(() => undefined);
      const due = running().filter((i) => states[i].step === step);
      const steps = inTurns(workspaces, due, async (workspace, i) => {
        metrics[i] = await stepArm(backend, arms[i], states[i], batch, workspace);
        if (states[i].step >= totalSteps(arms[i].options)) ends[i] = 'finished';
      });
      step++;
      // The next batch is put together while the threads are busy with this one. Its failure is seen where it is awaited.
      if (step < lastStep) {
        coming = batches.next();
        coming.catch(() => undefined);
      }
      await steps;
      const stopped = (await request.afterStep?.(step, metrics)) ?? [];
      for (const i of stopped) ends[i] ??= 'stopped';
      if (signal?.aborted) for (const i of running()) ends[i] = 'interrupted';
      for (const i of arms.keys())
        if (metrics[i]) await saveWhereDue(arms[i], states[i], ends[i] !== undefined);
      // Short operations are done without leaving the event loop, which has signals and files to see to as well.
      await new Promise(setImmediate);
    }
  }
  return states.map((state, i) => ({ state, end: ends[i]! }));
}

/** One dictionary on one source of its own: `train` for a single arm. */
export async function trainOne(
  request: Omit<TrainRequest, 'stream' | 'arms' | 'afterStep'> &
    Omit<Arm, 'input' | 'target'> & {
      readonly source: ActivationSource;
      readonly scale: number;
      readonly mean: ArrayLike<number>;
    },
): Promise<TrainResult> {
  const { backend, signal, source, scale, mean, ...arm } = request;
  const { batch, windowRows, shuffleSeed } = arm.options;
  const input = [{ start: 0, end: source.width, scale, mean }];
  const stream = { source, batch, windowRows, shuffleSeed };
  const [result] = await train({ backend, stream, signal, arms: [{ ...arm, input }] });
  return result;
}

/** Arms that read one stream must agree on how it is cut. */
function checkArm(options: TrainingOptions, stream: Stream): void {
  checkOptions(options);
  for (const key of ['batch', 'windowRows', 'shuffleSeed'] as const) {
    if (options[key] !== stream[key])
      throw new InputError(
        `training.${key} is ${options[key]}, but the stream's is ${stream[key]}; trainings that share a stream ` +
          `must agree on it`,
      );
  }
}

/** The state that an arm starts from, or goes on from. */
export async function startArm(backend: Backend, arm: Arm): Promise<TrainingState> {
  const { input, target = input, options, checkpoints } = arm;
  const state = await initialState(backend, options, {
    width: widthOf(input),
    center: scaledMean(target),
    outputBounds: boundsOf(target),
    autoencoder: target === input,
  });
  if (checkpoints && arm.resume) await readNewestCheckpoint(checkpoints.dir, state);
  await arm.onStart?.(state.step);
  return state;
}

async function stepArm(
  backend: Backend,
  arm: Arm,
  state: TrainingState,
  batch: StreamBatch,
  workspace: Workspace,
): Promise<ArmMetrics> {
  const { options } = arm;
  const metrics = await trainStep(backend, options, state, rowsOf(arm, batch, state.step), workspace);
  if (!Number.isFinite(metrics.loss)) {
    throw new InputError(
      `training.learningRate ${options.learningRate}: the loss is ${metrics.loss} at step ${metrics.step}; ` +
        'choose a smaller rate',
    );
  }
  const all = { ...metrics, ...(await validate(backend, arm, state)) };
  await arm.onStep?.(all);
  return all;
}

/** What the arm reads of a batch at a step. */
export function rowsOf(arm: Arm, batch: StreamBatch, step: number): Rows {
  const { input, predicted } = readBlocks(arm, batch, arm.options.batch, `${step}`);
  return { ...input, ...(predicted && { target: { y: predicted.x, scale: predicted.scale } }) };
}

/** Input and target of an arm; where it wants them mixed, both in the same way, which `label` and its seed decide. */
function readBlocks(
  { input, target, mixed, options }: Arm,
  batch: StreamBatch,
  rows: number,
  label: string,
): { input: BlockRows; predicted?: BlockRows } {
  const read = (blocks: readonly Block[]): BlockRows => {
    const { x, scale } = batch.read(blocks);
    return { x: mixed ? mixRows(x, rows, new Random(options.seed, 'mixing', label)) : x, scale };
  };
  return { input: read(input), ...(target && { predicted: read(target) }) };
}

async function saveWhereDue({ checkpoints }: Arm, state: TrainingState, atEnd: boolean): Promise<void> {
  if (checkpoints && (atEnd || state.step % checkpoints.every === 0))
    await writeCheckpoint(checkpoints.dir, state);
}

/** The arm on its held-out rows, where that is due. */
export async function validate(
  backend: Backend,
  arm: Arm,
  state: TrainingState,
): Promise<Validation | undefined> {
  const { validation, validateEvery, options } = arm;
  if (!validation || !validateEvery) return undefined;
  if (state.step % validateEvery !== 0 && state.step !== totalSteps(options)) return undefined;
  const { rows, activations } = validation;
  const whole = splitBlocks(activations, rows, activations.length / rows);
  const read = readBlocks(arm, whole, rows, 'validation');
  const x = await scaledRows(backend, read.input, rows);
  const y = read.predicted ? await scaledRows(backend, read.predicted, rows) : x;
  const width = state.outputWidth;
  const dictionary = await currentDictionary(backend, state, options);
  const codes = await encode(backend, dictionary, x.values, rows);
  const output = await decode(backend, dictionary, codes, x.values);
  const [centered, squares] = [new Float32Array(rows * width), new Float32Array(rows)];
  const center = Float32Array.from(y.sums, (value) => value / rows);
  await backend.center({ x: y.values, center, rows, width, scale: 1, out: centered });
  const variance = await backend.sumOfSquares(centered);
  await backend.residual({ a: output, b: y.values, rows, width, scale: 1, out: output, squares });
  const fired = codes.values.reduce((count, value) => count + (value === 0 ? 0 : 1), 0);
  return {
    validationFvu: (await backend.sumOfSquares(output)) / variance,
    validationL0: fired / rows,
  };
}

async function scaledRows(
  backend: Backend,
  { x, scale }: BlockRows,
  rows: number,
): Promise<{ values: Float32Array; sums: Float64Array }> {
  const width = x.length / rows;
  const [values, sums] = [new Float32Array(rows * width), new Float64Array(width)];
  await backend.shift({ x, scale, center: new Float32Array(width), rows, width, out: values, sums });
  return { values, sums };
}
