/**
 * The operations of a training step, every instruction set against the reference, and the fused ones against what they
 * fuse: gradient, projection, clipping, the optimiser and unit rows one after the other.
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
  Optimiser,
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
  kind: 'adam',
  step: 3,
  rate: 1e-2,
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-8,
  gradientScale: 0.7,
};

/** Up to `most` entries in each row, of latents `among`; some rows have none. Some values are 0 or negative. */
function randomCodes(random: Random, n: number, among: number[], most: number): SparseRows {
  const offsets = new Uint32Array(n + 1);
  const indices: number[] = [];
  for (let r = 0; r < n; r++) {
    const count = random.below(Math.min(most, among.length) + 1);
    const chosen = [...random.permutation(among.length).slice(0, count)].map((i) => among[i]);
    indices.push(...chosen.sort((a, b) => a - b));
    offsets[r + 1] = indices.length;
  }
  const values = normals(random, indices.length).map((value) => (value < -1 ? value + 1 : Math.abs(value)));
  if (values.length > 0) values[random.below(values.length)] = 0;
  return { rows: n, offsets, indices: Uint32Array.from(indices), values };
}

interface Shape {
  rows: number;
  width: number;
  outputWidth: number;
  latents: number;
}

/** What a family of dictionaries adds to the gradients, beside the entries of one part. */
interface Family {
  unitDecoder: boolean;
  secondPart?: { frozenDecoder: boolean; ownBias: boolean };
  everyRow: boolean;
  /** Of decoder rows, whose gradient has something along the row; 0 where it has not. */
  blocks: number;
}

const plain: Family = { unitDecoder: true, everyRow: false, blocks: 0 };

const families: fc.Arbitrary<Family> = fc
  .record({
    unitDecoder: fc.boolean(),
    secondPart: fc.option(fc.record({ frozenDecoder: fc.boolean(), ownBias: fc.boolean() }), {
      nil: undefined,
    }),
    everyRow: fc.boolean(),
    blocks: fc.integer({ min: 0, max: 3 }),
  })
  .map((family) => (family.unitDecoder ? { ...family, blocks: 0 } : family));

/** Of gradients of all kinds; an autoencoder in half of all cases. */
const shapes: fc.Arbitrary<Shape> = fc
  .tuple(rows, width, fc.option(width), latents)
  .map(([n, d, output, columns]) => ({ rows: n, width: d, outputWidth: output ?? d, latents: columns }));

/** At most so many entries a row: a few, or up to all of these latents, which are multiplied as dense blocks are. */
const fewOrMany = (random: Random, among: number): number =>
  random.uniform() < 0.5 ? 7 : Math.min(among, 200);

/**
 * Gradients of a batch in one or two parts, of at most `most(random, latents)` entries a row, which share some latents and leave others without an entry. The
 * coefficients of the encoder's gradient are not those of the decoder's, as with a penalty on activations.
 */
async function randomGradients(
  random: Random,
  shape: Shape,
  family: Family,
  most = fewOrMany,
): Promise<LatentGradientOperands> {
  const { rows: n, width: d, outputWidth, latents: columns } = shape;
  const decoderWeight = normals(random, columns * outputWidth);
  if (family.unitDecoder)
    await reference.unitRows({ weight: decoderWeight, rows: columns, width: outputWidth });
  const input = normals(random, n * d);
  const all = Array.from({ length: columns }, (_, j) => j).filter(() => random.uniform() < 0.8);
  const part = async (among: number[]): Promise<EntryGradients> => {
    const each = most(random, among.length);
    const codes = randomCodes(random, n, among, each);
    const outputGradient = new Float32Array(n * outputWidth);
    const valueGradients = new Float32Array(codes.values.length);
    await reference.reconstruct({
      codes,
      weight: decoderWeight,
      target: normals(random, n * outputWidth),
      targetFactor: 1,
      scale: 0.7 / each,
      width: outputWidth,
      out: outputGradient,
      dots: valueGradients,
      sums: new Float64Array(outputWidth),
    });
    const preGradients = valueGradients.map((value) => value + 0.05);
    const order = await reference.sortByColumn(codes, columns);
    return { values: codes.values, valueGradients, preGradients, outputGradient, order };
  };
  const parts = [await part(all)];
  if (family.secondPart)
    parts.push({ ...(await part(all.filter((_, i) => i % 3 === 0))), ...family.secondPart });
  const inputSum = new Float64Array(d);
  await reference.columnSum({ m: input, rows: n, width: d, out: inputSum });
  const bounds = Uint32Array.from({ length: family.blocks + 1 }, (_, b) =>
    Math.floor((outputWidth * b) / family.blocks),
  );
  return {
    ...shape,
    input,
    encoderWeight: normals(random, columns * d),
    decoderWeight,
    unitDecoder: family.unitDecoder,
    parts,
    everyRow: family.everyRow
      ? { coefficients: normals(random, columns, 0.01), inputSum: Float32Array.from(inputSum) }
      : undefined,
    alongDecoder:
      family.blocks > 0 ? { coefficients: normals(random, columns * family.blocks, 0.1), bounds } : undefined,
  };
}

/** Moments as after some steps: squares are not zero, so that Adam's step is smooth in the gradient. */
function randomMoments(random: Random, { latents: columns, width: d, outputWidth }: Shape) {
  const of = (n: number) => ({
    m: normals(random, n, 0.1),
    v: normals(random, n, 0.1).map((value) => value * value + 1e-3),
  });
  return {
    encoderWeight: of(columns * d),
    encoderBias: of(columns),
    decoderWeight: of(columns * outputWidth),
  };
}

const emptyGradients = ({ latents: columns, width: d, outputWidth }: Shape) => ({
  encoderWeight: new Float32Array(columns * d),
  encoderBias: new Float32Array(columns),
  decoderWeight: new Float32Array(columns * outputWidth),
});

/** The gradient that a step goes along, from the plain operation: unit decoder rows without what would lengthen them. */
async function stepDirection(backend: Backend, from: LatentGradientOperands) {
  const out = emptyGradients(from);
  await backend.latentGradients({ ...from, out });
  if (!from.unitDecoder) return out;
  for (let j = 0; j < from.latents; j++) {
    const g = out.decoderWeight.subarray(j * from.outputWidth, (j + 1) * from.outputWidth);
    const w = from.decoderWeight.subarray(j * from.outputWidth, (j + 1) * from.outputWidth);
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
        const codes = randomCodes(random, n, all, fewOrMany(random, columns));
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

  it('multiplies rows with those that they were coded by, and by columns', async () => {
    choose();
    await fc.assert(
      fc.asyncProperty(seed, shapes, fc.boolean(), async (s, shape, long) => {
        const random = new Random(s);
        const { width: d, outputWidth, latents: columns } = shape;
        const all = Array.from({ length: columns }, (_, j) => j);
        const codes = randomCodes(random, shape.rows, all, fewOrMany(random, columns));
        const [m, weight] = [normals(random, shape.rows * d), normals(random, columns * d)];
        await agree(
          native,
          () => ({ out: new Float32Array(codes.values.length) }),
          (b, { out }) => b.dots({ codes, weight, m, width: d, out }),
        );
        const n = long ? 520 : shape.rows;
        const [aWidth, bWidth] = [Math.min(d, 70), Math.min(outputWidth, 70)];
        const [a, b] = [normals(random, n * aWidth), normals(random, n * bWidth)];
        await agree(
          native,
          () => ({ out: new Float32Array(aWidth * bWidth).fill(1) }),
          (backend, { out }) => backend.transposedProduct({ a, b, rows: n, aWidth, bWidth, out }),
          1e-4,
        );
      }),
      { numRuns: 20 },
    );
  });

  it('forms and measures gradients', async () => {
    choose();
    await fc.assert(
      fc.asyncProperty(seed, shapes, families, async (s, shape, family) => {
        const from = await randomGradients(new Random(s), shape, family);
        await agree(
          native,
          () => emptyGradients(shape),
          (b, out) => b.latentGradients({ ...from, out }),
          1e-4,
        );
        const squares: number[] = [];
        await agree(
          native,
          () => ({ throughInput: new Float64Array(shape.width) }),
          async (b, o) => squares.push(await b.measureLatentGradients({ ...from, ...o })),
          1e-4,
        );
        const direction = await stepDirection(native, from);
        const composed = names.flatMap((name) => [...direction[name]]).reduce((sum, g) => sum + g * g, 0);
        expectClose(squares, [composed, composed], 1e-4);
      }),
      { numRuns: 30 },
    );
  });

  it('updates latents as its parts do one after the other', async () => {
    choose();
    await fc.assert(
      fc.asyncProperty(seed, shapes, families, async (s, shape, family) => {
        const random = new Random(s);
        const from = await randomGradients(random, shape, family);
        const bias = normals(random, shape.latents);
        const moments = randomMoments(random, shape);

        const composed = trainable(from, bias, moments);
        const direction = await stepDirection(native, from);
        for (const name of names) {
          await native.stepArray({
            optimiser: adam,
            trained: composed.trained[name],
            gradient: direction[name],
          });
        }
        const { parameter } = composed.trained.decoderWeight;
        if (family.unitDecoder)
          await native.unitRows({ weight: parameter, rows: shape.latents, width: shape.outputWidth });

        for (const backend of [native, reference]) {
          const fused = trainable(from, bias, moments);
          await backend.updateLatents({ ...fused.operands, optimiser: adam, trained: fused.trained });
          for (const name of names) {
            for (const array of ['parameter', 'm', 'v'] as const)
              expectClose(fused.trained[name][array], composed.trained[name][array], 1e-4);
          }
        }
      }),
      { numRuns: 30 },
    );
  });

  it('updates latents along the signs of their gradients', async () => {
    choose();
    await fc.assert(
      fc.asyncProperty(seed, shapes, families, async (s, shape, family) => {
        const random = new Random(s);
        const from = await randomGradients(random, shape, family);
        const optimiser: Optimiser = { kind: 'signum', step: 4, rate: 0.01, momentum: 0.9 };
        const moments = randomMoments(random, shape);
        const bias = normals(random, shape.latents);
        const direction = await stepDirection(reference, from);
        const written = emptyGradients(shape);
        await reference.latentGradients({ ...from, out: written });
        const [found, expected] = [trainable(from, bias, moments), trainable(from, bias, moments)];
        for (const [backend, { operands, trained }] of [
          [native, found] as const,
          [reference, expected] as const,
        ]) {
          for (const name of names) trained[name] = { ...trained[name], v: new Float32Array() };
          await backend.updateLatents({ ...operands, optimiser, trained });
        }
        for (const name of names) {
          // What cancels leaves rounding, of either sign, and a unit row changes with each of its elements.
          const each = { encoderWeight: shape.width, encoderBias: 1, decoderWeight: shape.outputWidth }[name];
          const unsure = new Set<number>();
          written[name].forEach((g, i) => {
            if (g !== 0 && Math.abs(direction[name][i]) < 1e-6) unsure.add(Math.floor(i / each));
          });
          const sure = (values: Float32Array) => values.filter((_, i) => !unsure.has(Math.floor(i / each)));
          for (const array of ['parameter', 'm'] as const)
            expectClose(sure(found.trained[name][array]), sure(expected.trained[name][array]), 1e-4);
        }
      }),
      { numRuns: 20 },
    );
  });

  it('steps along signs, averaged, as the reference does', async () => {
    choose();
    await fc.assert(
      fc.asyncProperty(seed, fc.integer({ min: 0, max: 300 }), async (s, n) => {
        const random = new Random(s);
        const start = normals(random, n);
        const z = start.slice();
        const trained = [native, reference].map(() => ({
          parameter: start.slice(),
          m: z.slice(),
          v: new Float32Array(),
        }));
        for (let step = 1; step <= 5; step++) {
          const gradient = normals(random, n).map((g) => (g > 1 ? 0 : g));
          const optimiser: Optimiser = { kind: 'signum', step, rate: 0.1 * random.uniform(), momentum: 0.8 };
          await native.stepArray({ optimiser, trained: trained[0], gradient });
          await reference.stepArray({ optimiser, trained: trained[1], gradient });
        }
        expectClose(trained[0].parameter, trained[1].parameter, 1e-5);
        expectClose(trained[0].m, trained[1].m, 1e-5);
      }),
      { numRuns: 20 },
    );
  });

  it('lets the moments of a latent that never fires fade to nothing', async () => {
    choose();
    const shape = { rows: 1, width: 40, outputWidth: 40, latents: 6 };
    const from = await randomGradients(new Random(3), shape, plain);
    const none = { ...from.parts[0], order: { ...from.parts[0].order, offsets: new Uint32Array(7) } };
    const fading = trainable(from, new Float32Array(6), randomMoments(new Random(4), from));
    const optimiser = { ...adam, step: 5000 };
    for (let i = 0; i < 1200; i++) {
      await native.updateLatents({
        ...fading.operands,
        parts: [none],
        optimiser,
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

  it.each([
    ['few', 20, 7],
    ['many', 700, 667],
    ['many entries and few', 700, 7],
  ])('gives the same bytes for any number of threads, of %s entries', async (_, first, second) => {
    const shape = { rows: 700, width: 200, outputWidth: 200, latents: 2500 };
    const random = new Random(5);
    const family = {
      unitDecoder: false,
      secondPart: { frozenDecoder: false, ownBias: true },
      everyRow: true,
      blocks: 2,
    };
    const most = (_: Random, among: number) => (among > shape.latents / 2 ? first : second);
    const from = await randomGradients(random, shape, family, most);
    const [bias, moments] = [normals(random, shape.latents), randomMoments(random, shape)];
    const all = Array.from({ length: shape.latents }, (_, j) => j);
    const codes = randomCodes(random, shape.rows, all, first);
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
        await b.measureLatentGradients({
          ...operands,
          unitDecoder: true,
          alongDecoder: undefined,
          throughInput,
        }),
      ];
      const entryDots = new Float32Array(dots.length);
      await b.dots({ codes, weight: from.decoderWeight, m: input, width: shape.width, out: entryDots });
      const product = new Float32Array(shape.width ** 2);
      const widths = { aWidth: shape.width, bWidth: shape.width };
      await b.transposedProduct({ a: input, b: error, rows: shape.rows, ...widths, out: product });
      const { offsets, rows: sortedRows, entries } = await b.sortByColumn(codes, shape.latents);
      await b.updateLatents({ ...operands, optimiser: adam, trained });
      const changed = names.flatMap((name) => [trained[name].parameter, trained[name].m, trained[name].v]);
      const made = [input, sums, error, dots, errorSums, throughInput, Float64Array.from(squares)];
      results.push(bytesOf([...made, entryDots, product, offsets, sortedRows, entries, ...changed]));
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
      outputWidth: 3,
      unitDecoder: true,
      input: new Float32Array(6),
      encoderWeight: new Float32Array(6),
      decoderWeight: new Float32Array(6),
      parts: [changed],
    };
    expect(() => native.measureLatentGradients({ ...operands, throughInput: new Float64Array(3) })).toThrow(
      message,
    );
  });

  it.each([
    [
      'everyRow',
      { everyRow: { coefficients: new Float32Array(1), inputSum: new Float32Array(3) } },
      /everyRow\.coef/,
    ],
    [
      'everyRow',
      { everyRow: { coefficients: new Float32Array(2), inputSum: new Float32Array(2) } },
      /everyRow\.inputSum/,
    ],
    [
      'bounds',
      { alongDecoder: { coefficients: new Float32Array(2), bounds: Uint32Array.of(0, 4) } },
      /bounds: past/,
    ],
    [
      'bounds',
      { alongDecoder: { coefficients: new Float32Array(4), bounds: Uint32Array.of(0, 2, 1) } },
      /descend/,
    ],
    [
      'coefficients',
      { alongDecoder: { coefficients: new Float32Array(1), bounds: Uint32Array.of(0, 3) } },
      /coefficients: 1 el/,
    ],
    [
      'unitDecoder',
      {
        unitDecoder: true,
        alongDecoder: { coefficients: new Float32Array(2), bounds: Uint32Array.of(0, 3) },
      },
      /unitDecoder/,
    ],
    ['decoderWeight', { outputWidth: 4 }, /decoderWeight: 6 elements.*needs 8/],
  ])('names %s of what all rows of a latent have in common', (_, change: object, message) => {
    const one = new Float32Array(0);
    const [offsets, none] = [new Uint32Array(3), new Uint32Array(0)];
    const operands = {
      rows: 2,
      latents: 2,
      width: 3,
      outputWidth: 3,
      unitDecoder: false,
      input: new Float32Array(6),
      encoderWeight: new Float32Array(6),
      decoderWeight: new Float32Array(6),
      parts: [
        {
          values: one,
          valueGradients: one,
          preGradients: one,
          outputGradient: new Float32Array(6),
          order: { columns: 2, offsets, rows: none, entries: none },
        },
      ],
      ...change,
    };
    expect(() => native.measureLatentGradients({ ...operands, throughInput: new Float64Array(3) })).toThrow(
      message,
    );
  });

  it('refuses an optimiser that cannot step', () => {
    const one = new Float32Array(1);
    const [gradient, trained] = [one, { parameter: one, m: one, v: new Float32Array() }];
    const signum: Optimiser = { kind: 'signum', step: 1, rate: 1, momentum: 0 };
    expect(() => native.stepArray({ optimiser: signum, trained, gradient })).toThrow(/momentum/);
    expect(() => native.stepArray({ optimiser: { ...signum, step: 0 }, trained, gradient })).toThrow(/step/);
    expect(() => native.stepArray({ optimiser: adam, trained, gradient })).toThrow(/trained\.v: 0 elements/);
  });
});
