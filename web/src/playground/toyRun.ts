/**
 * One training of the playground's toy models, from the first step to the last, that reports as it goes and can be halted and
 * resumed. What it comes to depends on the state and the device, never on when it was looked at. It must not know who looks.
 */
import { Random } from '../../../src/math/random.ts';
import { anythingFires, drawBatch, drawInputs, type Firing } from './data.ts';
import { type Arrangement, arrangementOf, chanceOf } from './geometry.ts';
import type { Compute } from './jax.ts';
import { type ToyTrainer, type ToyWeights, toyTrainer } from './model.ts';
import { importances, logEvery, type PlaygroundState } from './state.ts';

export interface Estimate {
  readonly value: number;
  /** The ends of the 95 % interval. */
  readonly low: number;
  readonly high: number;
}

export interface ToySnapshot extends ToyWeights {
  readonly step: number;
  readonly device: Compute['device'];
  /** Since the last report; at rest of all steps. */
  readonly stepsPerSecond: number;
  /** Mean losses of each model over the steps since the entry before, every `logEvery` steps: `[entries, models]`. */
  readonly history: Float32Array;
  /** Of each model on inputs for choosing among them: `[models]`. */
  readonly validation: Float64Array;
  /** The model with the lowest of these. */
  readonly best: number;
  /** Of each model; undefined while training goes on with many features, for which it takes too long. */
  readonly arrangements?: readonly Arrangement[];
  /** Where training has ended or is halted: of each model on further inputs, and the null of the best one's arrangement. */
  readonly tested?: { readonly losses: readonly Estimate[]; readonly chance: number | undefined };
}

/** Inputs of a step, and those that models are chosen and judged by. */
const [BATCH, VALIDATION, TEST] = [256, 1024, 4096];
/** Milliseconds between two reports. */
const REPORT_EVERY = 90;
/** With no more features than these, shapes are told during training, and their null is worked out. */
const FEW_FEATURES = 12;
const CHANCE_DRAWS = 400;

export class ToyRun {
  readonly #state: PlaygroundState;
  readonly #compute: Compute;
  readonly #trainer: ToyTrainer;
  readonly #inputs: Random;
  readonly #history: number[] = [];
  #step = 0;
  /** Milliseconds, without reports. */
  #trainedFor = 0;

  constructor(compute: Compute, state: PlaygroundState) {
    const { features, hidden, restarts, seed, steps, learningRate } = state;
    this.#state = state;
    this.#compute = compute;
    this.#inputs = new Random(seed, 'playground', 'inputs');
    this.#trainer = toyTrainer(compute.jax, {
      conditions: 1,
      restarts,
      features,
      hidden,
      rows: BATCH,
      seed,
      importance: importances(state),
      steps,
      learningRate,
    });
  }

  get step(): number {
    return this.#step;
  }

  /** Trains up to `last`, or until the signal is aborted. `pause` lets others have their turn. */
  async runTo(
    last: number,
    {
      report,
      pause,
      signal,
    }: { report: (snapshot: ToySnapshot) => void; pause: () => Promise<void>; signal: AbortSignal },
  ): Promise<void> {
    let [since, sinceStep] = [performance.now(), this.#step];
    while (this.#step < last && !signal.aborted) {
      await this.#stepsToNextEntry();
      const now = performance.now();
      if (now - since < REPORT_EVERY && this.#step < last) continue;
      this.#trainedFor += now - since;
      const rate = ((this.#step - sinceStep) / (now - since)) * 1000;
      if (this.#step < last) report(await this.#snapshot(rate, false));
      await pause();
      [since, sinceStep] = [performance.now(), this.#step];
    }
    const overall = this.#trainedFor > 0 ? (this.#step / this.#trainedFor) * 1000 : 0;
    if (!signal.aborted) report(await this.#snapshot(overall, true));
  }

  dispose(): void {
    this.#trainer.dispose();
  }

  async #stepsToNextEntry(): Promise<void> {
    const { steps } = this.#state;
    const every = logEvery(this.#state);
    const end = Math.min(steps, (Math.floor(this.#step / every) + 1) * every);
    while (this.#step < end) {
      this.#trainer.hold(drawBatch(this.#inputs, firingOf(this.#state), BATCH));
      await this.#trainer.step(++this.#step);
    }
    this.#history.push(...(await this.#trainer.losses()));
  }

  async #snapshot(stepsPerSecond: number, atRest: boolean): Promise<ToySnapshot> {
    const { features, hidden, restarts, seed } = this.#state;
    const { weight, bias } = await this.#trainer.weights();
    if (!weight.every(Number.isFinite))
      throw new Error(
        `The weights are no numbers any more within ${this.#step} steps: choose a learning rate below ${this.#state.learningRate}.`,
      );
    const validation = Float64Array.from(await this.#losses('validation', VALIDATION), ({ value }) => value);
    const best = validation.reduce((least, loss, r) => (loss < validation[least] ? r : least), 0);
    const few = features <= FEW_FEATURES;
    const size = features * hidden;
    const arrangements =
      few || atRest
        ? Array.from({ length: restarts }, (_, r) =>
            arrangementOf({ values: weight.subarray(r * size, (r + 1) * size), features, hidden }),
          )
        : undefined;
    return {
      step: this.#step,
      device: this.#compute.device,
      stepsPerSecond,
      weight,
      bias,
      history: Float32Array.from(this.#history),
      validation,
      best,
      arrangements,
      ...(atRest && {
        tested: {
          losses: await this.#losses('test', TEST),
          chance: few
            ? chanceOf(arrangements![best], { features, hidden }, { seed, draws: CHANCE_DRAWS })
            : undefined,
        },
      }),
    };
  }

  /** Of each model, from the empty input and `count` others, drawn from a stream of their own. */
  async #losses(stream: string, count: number): Promise<Estimate[]> {
    const { features, restarts, seed } = this.#state;
    const firing = firingOf(this.#state);
    const x = new Float32Array((count + 1) * features);
    x.set(drawInputs(new Random(seed, 'playground', stream), firing, count), features);
    const each = await this.#trainer.evaluate(x, count + 1);
    const any = anythingFires(firing);
    return Array.from({ length: restarts }, (_, r) => {
      const own = each.subarray(r * (count + 1), (r + 1) * (count + 1));
      let [sum, squares] = [0, 0];
      for (let i = 1; i <= count; i++) [sum, squares] = [sum + own[i], squares + own[i] ** 2];
      const mean = sum / count;
      const value = (1 - any) * own[0] + any * mean;
      const half = 1.96 * any * Math.sqrt(Math.max(0, squares / count - mean * mean) / count);
      return { value, low: value - half, high: value + half };
    });
  }
}

/** How the features of a state fire. */
export function firingOf({ features, probability, correlation, setSize }: PlaygroundState): Firing {
  return { features, probability, correlation, setSize };
}
