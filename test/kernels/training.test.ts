/**
 * The operations of a training step, every instruction set against the reference, and the fused ones against what they
 * fuse: gradient, projection, clipping, the optimiser and unit rows one after the other.
 */
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { sha256 } from '../../src/formats/hash.ts';
import { createNativeBackend } from '../../src/kernels/native.ts';
import type { Optimiser } from '../../src/kernels/trainingOperations.ts';
import { Random } from '../../src/math/random.ts';
import { agreement, expectClose, instructionSets, normals } from './helpers.ts';
import {
  adam,
  emptyGradients,
  families,
  fewOrMany,
  latents,
  names,
  plain,
  randomCodes,
  randomGradients,
  randomMoments,
  reference,
  rows,
  shapes,
  stepDirection,
  trainable,
  width,
} from './latentGradients.ts';

const agree = agreement(reference);
const seed = fc.integer({ min: 0, max: 2 ** 31 });

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
        const room = {
          rows: new Uint32Array(codes.indices.length),
          entries: new Uint32Array(codes.indices.length),
        };
        expect(await native.sortByColumn(codes, columns, room)).toEqual(
          await native.sortByColumn(codes, columns),
        );
        expect(await native.sortByColumn(codes, columns)).toEqual(
          await reference.sortByColumn(codes, columns),
        );
      }),
      { numRuns: 8 },
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
      { numRuns: 6 },
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
        const kept = new Float32Array(shape.latents * (shape.width + shape.outputWidth));
        const throughInput = new Float64Array(shape.width);
        squares.push(await native.measureLatentGradients({ ...from, kept, throughInput }));
        const direction = await stepDirection(native, from);
        const composed = names.flatMap((name) => [...direction[name]]).reduce((sum, g) => sum + g * g, 0);
        expectClose(squares, [composed, composed, composed], 1e-4);
      }),
      { numRuns: 9 },
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

        const [twice, once] = [trainable(from, bias, moments), trainable(from, bias, moments)];
        await native.updateLatents({ ...twice.operands, optimiser: adam, trained: twice.trained });
        const kept = new Float32Array(shape.latents * (shape.width + shape.outputWidth));
        const throughInput = new Float64Array(shape.width);
        await native.measureLatentGradients({ ...once.operands, kept, throughInput });
        await native.updateLatents({ ...once.operands, kept, optimiser: adam, trained: once.trained });
        const all = ({ trained }: typeof once) =>
          names.flatMap((name) => [trained[name].parameter, trained[name].m, trained[name].v]);
        expect(bytesOf(all(once))).toBe(bytesOf(all(twice)));
      }),
      { numRuns: 9 },
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
      { numRuns: 6 },
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
      { numRuns: 6 },
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
