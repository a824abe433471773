/**
 * The training of toy models: many instances at once, each with its own sparsity, importance and seed, in a few calls of one
 * operation of the backend. It reports through a callback and must not know what is measured there.
 */

import { InputError } from '../../formats/errors.ts';
import type { Backend, Precision, SparseRows } from '../../kernels/backend.ts';
import type { DrawnRows, GivenRows } from '../../kernels/toyOperations.ts';
import { Random } from '../../math/random.ts';
import { initialToyModel, type ToyInitialisation } from './initialise.ts';
import type { ToyArchitecture, ToyModel } from './model.ts';
import { rateShare, type ToySchedule } from './schedule.ts';

/** One number for all features, or one for each. */
export type PerFeature = number | ArrayLike<number>;

export interface ToyInstance {
  /** Decides the first weights and the inputs. */
  readonly seed: number;
  /** I, the weight of each feature's squared error. */
  readonly importance: PerFeature;
}

/**
 * Inputs whose features fire independently of one another, each with its probability, and then have an amplitude uniform in
 * (low, high); drawn by the backend. `probabilities` has an entry for each instance.
 */
export interface IndependentInputs {
  readonly kind: 'independent';
  readonly probabilities: readonly PerFeature[];
  readonly low: number;
  readonly high: number;
}

/**
 * The labels of a world of `src/toy/` as inputs: `draw(step)` gives the batch `[batch, features]` of a step, from 1, one for all
 * instances or one for each, columns ascending in each row.
 */
export interface WorldInputs {
  readonly kind: 'world';
  readonly draw: (step: number) => readonly SparseRows[] | Promise<readonly SparseRows[]>;
}

/**
 * `adamw`: each step first multiplies all parameters by `1 - rate * decay` (Loshchilov and Hutter, arXiv 1711.05101); a decay of
 * 0 is Adam. `signed`: weights only, and a decay below 0 pulls each feature's row w towards norm 1, multiplying it by
 * `1 + rate * decay * (1 - 1 / |w|)` (Liu et al. 2025, arXiv 2505.10465).
 */
export interface ToyDecay {
  readonly kind: 'adamw' | 'signed';
  readonly decay: number;
}

export interface ToyTraining {
  readonly architecture: ToyArchitecture;
  readonly instances: readonly ToyInstance[];
  readonly inputs: IndependentInputs | WorldInputs;
  readonly batch: number;
  readonly steps: number;
  readonly learningRate: number;
  readonly schedule: ToySchedule;
  readonly decay: ToyDecay;
  readonly initialisation: ToyInitialisation;
  /** Of dense products. */
  readonly precision: Precision;
  /** Steps between two entries of the log. */
  readonly logEvery: number;
  /** Called with each entry and the model as it then is, and awaited. */
  readonly onLog?: (entry: ToyLogEntry, model: ToyModel) => void | Promise<void>;
  /** Aborting it ends training after the steps in progress. */
  readonly signal?: AbortSignal;
}

/** What Elhage et al. train with: batches of 1,024, 10,000 steps of AdamW at 0.001, decay 0.01, amplitudes in (0, 1). */
export const ELHAGE = {
  batch: 1024,
  steps: 10_000,
  learningRate: 1e-3,
  schedule: { kind: 'constant', warmupSteps: 0 },
  decay: { kind: 'adamw', decay: 0.01 },
  initialisation: 'xavier',
  precision: 'fp32',
  logEvery: 100,
} as const satisfies Partial<ToyTraining>;

export interface ToyLogEntry {
  /** Steps so far. */
  readonly step: number;
  /** The mean loss of each instance over the steps since the last entry, each before its step: `[instances]`. */
  readonly losses: Float64Array;
}

export interface ToyTrained {
  readonly model: ToyModel;
  readonly log: readonly ToyLogEntry[];
}

/** Adam's defaults. */
const [BETA1, BETA2, EPSILON] = [0.9, 0.999, 1e-8];
/** Steps of one call: so few that a signal is soon heard. */
const MOST_STEPS = 50;

/**
 * Trains all instances. Same options, same bytes, on any number of threads; an instance's inputs do not depend on the others.
 * RangeError where an option does not fit, InputError where a loss is no number any more.
 */
export async function trainToyModels(backend: Backend, options: ToyTraining): Promise<ToyTrained> {
  check(options);
  const { architecture, instances, batch, steps, learningRate, schedule, decay, logEvery } = options;
  const { kind, features, hidden } = architecture;
  const seeds = instances.map(({ seed }) => seed);
  const initial = initialToyModel(architecture, seeds, options.initialisation);
  const trained = (from: Float32Array) => {
    const parameter = backend.allocate(from.length);
    parameter.set(from);
    return { parameter, m: backend.allocate(from.length), v: backend.allocate(from.length) };
  };
  const encoder = trained(initial.encoder);
  const decoder = initial.decoder && trained(initial.decoder);
  const bias = initial.bias && trained(initial.bias);
  const model: ToyModel = {
    architecture,
    instances: instances.length,
    encoder: encoder.parameter,
    ...(decoder && { decoder: decoder.parameter }),
    ...(bias && { bias: bias.parameter }),
  };
  const importance = perFeature(
    instances.map((instance) => instance.importance),
    features,
  );
  const inputsAt = inputsOf(options, seeds);

  const log: ToyLogEntry[] = [];
  const sums = new Float64Array(instances.length);
  let logged = 0;
  for (let done = 0; done < steps && !options.signal?.aborted; ) {
    const due = Math.min(steps, logged + logEvery);
    const count = options.inputs.kind === 'world' ? 1 : Math.min(MOST_STEPS, due - done);
    const losses = new Float64Array(count * instances.length);
    await backend.stepToyModels({
      instances: instances.length,
      features,
      hidden,
      batch,
      hiddenRelu: kind === 'magnitude',
      outputRelu: kind !== 'linear',
      target: kind === 'magnitude' ? 'magnitude' : 'input',
      precision: options.precision,
      importance,
      encoder,
      ...(decoder && { decoder }),
      ...(bias && { bias }),
      inputs: await inputsAt(done + 1),
      firstStep: done + 1,
      rates: Float64Array.from(
        { length: count },
        (_, s) => learningRate * rateShare(schedule, done + 1 + s, steps),
      ),
      beta1: BETA1,
      beta2: BETA2,
      epsilon: EPSILON,
      weightDecay: decay.decay,
      biasDecay: decay.kind === 'adamw' ? decay.decay : 0,
      losses,
    });
    done += count;
    losses.forEach((loss, i) => {
      if (!Number.isFinite(loss))
        throw new InputError(
          `learningRate ${learningRate}: the loss of instance ${i % instances.length} is ${loss} within ${done} steps; ` +
            'choose a smaller rate',
        );
      sums[i % instances.length] += loss;
    });
    if (done < due) continue;
    const entry = { step: done, losses: sums.map((sum) => sum / (done - logged)) };
    sums.fill(0);
    logged = done;
    log.push(entry);
    await options.onLog?.(entry, model);
  }
  return { model, log };
}

/** The inputs of the steps from one on. */
function inputsOf(
  { inputs, architecture }: ToyTraining,
  seeds: readonly number[],
): (step: number) => Promise<DrawnRows | GivenRows> {
  if (inputs.kind === 'world') return async (step) => ({ kind: 'given', rows: await inputs.draw(step) });
  const { low, high } = inputs;
  const keys = new Uint32Array(4 * seeds.length);
  seeds.forEach((seed, k) => {
    const random = new Random(seed, 'toy model', 'inputs');
    for (let word = 0; word < 4; word++) keys[4 * k + word] = random.uint32();
  });
  const probabilities = perFeature(inputs.probabilities, architecture.features);
  return async () => ({ kind: 'drawn', probabilities, low, high, keys });
}

/** `[instances, features]` */
function perFeature(values: readonly PerFeature[], features: number): Float32Array {
  const all = new Float32Array(values.length * features);
  values.forEach((value, k) => {
    const part = all.subarray(k * features, (k + 1) * features);
    if (typeof value === 'number') part.fill(value);
    else part.set(value);
  });
  return all;
}

function check(options: ToyTraining): void {
  const { architecture, instances, inputs, batch, steps, schedule, decay, logEvery } = options;
  const { features, hidden } = architecture;
  const whole = { features, hidden, instances: instances.length, batch, steps, logEvery };
  for (const [name, value] of Object.entries(whole)) {
    if (!Number.isSafeInteger(value) || value < 1)
      throw new RangeError(`${name}: expected a whole number >= 1, not ${value}`);
  }
  if (!(schedule.warmupSteps >= 0 && schedule.warmupSteps < steps))
    throw new RangeError(
      `schedule.warmupSteps: expected 0 to less than ${steps}, not ${schedule.warmupSteps}`,
    );
  if (decay.kind === 'adamw' && !(decay.decay >= 0))
    throw new RangeError(`decay.decay: expected a number >= 0 for adamw, not ${decay.decay}`);
  for (const { importance } of instances)
    checkFeatures('importance', importance, features, Number.POSITIVE_INFINITY);
  if (inputs.kind === 'world') return;
  const { probabilities } = inputs;
  if (probabilities.length !== instances.length)
    throw new RangeError(
      `probabilities: ${probabilities.length} were given for ${instances.length} instances`,
    );
  for (const probability of probabilities) checkFeatures('probabilities', probability, features, 1);
}

function checkFeatures(name: string, value: PerFeature, features: number, most: number): void {
  if (typeof value !== 'number' && value.length !== features)
    throw new RangeError(`${name}: ${value.length} values were given for ${features} features`);
  const wrong = Array.from(typeof value === 'number' ? [value] : value).find((x) => !(x >= 0 && x <= most));
  if (wrong !== undefined) throw new RangeError(`${name}: expected numbers from 0 to ${most}, not ${wrong}`);
}
