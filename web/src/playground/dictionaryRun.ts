/** One training of dictionaries on the hidden layer of a toy model, and what it found. It must not know who looks. */
import { Random } from '../../../src/math/random.ts';
import { featureGeometry } from '../../../src/toy/geometry/features.ts';
import { drawInputs } from './data.ts';
import { dictionaryTrainer } from './dictionary.ts';
import type { Compute } from './jax.ts';
import {
  chanceRecovery,
  type Recovery,
  type RecoveryCounts,
  recoveryOf,
  type Spread,
  spreads,
} from './recovery.ts';
import type { PlaygroundState } from './state.ts';
import { firingOf } from './toyRun.ts';

export interface DictionaryResult {
  /** Features of the toy model that are stored: those that can be found. */
  readonly stored: readonly number[];
  /** The dictionary with the lowest error on inputs for choosing: its latents that fire, `[alive, width]`, unit rows. */
  readonly decoder: Float32Array;
  readonly dead: number;
  /** Of its latents that fire against the stored features, numbered as in `stored`. */
  readonly recovery: Recovery;
  /** Of all dictionaries, and of as many random directions as it has latents that fire. */
  readonly overSeeds: Record<keyof RecoveryCounts, Spread>;
  readonly chance: Record<keyof RecoveryCounts, Spread>;
  /** On further inputs: the share of the variance that is explained, and latents that fire on one. */
  readonly explained: number;
  readonly l0: number;
  readonly seeds: number;
}

export interface DictionaryProgress {
  readonly step: number;
  readonly steps: number;
  readonly stepsPerSecond: number;
  readonly result?: DictionaryResult;
}

const [SEEDS, ROWS, STEPS, RATE, CHECKED, CHANCE_DRAWS] = [8, 256, 2000, 0.01, 2048, 400];
const REPORT_EVERY = 200;

/**
 * Trains dictionaries of eight seeds on `x W` of the toy model `weight [features, hidden]`, inputs being those of its own distribution in
 * which something fires, and chooses the best. Ends early where the signal is aborted or no feature is stored.
 */
export async function runDictionary(
  { jax }: Compute,
  state: PlaygroundState,
  weight: Float32Array,
  {
    report,
    pause,
    signal,
  }: { report: (p: DictionaryProgress) => void; pause: () => Promise<void>; signal: AbortSignal },
): Promise<void> {
  const { features, hidden, seed, latents, k, penalty } = state;
  const { norms } = featureGeometry({ values: weight, features, hidden });
  const stored = Array.from(norms.keys()).filter((i) => norms[i] > 0.5);
  const draw = (random: Random, rows: number) =>
    hiddenOf(drawInputs(random, firingOf(state), rows), weight, hidden);
  const stream = (name: string) => new Random(seed, 'playground', 'dictionary', name);
  const [chosenBy, judgedBy] = ['validation', 'test'].map((name) => draw(stream(name), CHECKED));
  const scale = 1 / Math.sqrt(Math.max(1e-12, meanSquare(chosenBy) * hidden));
  const scaled = (x: Float32Array) => x.map((value) => value * scale);
  const trainer = dictionaryTrainer(jax, {
    selection: state.dictionary === 'l1' ? { kind: 'l1', penalty } : { kind: 'topk', k },
    latents,
    width: hidden,
    restarts: SEEDS,
    seed,
    rows: ROWS,
    steps: STEPS,
    learningRate: RATE,
  });
  try {
    const inputs = stream('inputs');
    let [since, sinceStep] = [performance.now(), 0];
    for (let step = 1; step <= STEPS; step++) {
      await trainer.step(step, scaled(draw(inputs, ROWS)));
      const now = performance.now();
      if (now - since < REPORT_EVERY || step % 10 !== 0) continue;
      report({ step, steps: STEPS, stepsPerSecond: ((step - sinceStep) / (now - since)) * 1000 });
      await pause();
      if (signal.aborted) return;
      [since, sinceStep] = [performance.now(), step];
    }
    const decoders = await trainer.decoders();
    const validated = await trainer.evaluate(scaled(chosenBy), CHECKED);
    const tested = await trainer.evaluate(scaled(judgedBy), CHECKED);
    const best = validated.errors.reduce((least, error, r, all) => (error < all[least] ? r : least), 0);
    const alive = (r: number) => {
      const rows = Array.from({ length: latents }, (_, j) => j).filter(
        (j) => validated.firings[r * latents + j] > 0,
      );
      return Float32Array.from(
        rows.flatMap((j) => [
          ...decoders.subarray((r * latents + j) * hidden, (r * latents + j + 1) * hidden),
        ]),
      );
    };
    const truth = Float32Array.from(
      stored.flatMap((i) => [...weight.subarray(i * hidden, (i + 1) * hidden)]),
    );
    const decoder = alive(best);
    const fired = tested.firings.subarray(best * latents, (best + 1) * latents);
    report({
      step: STEPS,
      steps: STEPS,
      stepsPerSecond: 0,
      result: {
        stored,
        decoder,
        dead: latents - decoder.length / hidden,
        recovery: recoveryOf(truth, decoder, hidden),
        overSeeds: spreads(
          Array.from({ length: SEEDS }, (_, r) => recoveryOf(truth, alive(r), hidden).counts),
        ),
        chance: chanceRecovery(truth, hidden, {
          latents: decoder.length / hidden,
          seed,
          draws: CHANCE_DRAWS,
        }),
        explained: 1 - tested.errors[best] / variance(scaled(judgedBy), hidden),
        l0: fired.reduce((sum, count) => sum + count, 0) / CHECKED,
        seeds: SEEDS,
      },
    });
  } finally {
    trainer.dispose();
  }
}

/** `x W`, `[rows, hidden]`. */
function hiddenOf(x: Float32Array, weight: Float32Array, hidden: number): Float32Array {
  const features = weight.length / hidden;
  const rows = x.length / features;
  const h = new Float32Array(rows * hidden);
  for (let row = 0; row < rows; row++) {
    for (let i = 0; i < features; i++) {
      const value = x[row * features + i];
      if (value === 0) continue;
      for (let c = 0; c < hidden; c++) h[row * hidden + c] += value * weight[i * hidden + c];
    }
  }
  return h;
}

function meanSquare(values: Float32Array): number {
  return values.reduce((sum, value) => sum + value * value, 0) / values.length;
}

/** `sum |x - mean|^2` over rows of `width`. */
function variance(x: Float32Array, width: number): number {
  const means = new Float64Array(width);
  x.forEach((value, at) => {
    means[at % width] += value / (x.length / width);
  });
  return x.reduce((sum, value, at) => sum + (value - means[at % width]) ** 2, 0);
}
