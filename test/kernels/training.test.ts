/**
 * The operations of a training step, every instruction set against the reference, and the fused ones against what they
 * fuse: gradient, projection, clipping, Adam and unit rows one after the other.
 */
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { sha256 } from '../../src/formats/hash.ts';
import type { Backend, SparseRows } from '../../src/kernels/backend.ts';
import { createNativeBackend } from '../../src/kernels/native.ts';
import { createReferenceBackend } from '../../src/kernels/reference.ts';
import type {
  AdamOptions,
  EntryGradients,
  LatentGradientOperands,
  Trained,
} from '../../src/kernels/trainingOperations.ts';
import { Random } from '../../src/math/random.ts';
import { agreement, expectClose, instructionSets, normals } from './helpers.ts';

const reference = createReferenceBackend();
const agree = agreement(reference);
const seed = fc.integer({ min: 0, max: 2 ** 31 });
const rows = fc.integer({ min: 1, max: 80 });
const width = fc.oneof(fc.integer({ min: 1, max: 70 }), fc.constantFrom(128, 200, 288));
const latents = fc.oneof(fc.integer({ min: 1, max: 60 }), fc.constantFrom(300, 1100));
const names = ['encoderWeight', 'encoderBias', 'decoderWeight'] as const;
const adam: AdamOptions = {
  step: 3,
  rate: 1e-2,
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-8,
  gradientScale: 0.7,
};

/** Up to `most` entries in each row, of latents `among`; some rows have none. */
function randomCodes(random: Random, n: number, among: number[], most: number): SparseRows {
  const offsets = new Uint32Array(n + 1);
  const indices: number[] = [];
  for (let r = 0; r < n; r++) {
    const count = random.below(Math.min(most, among.length) + 1);
    const chosen = [...random.permutation(among.length).slice(0, count)].map((i) => among[i]);
    indices.push(...chosen.sort((a, b) => a - b));
    offsets[r + 1] = indices.length;
  }
  const values = normals(random, indices.length).map((value) => Math.abs(value) + 0.01);
  return { rows: n, offsets, indices: Uint32Array.from(indices), values };
}

interface Shape {
  rows: number;
  width: number;
  latents: number;
}

/**
 * Gradients of a batch in one or two parts, which share some latents and leave others without an entry. The
 * coefficients of the encoder's gradient are not those of the decoder's, as with a penalty on activations.
 */
async function randomGradients(random: Random, shape: Shape, parts: number): Promise<LatentGradientOperands> {
  const { rows: n, width: d, latents: columns } = shape;
  const decoderWeight = normals(random, columns * d);
  await reference.unitRows({ weight: decoderWeight, rows: columns, width: d });
  const all = Array.from({ length: columns }, (_, j) => j).filter(() => random.uniform() < 0.8);
  const part = async (among: number[]): Promise<EntryGradients> => {
    const codes = randomCodes(random, n, among, 7);
    const outputGradient = new Float32Array(n * d);
    const valueGradients = new Float32Array(codes.values.length);
    await reference.reconstruct({
      codes,
      weight: decoderWeight,
      target: normals(random, n * d),
      targetFactor: 1,
      scale: 0.1,
      width: d,
      out: outputGradient,
      dots: valueGradients,
      sums: new Float64Array(d),
    });
    const preGradients = valueGradients.map((value) => value + 0.05);
    const order = await reference.sortByColumn(codes, columns);
    return { values: codes.values, valueGradients, preGradients, outputGradient, order };
  };
  const found = [await part(all)];
  if (parts === 2) found.push(await part(all.filter((_, i) => i % 3 === 0)));
  return {
    ...shape,
    input: normals(random, n * d),
    encoderWeight: normals(random, columns * d),
    decoderWeight,
    parts: found,
  };
}

/** Moments as after some steps: squares are not zero, so that Adam's step is smooth in the gradient. */
function randomMoments(random: Random, { latents: columns, width: d }: Shape) {
  const of = (n: number) => ({
    m: normals(random, n, 0.1),
    v: normals(random, n, 0.1).map((value) => value * value + 1e-3),
  });
  return { encoderWeight: of(columns * d), encoderBias: of(columns), decoderWeight: of(columns * d) };
}

const emptyGradients = ({ latents: columns, width: d }: Shape) => ({
  encoderWeight: new Float32Array(columns * d),
  encoderBias: new Float32Array(columns),
  decoderWeight: new Float32Array(columns * d),
});

/** The gradient that a step goes along, from the plain operation: decoder rows without what would lengthen them. */
async function stepDirection(backend: Backend, from: LatentGradientOperands) {
  const out = emptyGradients(from);
  await backend.latentGradients({ ...from, out });
  for (let j = 0; j < from.latents; j++) {
    const g = out.decoderWeight.subarray(j * from.width, (j + 1) * from.width);
    const w = from.decoderWeight.subarray(j * from.width, (j + 1) * from.width);
    const along = g.reduce((sum, value, i) => sum + value * w[i], 0);
    for (let i = 0; i < g.length; i++) g[i] -= along * w[i];
  }
  return out;
}

/** A copy of the parameters and moments to train, and the operands that follow from them. */
function trainable(
  from: LatentGradientOperands,
  bias: Float32Array,
  moments: ReturnType<typeof randomMoments>,
) {
  const trained = (parameter: Float32Array, name: (typeof names)[number]): Trained => ({
    parameter: parameter.slice(),
    m: moments[name].m.slice(),
    v: moments[name].v.slice(),
  });
  const all = {
    encoderWeight: trained(from.encoderWeight, 'encoderWeight'),
    encoderBias: trained(bias, 'encoderBias'),
    decoderWeight: trained(from.decoderWeight, 'decoderWeight'),
  };
  const operands = {
    ...from,
    encoderWeight: all.encoderWeight.parameter,
    decoderWeight: all.decoderWeight.parameter,
  };
  return { trained: all, operands };
}

function bytesOf(arrays: (Float32Array | Float64Array | Uint32Array)[]): string {
  return sha256(Buffer.concat(arrays.map((a) => Buffer.from(a.buffer, a.byteOffset, a.byteLength))));
}

describe.each(instructionSets)('%s', (instructionSet) => {
  const native = createNativeBackend({ instructionSet, threads: 2 });
  const choose = () => createNativeBackend({ instructionSet, threads: 2 });
  afterAll(() => void createNativeBackend());

  it('shifts, reconstructs and sorts', async () => {
    choose();
    await fc.assert(
      fc.asyncProperty(seed, rows, width, latents, async (s, n, d, columns) => {
        const random = new Random(s);
        const [x, center, weight] = [
          normals(random, n * d),
          normals(random, d),
          normals(random, columns * d),
        ];
        const squares: number[] = [];
        await agree(
          native,
          () => ({ out: new Float32Array(n * d), sums: new Float64Array(d) }),
          async (b, o) => squares.push(await b.shift({ x, scale: 0.7, center, rows: n, width: d, ...o })),
        );
        const all = Array.from({ length: columns }, (_, j) => j);
        const codes = randomCodes(random, n, all, 9);
        const smallest: number[] = [];
        await agree(
          native,
          () => ({
            out: new Float32Array(n * d),
            dots: new Float32Array(codes.values.length),
            sums: new Float64Array(d),
          }),
          async (b, o) => {
            const operands = { codes, weight, target: x, targetFactor: -0.6, scale: 0.3, width: d };
            const result = await b.reconstruct({ ...operands, ...o });
            squares.push(result.squares);
            smallest.push(result.smallest);
          },
          1e-4,
        );
        expectClose([squares[1], squares[3]], [squares[0], squares[2]], 1e-4);
        expect(smallest[1]).toBe(smallest[0]);
        expect(await native.sortByColumn(codes, columns)).toEqual(
          await reference.sortByColumn(codes, columns),
        );
      }),
      { numRuns: 25 },
    );
  });

  it('forms and measures gradients', async () => {
    choose();
    await fc.assert(
      fc.asyncProperty(seed, rows, width, latents, fc.constantFrom(1, 2), async (s, n, d, columns, parts) => {
        const shape = { rows: n, width: d, latents: columns };
        const from = await randomGradients(new Random(s), shape, parts);
        await agree(
          native,
          () => emptyGradients(shape),
          (b, out) => b.latentGradients({ ...from, out }),
          1e-4,
        );
        const squares: number[] = [];
        await agree(
          native,
          () => ({ throughInput: new Float64Array(d) }),
          async (b, o) => squares.push(await b.measureLatentGradients({ ...from, ...o })),
          1e-4,
        );
        const direction = await stepDirection(native, from);
        const composed = names.flatMap((name) => [...direction[name]]).reduce((sum, g) => sum + g * g, 0);
        expectClose(squares, [composed, composed], 1e-4);
      }),
      { numRuns: 20 },
    );
  });

  it('updates latents as its parts do one after the other', async () => {
    choose();
    await fc.assert(
      fc.asyncProperty(seed, rows, width, latents, fc.constantFrom(1, 2), async (s, n, d, columns, parts) => {
        const random = new Random(s);
        const shape = { rows: n, width: d, latents: columns };
        const from = await randomGradients(random, shape, parts);
        const bias = normals(random, columns);
        const moments = randomMoments(random, shape);

        const composed = trainable(from, bias, moments);
        const direction = await stepDirection(native, from);
        for (const name of names) {
          await native.adam({ ...adam, ...composed.trained[name], gradient: direction[name] });
        }
        await native.unitRows({ weight: composed.trained.decoderWeight.parameter, rows: columns, width: d });

        for (const backend of [native, reference]) {
          const fused = trainable(from, bias, moments);
          await backend.updateLatents({ ...fused.operands, adam, trained: fused.trained });
          for (const name of names) {
            for (const array of ['parameter', 'm', 'v'] as const)
              expectClose(fused.trained[name][array], composed.trained[name][array], 1e-4);
          }
        }
      }),
      { numRuns: 20 },
    );
  });

  it('lets the moments of a latent that never fires fade to nothing', async () => {
    choose();
    const from = await randomGradients(new Random(3), { rows: 1, width: 40, latents: 6 }, 1);
    const none = { ...from.parts[0], order: { ...from.parts[0].order, offsets: new Uint32Array(7) } };
    const fading = trainable(from, new Float32Array(6), randomMoments(new Random(4), from));
    const options = { ...adam, step: 5000 };
    for (let i = 0; i < 1200; i++) {
      await native.updateLatents({
        ...fading.operands,
        parts: [none],
        adam: options,
        trained: fading.trained,
      });
    }
    for (const name of names) {
      expect(Math.max(...fading.trained[name].m.map(Math.abs))).toBeLessThan(1.2e-38);
      expect(Math.min(...fading.trained[name].v)).toBeGreaterThan(0);
    }
    for (let j = 0; j < 6; j++) {
      expect(Math.hypot(...fading.operands.decoderWeight.subarray(j * 40, (j + 1) * 40))).toBeCloseTo(1, 5);
    }
  });

  it('gives the same bytes for any number of threads', async () => {
    const shape = { rows: 700, width: 200, latents: 2500 };
    const random = new Random(5);
    const from = await randomGradients(random, shape, 2);
    const [bias, moments] = [normals(random, shape.latents), randomMoments(random, shape)];
    const all = Array.from({ length: shape.latents }, (_, j) => j);
    const codes = randomCodes(random, shape.rows, all, 20);
    const center = normals(random, shape.width);
    const results: string[] = [];
    for (const threads of [1, 2, 5]) {
      const b = createNativeBackend({ instructionSet, threads });
      const { trained, operands } = trainable(from, bias, moments);
      const [sums, errorSums, throughInput] = [0, 1, 2].map(() => new Float64Array(shape.width));
      const [input, error] = [0, 1].map(() => new Float32Array(from.input.length));
      const dots = new Float32Array(codes.values.length);
      const shifted = { x: from.input, scale: 0.3, center, ...shape, out: input, sums };
      const squares = [
        await b.shift(shifted),
        (
          await b.reconstruct({
            codes,
            weight: from.decoderWeight,
            target: input,
            targetFactor: 1,
            scale: 0.01,
            width: shape.width,
            out: error,
            dots,
            sums: errorSums,
          })
        ).squares,
        await b.measureLatentGradients({ ...operands, throughInput }),
      ];
      const { offsets, rows: sortedRows, entries } = await b.sortByColumn(codes, shape.latents);
      await b.updateLatents({ ...operands, adam, trained });
      const changed = names.flatMap((name) => [trained[name].parameter, trained[name].m, trained[name].v]);
      const made = [input, sums, error, dots, errorSums, throughInput, Float64Array.from(squares)];
      results.push(bytesOf([...made, offsets, sortedRows, entries, ...changed]));
    }
    expect(results[1]).toBe(results[0]);
    expect(results[2]).toBe(results[0]);
  });
});

describe('native arrays and refusals', () => {
  const native = createNativeBackend();

  it('allocates zeros', () => {
    for (const length of [0, 1, 1000, 3_000_000]) {
      const array = native.allocate(length);
      expect(array.length).toBe(length);
      expect(array.every((value) => value === 0)).toBe(true);
      array.fill(1);
    }
  });

  it.each([
    ['order.rows', { order: { rows: Uint32Array.of(9) } }, /order\.rows/],
    ['order.entries', { order: { entries: Uint32Array.of(1) } }, /order\.entries/],
    ['order.offsets', { order: { offsets: Uint32Array.of(2, 1, 1) } }, /order\.offsets/],
    ['outputGradient', { outputGradient: new Float32Array(5) }, /outputGradient: 5 elements.*needs 6/],
    ['values', { values: new Float32Array(0) }, /values/],
  ])('names %s where it does not fit', (_, change: object, message) => {
    const order = {
      columns: 2,
      offsets: Uint32Array.of(0, 1, 1),
      rows: Uint32Array.of(1),
      entries: Uint32Array.of(0),
    };
    const one = new Float32Array(1);
    const whole = {
      values: one,
      valueGradients: one,
      preGradients: one,
      outputGradient: new Float32Array(6),
    };
    const changed = { ...whole, ...change, order: { ...order, ...(change as { order?: object }).order } };
    const operands = {
      rows: 2,
      latents: 2,
      width: 3,
      input: new Float32Array(6),
      encoderWeight: new Float32Array(6),
      decoderWeight: new Float32Array(6),
      parts: [changed],
    };
    expect(() => native.measureLatentGradients({ ...operands, throughInput: new Float64Array(3) })).toThrow(
      message,
    );
  });
});
