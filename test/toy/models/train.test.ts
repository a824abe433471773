/** Trained toy models: what must come of them, and that options mean what they say. */
import { describe, expect, it } from 'vitest';
import { sha256 } from '../../../src/formats/hash.ts';
import { loadBackend } from '../../../src/kernels/index.ts';
import { createNativeBackend } from '../../../src/kernels/native.ts';
import { createReferenceBackend } from '../../../src/kernels/reference.ts';
import { symmetricEigen } from '../../../src/math/eigen.ts';
import { recordDynamics } from '../../../src/toy/geometry/dynamics.ts';
import { featureGeometry } from '../../../src/toy/geometry/features.ts';
import { neuronGeometry } from '../../../src/toy/geometry/neurons.ts';
import { encoderOf, magnitude, reluOutput, type ToyModel } from '../../../src/toy/models/model.ts';
import { ELHAGE, type ToyTraining, trainToyModels } from '../../../src/toy/models/train.ts';
import { orthogonalToy } from '../../../src/toy/orthogonal.ts';

const backend = loadBackend();

/** Small and soon done. */
const small: ToyTraining = {
  ...ELHAGE,
  architecture: reluOutput(5, 2),
  instances: [{ seed: 1, importance: 1 }],
  inputs: { kind: 'independent', probabilities: [0.1], low: 0, high: 1 },
  batch: 200,
  steps: 30,
  logEvery: 10,
};

function geometry(model: ToyModel, k: number) {
  const { features, hidden } = model.architecture;
  return featureGeometry({ values: encoderOf(model, k), features, hidden });
}

function bytes({ encoder, decoder, bias }: ToyModel): string {
  return sha256(
    Buffer.concat(
      [encoder, decoder, bias].flatMap((a) =>
        a ? [Buffer.from(Uint8Array.from(new Uint8Array(a.buffer, a.byteOffset, a.byteLength)))] : [],
      ),
    ),
  );
}

describe('trained models', () => {
  it('without a ReLU keep the features of most importance times variance, as principal components do', async () => {
    // Of dense uniform inputs all variances are alike, so importance decides.
    const { model } = await trainToyModels(backend, {
      ...small,
      architecture: { kind: 'linear', features: 8, hidden: 3, tied: true, biased: true },
      instances: [{ seed: 3, importance: [0.1, 1, 0.2, 0.3, 0.9, 0.15, 0.8, 0.25] }],
      inputs: { kind: 'independent', probabilities: [1], low: 0, high: 1 },
      batch: 500,
      steps: 2500,
      learningRate: 1e-2,
      decay: { kind: 'adamw', decay: 0 },
    });
    const { norms, dimensionality } = geometry(model, 0);
    norms.forEach((norm, i) => {
      expect(Math.abs(norm - (([1, 4, 6].includes(i) && 1) || 0))).toBeLessThan(0.05);
    });
    expect(dimensionality.reduce((sum, d) => sum + d, 0)).toBeLessThanOrEqual(3 + 1e-6);
    // W W^T is a projection: eigenvalues 1 and 0.
    const rows = encoderOf(model, 0);
    const product = Float64Array.from({ length: 9 }, (_, at) =>
      norms.reduce((sum, _, i) => sum + rows[3 * i + Math.floor(at / 3)] * rows[3 * i + (at % 3)], 0),
    );
    for (const value of symmetricEigen(product, 3).values) expect(Math.abs(value - 1)).toBeLessThan(0.05);
  });

  it('superpose more as features get sparser: five in two dimensions', async () => {
    const probabilities = [1, 0.5, 0.05];
    const { model } = await trainToyModels(backend, {
      ...small,
      instances: probabilities.map((_, k) => ({
        seed: k,
        importance: Array.from({ length: 5 }, (_, i) => 0.9 ** i),
      })),
      inputs: { kind: 'independent', probabilities, low: 0, high: 1 },
      batch: 512,
      steps: 2500,
      learningRate: 5e-3,
    });
    const represented = probabilities.map((_, k) => geometry(model, k).represented);
    expect(represented[0]).toBe(2);
    expect(represented[2]).toBeGreaterThanOrEqual(4);
    probabilities.forEach((_, k) => {
      const total = geometry(model, k).dimensionality.reduce((sum, d) => sum + d, 0);
      expect(total > 1.9 && total <= 2 + 1e-6).toBe(true);
    });
  });

  it('stay at antipodal pairs over a range of sparsities: D* near a half', async () => {
    const probabilities = [1, 0.35, 0.3, 0.25];
    const { model } = await trainToyModels(backend, {
      ...small,
      architecture: reluOutput(60, 6),
      instances: probabilities.map((_, k) => ({ seed: k, importance: 1 })),
      inputs: { kind: 'independent', probabilities, low: 0, high: 1 },
      batch: 512,
      steps: 1500,
      learningRate: 1e-2,
    });
    const perFeature = probabilities.map((_, k) => geometry(model, k).dimensionsPerFeature);
    expect(perFeature[0]).toBeGreaterThan(0.95);
    for (const d of perFeature.slice(1)) expect(Math.abs(d - 0.5)).toBeLessThan(0.08);
    expect(perFeature[1] - perFeature[3]).toBeLessThan(0.08);
  });

  it('have neurons of one feature each where features are dense, and of more where they are sparse', async () => {
    const { model } = await trainToyModels(backend, {
      ...small,
      architecture: magnitude(20, 8),
      instances: [0, 1].map((seed) => ({ seed, importance: Array.from({ length: 20 }, (_, i) => 0.8 ** i) })),
      inputs: { kind: 'independent', probabilities: [1, 0.01], low: -1, high: 1 },
      batch: 512,
      steps: 2500,
      learningRate: 5e-3,
    });
    const neurons = [0, 1].map((k) =>
      neuronGeometry({ values: encoderOf(model, k), features: 20, hidden: 8 }),
    );
    const mean = neurons.map(({ participation }) => participation.reduce((sum, p) => sum + p, 0) / 8);
    expect(mean[0]).toBeLessThan(1.1);
    expect(mean[1]).toBeGreaterThan(1.3);
    expect(neurons[0].monosemantic).toBeGreaterThan(neurons[1].monosemantic);
  });

  it('have rows of norm 1 under a strong decay towards it', async () => {
    const { model } = await trainToyModels(backend, {
      ...small,
      architecture: reluOutput(50, 5),
      inputs: { kind: 'independent', probabilities: [0.02], low: 0, high: 2 },
      steps: 400,
      learningRate: 1e-2,
      schedule: { kind: 'cosine', warmupSteps: 20 },
      decay: { kind: 'signed', decay: -20 },
      initialisation: 'scaled',
    });
    for (const norm of geometry(model, 0).norms) expect(Math.abs(norm - 1)).toBeLessThan(0.1);
  });
});

describe('training', () => {
  it('logs the mean loss of each stretch, to the end, with the model as it then is', async () => {
    const { onLog, points } = recordDynamics();
    const seen: string[] = [];
    const instances = [1, 2].map((seed) => ({ seed, importance: 1 }));
    const inputs = { ...small.inputs, probabilities: [0.5, 0.1] } as ToyTraining['inputs'];
    const { model, log } = await trainToyModels(backend, {
      ...small,
      instances,
      inputs,
      steps: 25,
      onLog(entry, at) {
        seen.push(bytes(at));
        onLog(entry, at);
      },
    });
    expect(log.map(({ step }) => step)).toEqual([10, 20, 25]);
    expect(new Set(seen).size).toBe(3);
    expect(seen[2]).toBe(bytes(model));
    expect(points.map((of) => of.map(({ step }) => step))).toEqual([
      log.map(({ step }) => step),
      [10, 20, 25],
    ]);
    expect(points[1][2].loss).toBe(log[2].losses[1]);
    expect(points[1][2].dimensionality).toEqual(geometry(model, 1).dimensionality);
    const each = await trainToyModels(backend, { ...small, instances, inputs, steps: 25, logEvery: 1 });
    const mean = each.log.slice(10, 20).reduce((sum, { losses }) => sum + losses[0], 0) / 10;
    expect(log[1].losses[0]).toBeCloseTo(mean, 12);
    expect(bytes(each.model)).toBe(bytes(model));
  });

  it('gives the same bytes for any number of threads, and an instance the same losses whatever is beside it', async () => {
    const hashes: string[] = [];
    for (const threads of [1, 3])
      hashes.push(bytes((await trainToyModels(createNativeBackend({ threads }), small)).model));
    const native = createNativeBackend();
    hashes.push(bytes((await trainToyModels(native, small)).model));
    expect(new Set(hashes).size).toBe(1);
    const other = await trainToyModels(native, { ...small, instances: [{ seed: 2, importance: 1 }] });
    expect(bytes(other.model)).not.toBe(hashes[0]);
    const scaled = { ...small, initialisation: 'scaled' } as const;
    const alone = await trainToyModels(native, scaled);
    const beside = await trainToyModels(native, {
      ...scaled,
      instances: [...small.instances, { seed: 9, importance: 2 }],
      inputs: { kind: 'independent', probabilities: [0.1, 1], low: 0, high: 1 },
    });
    expect(beside.log.map(({ losses }) => losses[0])).toEqual(alone.log.map(({ losses }) => losses[0]));
  });

  it('comes to the same on the reference backend', async () => {
    const [found, expected] = await Promise.all(
      [backend, createReferenceBackend()].map((b) => trainToyModels(b, { ...small, steps: 10 })),
    );
    found.model.encoder.forEach((w, i) => {
      expect(Math.abs(w - expected.model.encoder[i])).toBeLessThan(1e-5);
    });
    expect(found.log[0].losses[0]).toBeCloseTo(expected.log[0].losses[0], 7);
  });

  it('takes the labels of a world as inputs', async () => {
    const world = orthogonalToy(1);
    const losses: number[] = [];
    const { model } = await trainToyModels(backend, {
      ...small,
      architecture: reluOutput(world.features, 20),
      inputs: {
        kind: 'world',
        draw: async (step) => [(await world.draw(backend, (step - 1) * 256, 256)).labels],
      },
      instances: [1, 2].map((seed) => ({ seed, importance: 1 })),
      batch: 256,
      steps: 60,
      logEvery: 5,
      learningRate: 1e-2,
      onLog: (entry) => void losses.push(entry.losses[1]),
    });
    expect(losses.at(-1)).toBeLessThan(losses[0] / 2);
    expect(geometry(model, 0).norms).not.toEqual(geometry(model, 1).norms);
  });

  it('warms up: a rate that has hardly risen hardly moves', async () => {
    const moved = async (schedule: ToyTraining['schedule']) => {
      const decay = { kind: 'adamw', decay: 0 } as const;
      const start = await trainToyModels(backend, { ...small, decay, steps: 1, learningRate: 0 });
      const end = await trainToyModels(backend, { ...small, decay, schedule, steps: 10 });
      return Math.max(...end.model.encoder.map((w, i) => Math.abs(w - start.model.encoder[i])));
    };
    const constant = await moved({ kind: 'constant', warmupSteps: 0 });
    expect(constant).toBeGreaterThan(0.005);
    expect(await moved({ kind: 'constant', warmupSteps: 9 })).toBeLessThan(0.7 * constant);
    expect(await moved({ kind: 'linear', warmupSteps: 0 })).toBeLessThan(0.7 * constant);
  });

  it('says which model diverged', async () => {
    const wild = {
      ...small,
      learningRate: 1e30,
      architecture: { ...reluOutput(5, 2), kind: 'linear' },
    } as const;
    await expect(trainToyModels(backend, wild)).rejects.toThrow(
      /learningRate 1e\+30: the loss of instance 0 is/,
    );
  });

  it('ends where it is told to', async () => {
    const stop = new AbortController();
    const { log } = await trainToyModels(backend, {
      ...small,
      signal: stop.signal,
      onLog: ({ step }) => void (step === 20 && stop.abort()),
    });
    expect(log.map(({ step }) => step)).toEqual([10, 20]);
  });

  it.each<[string, Partial<ToyTraining>, RegExp]>([
    ['no steps', { steps: 0 }, /steps: expected a whole number >= 1, not 0/],
    ['a hidden layer of half a unit', { architecture: reluOutput(5, 0.5) }, /hidden: .* 0\.5/],
    [
      'importances for other features',
      { instances: [{ seed: 1, importance: [1, 2] }] },
      /importance: 2 .* 5 features/,
    ],
    ['a negative importance', { instances: [{ seed: 1, importance: -1 }] }, /importance: .*not -1/],
    [
      'probabilities above 1',
      { inputs: { ...small.inputs, probabilities: [1.5] } as ToyTraining['inputs'] },
      /prob.*1\.5/,
    ],
    [
      'too few probabilities',
      { inputs: { ...small.inputs, probabilities: [] } as ToyTraining['inputs'] },
      /0 were given for 1/,
    ],
    ['a warm-up without an end', { schedule: { kind: 'constant', warmupSteps: 30 } }, /warmupSteps/],
    ['a growing decay', { decay: { kind: 'adamw', decay: -1 } }, /decay/],
  ])('refuses %s', async (_, change, message) => {
    await expect(trainToyModels(backend, { ...small, ...change })).rejects.toThrow(message);
  });
});
