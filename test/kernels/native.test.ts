/**
 * The addon against the reference backend: products, rows and sums, on every instruction set that this machine has,
 * with random shapes and ragged ends; and what holds for all operations: the same bytes for any number of threads,
 * refusals by name, and a free event loop.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { sha256 } from '../../src/formats/hash.ts';
import type { Backend, SparseRows } from '../../src/kernels/backend.ts';
import { createNativeBackend, nativeProblem } from '../../src/kernels/native.ts';
import { createReferenceBackend } from '../../src/kernels/reference.ts';
import { Random } from '../../src/math/random.ts';
import { agreement, expectClose, instructionSets, normals, rounded } from './helpers.ts';

const reference = createReferenceBackend();
const agree = agreement(reference);
const width = fc.oneof(fc.integer({ min: 1, max: 70 }), fc.constantFrom(128, 288, 400));
const rows = fc.integer({ min: 1, max: 40 });
const seed = fc.integer({ min: 0, max: 2 ** 31 });
const runs = { numRuns: 25 };

it('was built on this machine', () => {
  expect(nativeProblem()).toBeUndefined();
  expect(instructionSets).toContain('baseline');
});

describe.each(instructionSets)('%s', (instructionSet) => {
  const native = createNativeBackend({ instructionSet, threads: 2 });
  afterAll(() => void createNativeBackend());
  const choose = () => createNativeBackend({ instructionSet, threads: 2 });

  it('multiplies matrices', async () => {
    choose();
    await fc.assert(
      fc.asyncProperty(seed, rows, width, width, async (s, n, inputs, outputs) => {
        const random = new Random(s);
        const x = normals(random, n * inputs);
        const weight = normals(random, outputs * inputs);
        await agree(
          native,
          () => ({ out: new Float32Array(n * outputs) }),
          (b, { out }) => b.linear({ x, rows: n, weight: b.pack(weight, outputs, inputs), out }),
          1e-4,
        );
      }),
      runs,
    );
  });

  it('multiplies with bias and activation', async () => {
    choose();
    const activation = fc.constantFrom(undefined, 'relu', 'silu', 'gelu', 'geluTanh', 'tanh');
    await fc.assert(
      fc.asyncProperty(seed, rows, width, width, activation, async (s, n, inputs, outputs, activation) => {
        const random = new Random(s);
        const x = normals(random, n * inputs);
        const weight = normals(random, outputs * inputs, 3 * inputs ** -0.5);
        const bias = normals(random, outputs);
        await agree(
          native,
          () => ({ out: new Float32Array(n * outputs) }),
          (b, { out }) =>
            b.linear({ x, rows: n, weight: b.pack(weight, outputs, inputs), bias, activation, out }),
          1e-4,
        );
      }),
      runs,
    );
  });

  it('adds moments of products to the groups that rows are of', async () => {
    choose();
    await fc.assert(
      fc.asyncProperty(seed, rows, width, width, async (s, n, inputs, outputs) => {
        const random = new Random(s);
        const x = normals(random, n * inputs);
        const weight = normals(random, outputs * inputs, inputs ** -0.5);
        const group = Uint32Array.from({ length: n }, (_, r) => Math.floor(r / 7) % 3);
        const table = () => new Float64Array(3 * outputs).fill(1);
        await agree(
          native,
          () => ({ second: table(), fourth: table() }),
          (b, sums) => b.addMoments({ x, rows: n, weight: b.pack(weight, outputs, inputs), group, ...sums }),
          1e-5,
        );
      }),
      runs,
    );
  });

  it('rounds operands to bfloat16 at most, and sums in float32', async () => {
    choose();
    await fc.assert(
      fc.asyncProperty(seed, rows, width, width, async (s, n, inputs, outputs) => {
        const random = new Random(s);
        const [x, weight] = [normals(random, n * inputs), normals(random, outputs * inputs)];
        const product = async (b: Backend, x: Float32Array, weight: Float32Array) => {
          const out = new Float32Array(n * outputs);
          await b.linear({ x, rows: n, weight: b.pack(weight, outputs, inputs, 'bf16'), out });
          return out;
        };
        const found = await product(native, x, weight);
        const rounds = ['amx', 'avx512bf16'].includes(instructionSet);
        const as = (values: Float32Array) => (rounds ? rounded(values) : values);
        expectClose(found, await product(reference, as(x), as(weight)), 1e-4);
      }),
      runs,
    );
  });

  it('adds, gates, normalises and rotates', async () => {
    choose();
    await fc.assert(
      fc.asyncProperty(
        seed,
        rows,
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 1, max: 24 }),
        async (s, n, heads, half) => {
          const random = new Random(s);
          const d = heads * half * 2;
          const [a, b] = [normals(random, n * d, 3), normals(random, n * d)];
          const [cos, sin] = [normals(random, (n + 3) * half), normals(random, (n + 3) * half)];
          const one = () => ({ out: new Float32Array(n * d) });
          await agree(native, one, (k, { out }) => k.add({ a, b, out }));
          await agree(native, one, (k, { out }) => k.swiglu({ gate: a, up: b, out }));
          await agree(
            native,
            () => ({ out: new Float32Array(n * d), scale: new Float32Array(n) }),
            (k, { out, scale }) => k.rmsNorm({ x: a, rows: n, width: d, epsilon: 1e-5, scale, out }),
          );
          const shifted = a.map((value, i) => value + (i % 5));
          await agree(
            native,
            () => ({ out: new Float32Array(n * d), scale: new Float32Array(n) }),
            (k, { out, scale }) => k.layerNorm({ x: shifted, rows: n, width: d, epsilon: 1e-5, scale, out }),
            1e-4,
          );
          const indices = Int32Array.from({ length: 2 * n }, () => random.below(n));
          await agree(
            native,
            () => ({ out: new Float32Array(2 * n * d) }),
            (k, { out }) => k.takeRows({ table: a, width: d, indices, out }),
            0,
          );
          await agree(native, one, (k, { out }) =>
            k.rotary({
              x: a,
              rows: n,
              length: Math.ceil(n / 2),
              start: 3,
              heads,
              headWidth: 2 * half,
              cos,
              sin,
              out,
            }),
          );
        },
      ),
      runs,
    );
  });

  it('decodes', async () => {
    choose();
    await fc.assert(
      fc.asyncProperty(seed, rows, width, fc.integer({ min: 1, max: 80 }), async (s, n, d, columns) => {
        const random = new Random(s);
        const weight = normals(random, columns * d);
        const m = normals(random, n * d);
        const codes = await reference.encodeTopK({
          x: m,
          rows: n,
          width: d,
          weight,
          bias: new Float32Array(columns),
          columns,
          k: 9,
        });
        const bias = normals(random, d);
        await agree(
          native,
          () => ({ out: new Float32Array(n * d) }),
          (b, { out }) => b.decode({ codes, weight, bias, width: d, out }),
          1e-4,
        );
        await agree(
          native,
          () => ({ out: new Float32Array(n * d) }),
          (b, { out }) => b.decode({ codes, weight, width: d, out }),
          1e-4,
        );
      }),
      runs,
    );
  });

  it('centers and sums rows', async () => {
    choose();
    await fc.assert(
      fc.asyncProperty(seed, fc.integer({ min: 1, max: 600 }), width, async (s, n, d) => {
        const random = new Random(s);
        const [a, b, center] = [normals(random, n * d), normals(random, n * d), normals(random, d)];
        const rowsOf = () => ({ out: new Float32Array(n * d) });
        await agree(native, rowsOf, (k, { out }) =>
          k.center({ x: a, center, rows: n, width: d, scale: 0.3, out }),
        );
        await agree(
          native,
          () => ({ out: new Float32Array(n * d), squares: new Float32Array(n) }),
          (k, o) => k.residual({ a, b, rows: n, width: d, scale: -2, ...o }),
          1e-4,
        );
        await agree(
          native,
          () => ({ out: new Float64Array(d) }),
          (k, { out }) => k.columnSum({ m: a, rows: n, width: d, out }),
          1e-4,
        );
        expectClose([await native.sumOfSquares(a)], [await reference.sumOfSquares(a)], 1e-5);
      }),
      { numRuns: 10 },
    );
  });

  it('does short work that is asked for at once to the bytes of one after another', async () => {
    const random = new Random(6);
    const [n, d, columns] = [60, 32, 48];
    const operands = Array.from({ length: 7 }, (_, i) => ({
      x: normals(random, n * d),
      rows: n,
      width: d,
      weight: normals(random, columns * d),
      bias: normals(random, columns),
      columns,
      total: 100 * (i + 1),
    }));
    const alone = createNativeBackend({ instructionSet, threads: 1 });
    const expected: SparseRows[] = [];
    for (const op of operands) expected.push(await alone.encodeBatchTopK(op));
    for (const threads of [1, 2, 5]) {
      const b = createNativeBackend({ instructionSet, threads });
      expect(await Promise.all(operands.map((op) => b.encodeBatchTopK(op)))).toEqual(expected);
      // What promises lead to waits for its turn too.
      const twice = operands.map(async (op) => {
        await b.sumOfSquares(op.x);
        return b.encodeBatchTopK(op);
      });
      expect(await Promise.all(twice)).toEqual(expected);
    }
  });

  it('gives the same bytes for any number of threads', async () => {
    const random = new Random(5);
    const [n, d, columns, k] = [700, 96, 900, 8];
    const operands = {
      x: normals(random, n * d),
      rows: n,
      width: d,
      weight: normals(random, columns * d),
      bias: normals(random, columns),
      columns,
    };
    const [heads, headWidth, length] = [4, 24, 100];
    const angles = normals(random, (length * headWidth) / 2);
    const results: string[] = [];
    for (const threads of [1, 2, 5]) {
      const b = createNativeBackend({ instructionSet, threads });
      const codes = await b.encodeTopK({ ...operands, k });
      const batch = await b.encodeBatchTopK({ ...operands, total: n * k });
      const means = new Float64Array(d);
      await b.columnSum({ m: operands.x, rows: n, width: d, out: means });
      const y = new Float32Array(n * columns);
      await b.linear({ x: operands.x, rows: n, weight: b.pack(operands.weight, columns, d), out: y });
      const rounded = b.pack(operands.weight, columns, d, 'bf16');
      const yRounded = new Float32Array(n * columns);
      await b.linear({ x: operands.x, rows: n, weight: rounded, out: yRounded });
      const square = b.pack(operands.weight, d, d, 'bf16');
      const residual = operands.x.slice();
      await b.decoderBlocks({
        residual,
        batch: n / length,
        length,
        heads,
        headWidth,
        mlpWidth: d,
        epsilon: 1e-5,
        cos: angles,
        sin: angles,
        blocks: [{ q: square, k: square, v: square, o: square, gate: square, up: square, down: square }],
      });
      results.push(
        sha256(
          Buffer.concat(
            [
              ...[codes, batch].flatMap((c) => [c.offsets, c.indices, c.values]),
              means,
              y,
              yRounded,
              residual,
              Float64Array.of(await b.sumOfSquares(operands.x)),
            ].map((a) => Buffer.from(a.buffer, a.byteOffset, a.byteLength)),
          ),
        ),
      );
    }
    expect(results[1]).toEqual(results[0]);
    expect(results[2]).toEqual(results[0]);
  });
});

describe('refusals', () => {
  const native = createNativeBackend();
  it('names the array that does not fit', async () => {
    const short = {
      x: new Float32Array(5),
      rows: 2,
      width: 3,
      weight: new Float32Array(9),
      bias: new Float32Array(3),
      columns: 3,
    };
    expect(() => native.encodeTopK({ ...short, k: 1 })).toThrow(/x: 5 elements.*needs 6/);
    const whole = { ...short, x: new Float32Array(6) };
    expect(() => native.encodeGroupMax({ ...whole, groups: 2 })).toThrow(/groups: 3 columns.*2 equal runs/);
    expect(() => native.encodeGroupMax({ ...whole, subset: Uint32Array.of(1), groups: 1 })).toThrow(/subset/);
    expect(() =>
      native.takeRows({
        table: new Float32Array(6),
        width: 3,
        indices: Int32Array.of(1, 2),
        out: new Float32Array(6),
      }),
    ).toThrow(/indices\[1\]: 2, but the table has 2 rows/);
    const weight = native.pack(new Float32Array(6), 2, 3);
    const wrong = { ...weight, data: weight.data.subarray(1) };
    expect(() =>
      native.linear({ x: new Float32Array(3), rows: 1, weight: wrong, out: new Float32Array(2) }),
    ).toThrow(/weight\.data/);
    const block = { q: weight, k: weight, v: weight, o: weight, gate: weight, up: weight, down: wrong };
    expect(() =>
      native.decoderBlocks({
        residual: new Float32Array(2),
        batch: 1,
        length: 1,
        heads: 1,
        headWidth: 2,
        mlpWidth: 3,
        epsilon: 1e-5,
        cos: new Float32Array(1),
        sin: new Float32Array(1),
        blocks: [block],
      }),
    ).toThrow(/blocks\[0\]\.down/);
    const codes = {
      rows: 1,
      offsets: new Uint32Array([0, 1]),
      indices: new Uint32Array([7]),
      values: new Float32Array([1]),
    };
    expect(() =>
      native.decode({ codes, weight: new Float32Array(9), width: 3, out: new Float32Array(3) }),
    ).toThrow(/codes\.indices/);
    const targets = new Int32Array([4]);
    expect(() =>
      native.crossEntropy({
        x: new Float32Array(2),
        rows: 1,
        weight: native.pack(new Float32Array(8), 4, 2),
        targets,
        out: new Float32Array(1),
      }),
    ).toThrow(/targets\[0\]: token 4/);
    const shape = { blocks: 0, batch: 1, capacity: 2, heads: 1, headWidth: 2, precision: 'fp32' } as const;
    expect(() => native.createCache(shape)).toThrow(/blocks: 0/);
    const cache = native.createCache({ ...shape, blocks: 1 });
    const angles = new Float32Array(8);
    const step = { residual: new Float32Array(2), cache, mlpWidth: 1, epsilon: 0, cos: angles, sin: angles };
    expect(() => native.decoderStep({ ...step, position: 2, blocks: [] })).toThrow(/position: 2, past/);
  });
});

it('leaves the event loop free while it works', async () => {
  const native = createNativeBackend();
  const [n, d, columns] = [4096, 512, 16384];
  const operands = {
    x: new Float32Array(n * d).fill(0.5),
    rows: n,
    width: d,
    weight: new Float32Array(columns * d).fill(0.1),
    bias: new Float32Array(columns),
    columns,
  };
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const start = performance.now();
  while (performance.now() - start < 400) await native.encodeTopK({ ...operands, k: 8 });
  delay.disable();
  // Of many turns of the loop, hardly one waits for long, though the work takes all processors.
  expect(delay.count).toBeGreaterThan(50);
  expect(delay.percentile(90) / 1e6).toBeLessThan(20);
});
