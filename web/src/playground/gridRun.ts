/**
 * Trainings of many toy models at once, one picture of all: the phase diagram as models have it, and a state at ten densities. It must
 * not know who looks.
 */
import { Random } from '../../../src/math/random.ts';
import { anythingFires, drawBatch, drawInputs } from './data.ts';
import { type Arrangement, arrangementOf } from './geometry.ts';
import type { Compute } from './jax.ts';
import { toyTrainer } from './model.ts';
import { bestStrategy, CELL_ROWS, CELLS, cellInputs, type Strategy } from './phase.ts';
import { importances, type PlaygroundState } from './state.ts';
import { firingOf } from './toyRun.ts';

export interface Watch<Result> {
  readonly report: (progress: { step: number; steps: number; result?: Result }) => void;
  readonly pause: () => Promise<void>;
  readonly signal: AbortSignal;
}

const REPORT_EVERY = 200;

/** How the phase diagram is measured. */
export const PHASE = { restarts: 8, steps: 800, learningRate: 0.02 };

/** What the best of eight models does in each of `CELLS`. Their inputs are the whole distribution: there is no noise. */
export async function runPhase({ jax }: Compute, seed: number, watch: Watch<Strategy[]>): Promise<void> {
  const { restarts, steps, learningRate } = PHASE;
  const trainer = toyTrainer(jax, {
    conditions: CELLS.length,
    restarts,
    features: 2,
    hidden: 1,
    rows: CELL_ROWS,
    seed,
    importance: Float32Array.from(CELLS.flatMap(({ importance }) => [1, importance])),
    steps,
    learningRate,
  });
  try {
    trainer.hold(cellInputs(CELLS));
    await stepAll(steps, (step) => trainer.step(step), watch);
    if (watch.signal.aborted) return;
    const { weight, bias } = await trainer.weights();
    const own = (values: Float32Array, cell: number) =>
      values.subarray(2 * restarts * cell, 2 * restarts * (cell + 1));
    const result = CELLS.map((cell, c) => bestStrategy(cell, own(weight, c), own(bias, c)));
    watch.report({ step: steps, steps, result });
  } finally {
    trainer.dispose();
  }
}

export interface Level {
  readonly probability: number;
  /** W of the model with the lowest loss, `[features, hidden]`. */
  readonly weight: Float32Array;
  readonly loss: number;
  readonly arrangement: Arrangement;
}

/** From every feature firing always to one time in twenty, as in the paper's first figure. */
export const LEVELS = Array.from({ length: 10 }, (_, k) => Number((20 ** (-k / 9)).toPrecision(4)));
/** So that a step of all levels takes no longer than a few of one. */
export const MOST_LEVEL_FEATURES = 12;
const LEVEL = { restarts: 4, rows: 128, steps: 1000, checked: 1024 };

/** The state's toy model at each of `LEVELS`: its features independent, the best of four restarts. */
export async function runLevels(
  { jax }: Compute,
  state: PlaygroundState,
  watch: Watch<Level[]>,
): Promise<void> {
  const { features, hidden, seed, learningRate } = state;
  const { restarts, rows, steps, checked } = LEVEL;
  const firings = LEVELS.map((probability) => ({ ...firingOf(state), probability, correlation: 0 }));
  const trainer = toyTrainer(jax, {
    conditions: LEVELS.length,
    restarts,
    features,
    hidden,
    rows,
    seed,
    importance: Float32Array.from(LEVELS.flatMap(() => [...importances(state)])),
    steps,
    learningRate,
  });
  const concatenated = (arrays: readonly Float32Array[]) => Float32Array.from(arrays.flatMap((a) => [...a]));
  try {
    const streams = firings.map((_, level) => new Random(seed, 'playground', 'levels', `${level}`));
    const step = (at: number) => {
      const batches = firings.map((firing, level) => drawBatch(streams[level], firing, rows));
      trainer.hold({
        x: concatenated(batches.map(({ x }) => x)),
        weights: concatenated(batches.map(({ weights }) => weights)),
      });
      return trainer.step(at);
    };
    await stepAll(steps, step, watch);
    if (watch.signal.aborted) return;
    const { weight } = await trainer.weights();
    const x = firings.map((firing) => {
      const drawn = new Float32Array((checked + 1) * features);
      drawn.set(drawInputs(new Random(seed, 'playground', 'levels checked'), firing, checked), features);
      return drawn;
    });
    const each = await trainer.evaluate(concatenated(x), checked + 1);
    const size = features * hidden;
    const result = firings.map((firing, level) => {
      const any = anythingFires(firing);
      const losses = Array.from({ length: restarts }, (_, r) => {
        const own = each.subarray((level * restarts + r) * (checked + 1)).subarray(0, checked + 1);
        const mean = own.subarray(1).reduce((sum, loss) => sum + loss, 0) / checked;
        return (1 - any) * own[0] + any * mean;
      });
      const best = losses.reduce((least, loss, r) => (loss < losses[least] ? r : least), 0);
      const at = (level * restarts + best) * size;
      const own = weight.slice(at, at + size);
      return {
        probability: firing.probability,
        weight: own,
        loss: losses[best],
        arrangement: arrangementOf({ values: own, features, hidden }),
      };
    });
    watch.report({ step: steps, steps, result });
  } finally {
    trainer.dispose();
  }
}

async function stepAll(
  steps: number,
  step: (at: number) => Promise<void>,
  { report, pause, signal }: Watch<never>,
): Promise<void> {
  let since = performance.now();
  for (let at = 1; at <= steps && !signal.aborted; at++) {
    await step(at);
    if (performance.now() - since < REPORT_EVERY) continue;
    report({ step: at, steps });
    await pause();
    since = performance.now();
  }
}
