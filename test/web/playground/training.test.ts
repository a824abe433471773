/** Training by jax-js against a slow version, and what it comes to: few steps, for this is WebAssembly on one core. */
import { beforeAll, describe, expect, it } from 'vitest';
import { Random } from '../../../src/math/random.ts';
import { drawBatch } from '../../../web/src/playground/data.ts';
import { dictionaryTrainer } from '../../../web/src/playground/dictionary.ts';
import { type DictionaryResult, runDictionary } from '../../../web/src/playground/dictionaryRun.ts';
import { type Compute, loadJax } from '../../../web/src/playground/jax.ts';
import { initialWeights, toyTrainer } from '../../../web/src/playground/model.ts';
import { DEFAULTS, normalise, type PlaygroundState } from '../../../web/src/playground/state.ts';
import { ToyRun, type ToySnapshot } from '../../../web/src/playground/toyRun.ts';

let compute: Compute;
beforeAll(async () => {
  compute = await loadJax('wasm');
});
const quiet = { pause: async () => {}, signal: new AbortController().signal };

describe('toyTrainer', () => {
  const shape = { conditions: 2, restarts: 2, features: 3, hidden: 2, rows: 8, seed: 5 };
  const [n, m, B] = [3, 2, 8];
  const options = {
    ...shape,
    importance: Float32Array.of(1, 0.5, 0.25, 1, 2, 3),
    steps: 2,
    learningRate: 0.1,
  };
  const batch = () => {
    const firing = { features: n, probability: 0.4, correlation: 0, setSize: 2 };
    const both = [1, 2].map((seed) => drawBatch(new Random(seed, 'test'), firing, B));
    return {
      x: Float32Array.from(both.flatMap(({ x }) => [...x])),
      weights: Float32Array.from(both.flatMap(({ weights }) => [...weights])),
    };
  };
  /** The weighted loss of model k with parameters p = W then b, in float64. */
  const lossOf = (p: Float64Array, k: number) => {
    const { x, weights } = batch();
    const c = Math.floor(k / 2);
    let loss = 0;
    for (let row = c * B; row < (c + 1) * B; row++) {
      const h = Array.from({ length: m }, (_, j) => {
        let sum = 0;
        for (let i = 0; i < n; i++) sum += x[row * n + i] * p[i * m + j];
        return sum;
      });
      for (let i = 0; i < n; i++) {
        const y = Math.max(
          0,
          h.reduce((sum, value, j) => sum + value * p[i * m + j], p[n * m + i]),
        );
        loss += (weights[row] * options.importance[c * n + i] * (x[row * n + i] - y) ** 2) / n;
      }
    }
    return loss;
  };

  it('takes the steps of AdamW down the loss of each model', async () => {
    const trainer = toyTrainer(compute.jax, options);
    trainer.hold(batch());
    await trainer.step(1);
    await trainer.step(2);
    const losses = await trainer.losses();
    const { weight, bias } = await trainer.weights();
    trainer.dispose();
    const first = initialWeights(shape);
    for (let k = 0; k < 4; k++) {
      const p = new Float64Array(n * m + n);
      p.set(first.subarray(k * n * m, (k + 1) * n * m));
      const [mean, square] = [new Float64Array(p.length), new Float64Array(p.length)];
      let before = 0;
      for (let t = 1; t <= 2; t++) {
        before += lossOf(p, k) / 2;
        const rate = 0.1 * (1 - (t - 1) / 2);
        const gradient = p.map((_, at) => {
          const moved = (by: number) => p.map((value, i) => value + (i === at ? by : 0));
          return (lossOf(moved(1e-5), k) - lossOf(moved(-1e-5), k)) / 2e-5;
        });
        gradient.forEach((g, at) => {
          mean[at] = 0.9 * mean[at] + 0.1 * g;
          square[at] = 0.999 * square[at] + 0.001 * g * g;
          const change = mean[at] / (1 - 0.9 ** t) / (Math.sqrt(square[at] / (1 - 0.999 ** t)) + 1e-8);
          p[at] = p[at] * (1 - 0.01 * rate) - rate * change;
        });
      }
      expect(losses[k]).toBeCloseTo(before, 5);
      for (let at = 0; at < n * m; at++) expect(weight[k * n * m + at]).toBeCloseTo(p[at], 3);
      for (let i = 0; i < n; i++) expect(bias[k * n + i]).toBeCloseTo(p[n * m + i], 3);
    }
  });

  it('begins each restart the same, however many there are', () => {
    const few = initialWeights({ ...shape, conditions: 1, restarts: 2 });
    const many = initialWeights({ ...shape, conditions: 1, restarts: 5 });
    expect(many.subarray(0, few.length)).toEqual(few);
  });
});

async function train(changes: Partial<PlaygroundState>, halts: readonly number[] = []): Promise<ToySnapshot> {
  const { state } = normalise({ ...DEFAULTS, ...changes });
  const run = new ToyRun(compute, state);
  let last: ToySnapshot | undefined;
  const report = (snapshot: ToySnapshot) => {
    last = snapshot;
  };
  for (const step of [...halts, state.steps]) await run.runTo(step, { ...quiet, report });
  run.dispose();
  return last!;
}

describe('a run', () => {
  it('comes to the same bytes, halted or not', async () => {
    const changes = { steps: 100, restarts: 2, seed: 3 };
    const [once, halted] = [await train(changes), await train(changes, [20, 60])];
    expect(halted.weight).toEqual(once.weight);
    expect(halted.history).toEqual(once.history);
    expect(halted.tested).toEqual(once.tested);
    expect((await train({ ...changes, seed: 4 })).weight).not.toEqual(once.weight);
  });

  it('reaches an antipodal pair of two sparse features in one dimension', async () => {
    const { arrangements, best, tested } = await train({ features: 2, hidden: 1, steps: 500 });
    expect(arrangements![best].text).toBe('an antipodal pair');
    // What both firing costs, p^2 / 6; a little less can be had with a bias.
    expect(tested!.losses[best].low).toBeLessThan(0.05 ** 2 / 6);
    expect(tested!.chance).toBeCloseTo(0.5, 1);
  });

  it('says which rate is too large', async () => {
    const { state } = normalise({ ...DEFAULTS, steps: 100 });
    // The rate of a link cannot be this large.
    const run = new ToyRun(compute, { ...state, learningRate: 1e30 });
    await expect(run.runTo(100, { ...quiet, report: () => {} })).rejects.toThrow(
      'choose a learning rate below',
    );
    run.dispose();
  });
});

describe('dictionaries', () => {
  /** A pentagon of five features of norm 1. */
  const pentagon = Float32Array.from(
    Array.from({ length: 5 }, (_, i) => [
      Math.cos((2 * Math.PI * i) / 5),
      Math.sin((2 * Math.PI * i) / 5),
    ]).flat(),
  );

  it('of one latent that fires find the five features of a pentagon, and chance does not', async () => {
    const { state } = normalise({ ...DEFAULTS, dictionary: 'topk', latents: 8, k: 1 });
    let result: DictionaryResult | undefined;
    await runDictionary(compute, state, pentagon, {
      ...quiet,
      report: (progress) => {
        result = progress.result;
      },
    });
    expect(result!.recovery.counts.found).toBe(5);
    expect(result!.l0).toBeLessThanOrEqual(1);
    expect(result!.explained).toBeGreaterThan(0.9);
    expect(result!.chance.found.mean).toBeLessThan(4);
  });

  it('keep decoder rows of unit norm and let k latents fire at most', async () => {
    const trainer = dictionaryTrainer(compute.jax, {
      selection: { kind: 'topk', k: 2 },
      latents: 6,
      width: 3,
      restarts: 2,
      seed: 1,
      rows: 16,
      steps: 20,
      learningRate: 0.01,
    });
    const x = new Float32Array(48);
    new Random(1, 'test').fillNormal(x, 1);
    const errors = async () => (await trainer.evaluate(x, 16)).errors;
    const before = await errors();
    for (let step = 1; step <= 20; step++) await trainer.step(step, x);
    const [after, decoders, { firings }] = [
      await errors(),
      await trainer.decoders(),
      await trainer.evaluate(x, 16),
    ];
    trainer.dispose();
    for (let r = 0; r < 2; r++) {
      expect(after[r]).toBeLessThan(before[r]);
      const fired = firings.subarray(6 * r, 6 * (r + 1)).reduce((sum, count) => sum + count, 0);
      expect(fired).toBeLessThanOrEqual(2 * 16);
    }
    for (let row = 0; row < 12; row++)
      expect(Math.hypot(...decoders.subarray(3 * row, 3 * row + 3))).toBeCloseTo(1, 5);
  });
});
