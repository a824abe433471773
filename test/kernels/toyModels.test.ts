/**
 * The operation that trains toy models: its gradient against finite differences of its loss, every instruction set against
 * the reference, what it draws against what it says it draws.
 */
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { sha256 } from '../../src/formats/hash.ts';
import type { Backend } from '../../src/kernels/backend.ts';
import { createNativeBackend } from '../../src/kernels/native.ts';
import { drawRows } from '../../src/kernels/reference/toyModels.ts';
import { createReferenceBackend } from '../../src/kernels/reference.ts';
import type { DrawnRows } from '../../src/kernels/toyOperations.ts';
import { Random, xoshiro128StarStar } from '../../src/math/random.ts';
import { expectClose, instructionSets } from './helpers.ts';
import { changed, copied, drawnSteps, given, randomRows, type ToyStep, VARIANTS } from './toyModels.ts';

const reference = createReferenceBackend();
afterAll(() => void createNativeBackend());

/** The loss of a batch, by a step that goes nowhere. */
async function lossOf(backend: Backend, op: ToyStep): Promise<number> {
  const still = { ...copied(op), rates: new Float64Array(1), losses: new Float64Array(op.instances) };
  await backend.stepToyModels(still);
  return still.losses.reduce((sum, loss) => sum + loss, 0);
}

describe.each([
  ['reference', () => reference],
  ['native', () => createNativeBackend()],
] as const)('the gradient of the %s backend', (_, create) => {
  it.each(VARIANTS)('is that of the loss: %s', async (_, variant) => {
    const backend = create();
    const random = new Random(7);
    const size = { instances: 2, features: 6, hidden: 3, batch: 40 };
    const op = {
      ...drawnSteps(random, size, variant, () => 0.5, 1),
      inputs: given(randomRows(random, 40, 6, 0.6), randomRows(random, 40, 6, 0.2)),
      // With beta1 = 0, m is the gradient.
      beta1: 0,
    };
    const stepped = copied(op);
    await backend.stepToyModels(stepped);
    for (const name of ['encoder', 'decoder', 'bias'] as const) {
      const parameter = op[name]?.parameter;
      if (!parameter) continue;
      for (let i = 0; i < parameter.length; i++) {
        const kept = parameter[i];
        // So near that no row is at the kink of a ReLU in between.
        const at = async (h: number) => {
          parameter[i] = kept + h;
          const result = { at: parameter[i], loss: await lossOf(reference, op) };
          parameter[i] = kept;
          return result;
        };
        const [above, below] = [await at(2 ** -17), await at(-(2 ** -17))];
        const numeric = (above.loss - below.loss) / (above.at - below.at);
        expect(Math.abs(stepped[name]!.m[i] - numeric)).toBeLessThan(1e-6);
      }
    }
    expect(Math.max(...stepped.encoder.m.map(Math.abs))).toBeGreaterThan(1e-3);
    expectClose([await lossOf(backend, op)], [await lossOf(reference, op)], 1e-6);
  });
});

/** Hidden units that are too many for models whose rows lie across lanes. */
const WIDE = 49;

/** Steps of many features and of many rows, and what the reference makes of them. */
const large = Promise.all(
  [
    { instances: 1, features: 1100, batch: 200 },
    { instances: 1, features: 20, batch: 1300 },
  ].flatMap((size) =>
    [3, WIDE].flatMap((hidden) =>
      [0.02, 0.4].map(async (probability) => {
        const variant = VARIANTS[1][1];
        const op = {
          ...drawnSteps(new Random(8), { ...size, hidden }, variant, () => probability, 2),
          epsilon: 1e-3,
        };
        const expected = copied(op);
        await reference.stepToyModels(expected);
        return { op, expected };
      }),
    ),
  ),
);

describe.each(instructionSets)('%s', (instructionSet) => {
  const choose = (threads = 2) => createNativeBackend({ instructionSet, threads });

  it('steps as the reference does', async () => {
    const native = choose();
    const shape = fc.record({
      seed: fc.integer(),
      instances: fc.integer({ min: 1, max: 3 }),
      features: fc.integer({ min: 1, max: 70 }),
      hidden: fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: WIDE, max: 70 })),
      batch: fc.integer({ min: 1, max: 110 }),
      variant: fc.constantFrom(...VARIANTS.map(([, variant]) => variant)),
      sparse: fc.boolean(),
      isGiven: fc.boolean(),
      weightDecay: fc.constantFrom(0, 0.3, -1),
    });
    await fc.assert(
      fc.asyncProperty(shape, async ({ seed, variant, sparse, isGiven, weightDecay, ...size }) => {
        const random = new Random(seed);
        const probability = sparse ? 0.06 : 0.5;
        const drawn = drawnSteps(random, size, variant, () => probability);
        const rows = Array.from({ length: random.below(2) === 0 ? 1 : size.instances }, () =>
          randomRows(random, size.batch, size.features, probability),
        );
        // Where gradients are next to nothing, Adam's first steps are as large as anywhere, of either sign.
        const op = { ...drawn, epsilon: 1e-3, weightDecay, ...(isGiven && { inputs: given(...rows) }) };
        const [expected, found] = [copied(op), copied(op)];
        await reference.stepToyModels(expected);
        await native.stepToyModels(found);
        changed(expected).forEach((array, i) => {
          expectClose(changed(found)[i], array, 1e-5);
        });
      }),
      { numRuns: 30 },
    );
  });

  it('reaches the last of many features, in more than one stretch of them and of rows', async () => {
    const native = choose();
    for (const { op, expected } of await large) {
      const found = copied(op);
      await native.stepToyModels(found);
      expectClose(found.losses, expected.losses, 1e-6);
      for (const name of ['encoder', 'decoder', 'bias'] as const) {
        expectClose(found[name]!.parameter, expected[name]!.parameter, 1e-5);
        // Gradients are about 1e-5.
        const thousandfold = (m: Float32Array) => m.map((g) => 1e5 * g);
        expectClose(thousandfold(found[name]!.m), thousandfold(expected[name]!.m), 1e-3);
      }
    }
  });

  it('may round to bfloat16, and by no more than that', async () => {
    const native = choose();
    const size = { instances: 2, features: 100, hidden: WIDE, batch: 200 };
    const op = { ...drawnSteps(new Random(2), size, VARIANTS[0][1], () => 0.2, 1), beta1: 0 };
    const [expected, found] = [copied(op), copied({ ...op, precision: 'bf16' })];
    await reference.stepToyModels(expected);
    await native.stepToyModels(found);
    expectClose(found.losses, expected.losses, 1e-3);
    const norm = (values: Float32Array) => Math.hypot(...values);
    const off = norm(found.encoder.m.map((g, i) => g - expected.encoder.m[i])) / norm(expected.encoder.m);
    expect(off).toBeLessThan(0.01);
  });

  it.each([
    ['fp32', 21],
    ['fp32', WIDE],
    ['bf16', WIDE],
  ] as const)(
    'gives the same bytes for any number of threads, %s, %i hidden units',
    async (precision, hidden) => {
      const size = { instances: 3, features: 530, hidden, batch: 300 };
      const op = drawnSteps(new Random(3), size, VARIANTS[5][1], (k) => [0.01, 0.1, 1][k], 2);
      const hashes: string[] = [];
      for (const threads of [1, 2, 5]) {
        const native = choose(threads);
        const stepped = copied({ ...op, precision });
        await native.stepToyModels(stepped);
        hashes.push(sha256(Buffer.concat(changed(stepped).map((array) => Buffer.from(array.buffer)))));
      }
      expect(new Set(hashes).size).toBe(1);
    },
  );

  it('takes several steps in one call as it does in several', async () => {
    const native = choose();
    const size = { instances: 2, features: 40, hidden: 5, batch: 150 };
    const op = drawnSteps(new Random(4), size, VARIANTS[0][1], () => 0.3, 4);
    const [together, apart] = [copied(op), copied(op)];
    await native.stepToyModels(together);
    for (let s = 0; s < 4; s++) {
      const losses = new Float64Array(2);
      await native.stepToyModels({
        ...apart,
        firstStep: 1 + s,
        rates: new Float64Array(1).fill(1e-3),
        losses,
      });
      expect(Array.from(losses)).toEqual(Array.from(together.losses.subarray(2 * s, 2 * s + 2)));
    }
    expect(apart.encoder).toEqual(together.encoder);
  });
});

describe('drawn inputs', () => {
  const keys = Uint32Array.of(1, 2, 3, 4, 5, 6, 7, 8);
  const features = 20;
  const inputs: DrawnRows = {
    kind: 'drawn',
    probabilities: Float32Array.from({ length: 2 * features }, (_, i) => [0, 1, 0.5, 0.1, 0.01][i % 5]),
    low: -1,
    high: 3,
    keys,
  };
  const draw = (instance: number, step: number) =>
    drawRows(inputs, { instance, features, batch: 4000, step });

  it('fire with their probabilities and have uniform amplitudes', () => {
    const { offsets, indices, values } = draw(0, 1);
    const counts = new Float64Array(features);
    const sums = new Float64Array(features);
    const squares = new Float64Array(features);
    indices.forEach((i, e) => {
      counts[i]++;
      sums[i] += values[e];
      squares[i] += values[e] ** 2;
    });
    for (let i = 0; i < features; i++) {
      const p = inputs.probabilities[i];
      expect(Math.abs(counts[i] - 4000 * p)).toBeLessThanOrEqual(5 * Math.sqrt(4000 * p * (1 - p)));
      if (counts[i] < 300) continue;
      const sd = 4 / Math.sqrt(12 * counts[i]);
      expect(Math.abs(sums[i] / counts[i] - 1)).toBeLessThan(5 * sd);
      expect(Math.abs(squares[i] / counts[i] - 1 - 16 / 12)).toBeLessThan(12 * sd);
    }
    expect(values.every((value) => value >= -1 && value <= 3)).toBe(true);
    for (let r = 0; r < 4000; r++)
      for (let e = offsets[r] + 1; e < offsets[r + 1]; e++)
        expect(indices[e]).toBeGreaterThan(indices[e - 1]);
  });

  it('fire independently of one another, of the row before, of the step and of the instance', () => {
    const firing = ({ offsets, indices }: ReturnType<typeof draw>, feature: number) =>
      Float64Array.from({ length: 4000 }, (_, r) =>
        indices.subarray(offsets[r], offsets[r + 1]).includes(feature) ? 1 : 0,
      );
    const [here, next, other] = [draw(0, 1), draw(0, 2), draw(1, 1)];
    const one = firing(here, 2);
    const late = firing(here, 7);
    const pairs = [
      late,
      firing(here, 17),
      firing(next, 2),
      firing(other, 2),
      Float64Array.of(...one.subarray(1), 0),
    ];
    for (const pair of pairs) {
      const both = pair.reduce((sum, fires, r) => sum + fires * one[r], 0);
      // A quarter of 4,000, give or take five standard deviations.
      expect(Math.abs(both - 1000)).toBeLessThan(5 * Math.sqrt(4000 * 0.25 * 0.75));
    }
  });

  it('are the draws of xoshiro128**, 16 generators side by side', () => {
    // With probability 1 an amplitude tells its draw.
    const all: DrawnRows = {
      kind: 'drawn',
      probabilities: new Float32Array(3).fill(1),
      low: 0,
      high: 2 ** 31,
      keys,
    };
    const { values } = drawRows(all, { instance: 0, features: 3, batch: 2, step: 9 });
    const mixed = (x: number) => {
      let h = BigInt.asUintN(32, BigInt(x));
      h = BigInt.asUintN(32, (h ^ (h >> 16n)) * 0x85ebca6bn);
      h = BigInt.asUintN(32, (h ^ (h >> 13n)) * 0xc2b2ae35n);
      return Number(h ^ (h >> 16n));
    };
    for (let g = 0; g < 3; g++) {
      const state = Int32Array.from([1, 2, 3, 4], (word) => mixed(mixed(mixed(word + 9)) + g));
      for (let r = 0; r < 2; r++) {
        const expected = Math.fround((xoshiro128StarStar(state) >>> 1) + 0.5);
        expect(values[3 * r + g]).toBe(expected);
      }
    }
  });

  it('are what the addon trains on', async () => {
    const native = createNativeBackend();
    const size = { instances: 1, features, hidden: 4, batch: 250 };
    const op = { ...drawnSteps(new Random(6), size, VARIANTS[0][1], () => 0.3, 1), firstStep: 5 };
    const rows = drawRows(op.inputs as DrawnRows, { instance: 0, features, batch: 250, step: 5 });
    const [drawn, told] = [copied(op), copied({ ...op, inputs: given(rows) })];
    await native.stepToyModels(drawn);
    await native.stepToyModels(told);
    expectClose(drawn.losses, told.losses, 1e-7);
    expectClose(drawn.encoder.m, told.encoder.m, 1e-7);
  });
});

describe('the addon refuses', () => {
  const native = createNativeBackend();
  const size = { instances: 2, features: 3, hidden: 2, batch: 4 };
  const op = drawnSteps(new Random(1), size, VARIANTS[0][1], () => 0.5);
  const rows = randomRows(new Random(1), 4, 3, 0.9);

  it.each<[string, Partial<ToyStep>, RegExp]>([
    ['importance', { importance: new Float32Array(5) }, /importance: 5 elements.*needs 6/],
    ['encoder', { encoder: { ...op.encoder, v: new Float32Array(1) } }, /encoder\.v/],
    ['losses', { losses: new Float64Array(5) }, /losses: 5/],
    [
      'probabilities',
      { inputs: { ...op.inputs, probabilities: new Float32Array(6).fill(1.1) } as DrawnRows },
      /prob/,
    ],
    ['rows', { inputs: given(rows, rows, rows) }, /rows: 3 batches/],
    ['a batch', { inputs: given(randomRows(new Random(1), 3, 3, 0.5)) }, /rows: 3 rows, but the batch is 4/],
    ['columns', { inputs: given({ ...rows, indices: rows.indices.map(() => 1) }) }, /columns must ascend/],
    ['hidden', { hidden: 0 }, /hidden/],
  ])('%s that do not fit', (_, change, message) => {
    expect(() => native.stepToyModels({ ...op, ...change })).toThrow(message);
  });
});
