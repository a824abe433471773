/**
 * The addon against the reference backend: every operation, every instruction set that this machine has, random
 * shapes with ragged ends, one and two threads.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { sha256 } from '../../src/formats/hash.ts';
import type { Backend, PackedBlock, PackedMatrix, SparseRows } from '../../src/kernels/backend.ts';
import { createNativeBackend, nativeProblem } from '../../src/kernels/native.ts';
import { createReferenceBackend } from '../../src/kernels/reference.ts';
import { Random } from '../../src/math/random.ts';
import { agreement, expectClose, instructionSets, normals } from './helpers.ts';

const reference = createReferenceBackend();
const agree = agreement(reference);
const width = fc.oneof(fc.integer({ min: 1, max: 70 }), fc.constantFrom(128, 288, 400));
const rows = fc.integer({ min: 1, max: 40 });
const seed = fc.integer({ min: 0, max: 2 ** 31 });
const runs = { numRuns: 25 };

/** To the nearest bfloat16, of two equally near to the even one. */
function toBfloat16(value: number): number {
  const bits = new Uint32Array(Float32Array.of(value).buffer)[0];
  const rounded = (bits + 0x7fff + ((bits >>> 16) & 1)) & 0xffff0000;
  return new Float32Array(Uint32Array.of(rounded).buffer)[0];
}

/** Same entries; where the sets differ, only entries that rounding can exchange may be involved. */
function expectSameCodes(found: SparseRows, expected: SparseRows) {
  const dense = (codes: SparseRows) => {
    const map = new Map<string, number>();
    for (let r = 0; r < codes.rows; r++) {
      for (let e = codes.offsets[r]; e < codes.offsets[r + 1]; e++) {
        if (e > codes.offsets[r]) expect(codes.indices[e]).toBeGreaterThan(codes.indices[e - 1]);
        map.set(`${r},${codes.indices[e]}`, codes.values[e]);
      }
    }
    return map;
  };
  const [a, b] = [dense(found), dense(expected)];
  let exchanged = 0;
  for (const [key, value] of b) {
    if (a.has(key)) expect(Math.abs(a.get(key)! - value)).toBeLessThan(1e-4);
    else exchanged++;
  }
  expect(exchanged).toBeLessThanOrEqual(Math.ceil(b.size * 0.002));
  expect(Math.abs(a.size - b.size)).toBeLessThanOrEqual(Math.ceil(b.size * 0.002));
}

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
    const activation = fc.constantFrom(undefined, 'relu', 'silu', 'gelu', 'geluTanh');
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
        const as = (values: Float32Array) => (rounds ? values.map(toBfloat16) : values);
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

  it('attends', async () => {
    choose();
    const small = fc.integer({ min: 1, max: 4 });
    await fc.assert(
      fc.asyncProperty(
        seed,
        small,
        fc.integer({ min: 1, max: 90 }),
        small,
        fc.integer({ min: 1, max: 50 }),
        async (s, batch, length, heads, headWidth) => {
          const random = new Random(s);
          const n = batch * length * heads * headWidth;
          const [q, k, v] = [normals(random, n), normals(random, n), normals(random, n)];
          const shape = { batch, heads, headWidth };
          await agree(
            native,
            () => ({ out: new Float32Array(n) }),
            (b, { out }) => b.attention({ q, k, v, length, ...shape, out }),
          );
          await agree(
            native,
            () => ({ out: new Float32Array(n) }),
            (b, { out }) => b.attention({ q, k, v, length, ...shape, precision: 'bf16', out }),
            // Scores of a head's width of 50 are off by a few hundredths, and so are the weights.
            0.1,
          );
        },
      ),
      runs,
    );
  });

  it('computes whole blocks as its own operations do one by one, and as the reference does', async () => {
    choose();
    const small = fc.integer({ min: 1, max: 3 });
    await fc.assert(
      fc.asyncProperty(
        seed,
        small,
        fc.integer({ min: 1, max: 70 }),
        small,
        fc.integer({ min: 1, max: 30 }),
        fc.integer({ min: 1, max: 100 }),
        fc.constantFrom('fp32' as const, 'bf16' as const),
        async (s, batch, length, heads, half, mlpWidth, precision) => {
          const random = new Random(s);
          const [headWidth, width] = [2 * half, 2 * half * heads];
          const residual = normals(random, batch * length * width);
          const shape = { batch, length, heads, headWidth };
          const [cos, sin] = [normals(random, length * half), normals(random, length * half)];
          const matrix = (outputs: number, inputs: number) => {
            const weight = normals(random, outputs * inputs, 0.7 * inputs ** -0.5);
            return (b: Backend) => b.pack(weight, outputs, inputs, precision);
          };
          const made = [0, 1].map(() => ({
            q: matrix(width, width),
            k: matrix(width, width),
            v: matrix(width, width),
            o: matrix(width, width),
            gate: matrix(mlpWidth, width),
            up: matrix(mlpWidth, width),
            down: matrix(width, mlpWidth),
          }));
          const blocksOf = (b: Backend) =>
            made.map(
              (block) =>
                Object.fromEntries(
                  Object.entries(block).map(([name, make]) => [name, make(b)]),
                ) as PackedBlock,
            );
          const operands = { ...shape, mlpWidth, epsilon: 1e-5, cos, sin };
          const run = async (b: Backend) => {
            const out = residual.slice();
            await b.decoderBlocks({ ...operands, residual: out, blocks: blocksOf(b) });
            return out;
          };
          const found = await run(native);

          const single = residual.slice();
          const rows = batch * length;
          const array = (columns = width) => new Float32Array(rows * columns);
          for (const { q, k, v, o, gate, up, down } of blocksOf(native)) {
            const [n, scale] = [array(), array(1)];
            const project = async (x: Float32Array, weight: PackedMatrix) => {
              const out = array(weight.outputs);
              await native.linear({ x, rows, weight, out });
              return out;
            };
            await native.rmsNorm({ x: single, rows, width, epsilon: 1e-5, scale, out: n });
            const heads = { q: await project(n, q), k: await project(n, k), v: await project(n, v) };
            for (const x of [heads.q, heads.k])
              await native.rotary({ x, rows, ...shape, start: 0, cos, sin, out: x });
            const z = array();
            await native.attention({ ...heads, ...shape, precision, out: z });
            await native.add({ a: single, b: await project(z, o), out: single });
            await native.rmsNorm({ x: single, rows, width, epsilon: 1e-5, scale, out: n });
            const product = array(mlpWidth);
            await native.swiglu({ gate: await project(n, gate), up: await project(n, up), out: product });
            await native.add({ a: single, b: await project(product, down), out: single });
          }
          expect(found).toEqual(single);
          // Norms of a row of few values magnify what rounding did.
          if (width > 8) expectClose(found, await run(reference), precision === 'fp32' ? 1e-3 : 0.2);
        },
      ),
      { numRuns: 20 },
    );
  });

  it('decodes position after position', async () => {
    choose();
    const small = fc.integer({ min: 1, max: 3 });
    await fc.assert(
      fc.asyncProperty(
        seed,
        small,
        small,
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 1, max: 40 }),
        async (s, batch, heads, half, capacity) => {
          const random = new Random(s);
          const [headWidth, mlpWidth] = [2 * half, 5 + 3 * half];
          const d = heads * headWidth;
          const weight = (outputs: number, inputs: number) =>
            normals(random, outputs * inputs, inputs ** -0.5);
          const weights = Array.from({ length: 2 }, () => ({
            ...Object.fromEntries(['q', 'k', 'v', 'o'].map((name) => [name, [weight(d, d), d, d] as const])),
            gate: [weight(mlpWidth, d), mlpWidth, d] as const,
            up: [weight(mlpWidth, d), mlpWidth, d] as const,
            down: [weight(d, mlpWidth), d, mlpWidth] as const,
          }));
          const [cos, sin] = [normals(random, capacity * half), normals(random, capacity * half)];
          const inputs = Array.from({ length: capacity }, () => normals(random, batch * d));
          for (const [precision, tolerance] of [
            ['fp32', 1e-4],
            ['bf16', 0.1],
          ] as const) {
            const run = async (b: Backend): Promise<Float32Array[]> => {
              const blocks = weights.map(
                (block) =>
                  Object.fromEntries(
                    Object.entries(block).map(([name, w]) => [name, b.pack(w[0], w[1], w[2], precision)]),
                  ) as unknown as PackedBlock,
              );
              const cache = b.createCache({ blocks: 2, batch, capacity, heads, headWidth, precision });
              const outputs: Float32Array[] = [];
              for (const [position, x] of inputs.entries()) {
                const residual = x.slice();
                await b.decoderStep({
                  residual,
                  cache,
                  position,
                  mlpWidth,
                  epsilon: 1e-5,
                  cos,
                  sin,
                  blocks,
                });
                outputs.push(residual);
              }
              return outputs;
            };
            const [found, expected] = [await run(native), await run(reference)];
            const all = (outputs: Float32Array[]) => outputs.flatMap((out) => [...out]);
            const [a, b] = [all(found), all(expected)];
            expect(Math.hypot(...a.map((value, i) => value - b[i]))).toBeLessThan(
              tolerance * Math.hypot(...b),
            );
          }
        },
      ),
      { numRuns: 10 },
    );
  });

  it('compares and samples distributions', async () => {
    choose();
    await fc.assert(
      fc.asyncProperty(
        seed,
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 1, max: 3000 }),
        fc.integer({ min: 1, max: 40 }),
        async (s, n, outputs, inputs) => {
          const random = new Random(s);
          const [p, q] = [normals(random, n * inputs), normals(random, n * inputs)];
          // The logits' deviation is 4: some are far from the rest.
          const weight = normals(random, outputs * inputs, 4 * inputs ** -0.5);
          const targets = Int32Array.from({ length: n }, () => random.below(outputs));
          const one = () => ({ out: new Float32Array(n) });
          const two = () => ({ kl: new Float32Array(n), crossEntropy: new Float32Array(n) });
          for (const [precision, tolerance] of [
            ['fp32', 1e-4],
            ['bf16', 0.05],
          ] as const) {
            const packed = (b: Backend) => b.pack(weight, outputs, inputs, precision);
            await agree(
              native,
              one,
              (b, { out }) => b.crossEntropy({ x: p, rows: n, weight: packed(b), targets, out }),
              tolerance,
            );
            await agree(
              native,
              two,
              (b, out) => b.divergence({ clean: p, other: q, rows: n, weight: packed(b), targets, ...out }),
              tolerance,
            );
          }

          const uniforms = Float32Array.from({ length: n }, () => random.uniformFloat32());
          for (const precision of ['fp32', 'bf16'] as const) {
            const packed = native.pack(weight, outputs, inputs, precision);
            const logits = new Float32Array(n * outputs);
            await native.linear({ x: p, rows: n, weight: packed, out: logits });
            for (const temperature of [0, 0.7]) {
              const out = new Int32Array(n);
              await native.sample({ x: p, rows: n, weight: packed, temperature, uniforms, out });
              for (let r = 0; r < n; r++) {
                const row = logits.subarray(r * outputs, (r + 1) * outputs);
                if (temperature === 0) expect(out[r]).toBe(row.indexOf(Math.max(...row)));
                else expectOnBorder(row, temperature, uniforms[r], out[r]);
              }
            }
          }
        },
      ),
      runs,
    );
  });

  it('compares and samples each row as if it were alone', async () => {
    choose();
    const random = new Random(7);
    const [n, outputs, inputs] = [150, 9000, 24];
    const x = normals(random, n * inputs);
    const raw = normals(random, outputs * inputs);
    const uniforms = Float32Array.from({ length: n }, () => random.uniformFloat32());
    const targets = Int32Array.from({ length: n }, () => random.below(outputs));
    for (const precision of ['fp32', 'bf16'] as const) {
      const weight = native.pack(raw, outputs, inputs, precision);
      const all = async (first: number, rows: number, threads: number) => {
        const b = createNativeBackend({ instructionSet, threads });
        const own = { x: x.subarray(first * inputs, (first + rows) * inputs), rows, weight };
        const [out, losses] = [new Int32Array(rows), new Float32Array(rows)];
        await b.sample({ ...own, temperature: 1, uniforms: uniforms.subarray(first), out });
        await b.crossEntropy({ ...own, targets: targets.subarray(first), out: losses });
        return { out: [...out], losses: [...losses] };
      };
      const together = await all(0, n, 2);
      expect(await all(0, n, 1)).toEqual(together);
      for (const r of [0, 31, 149]) {
        expect(await all(r, 1, 2)).toEqual({ out: [together.out[r]], losses: [together.losses[r]] });
      }
    }
  });

  it('encodes and selects', async () => {
    choose();
    await fc.assert(
      fc.asyncProperty(
        seed,
        rows,
        width,
        fc.integer({ min: 1, max: 300 }),
        fc.integer({ min: 1, max: 40 }),
        fc.boolean(),
        async (s, n, d, columns, k, some) => {
          const random = new Random(s);
          const operands = {
            x: normals(random, n * d),
            rows: n,
            width: d,
            weight: normals(random, columns * d, d ** -0.5),
            bias: normals(random, columns, 0.1),
            columns,
            subset: some
              ? Uint32Array.from({ length: columns }, (_, i) => i).filter(() => random.uniform() < 0.3)
              : undefined,
          };
          const threshold = normals(random, columns, 0.5);
          expectSameCodes(
            await native.encodeTopK({ ...operands, k }),
            await reference.encodeTopK({ ...operands, k }),
          );
          const total = n * k;
          expectSameCodes(
            await native.encodeBatchTopK({ ...operands, total }),
            await reference.encodeBatchTopK({ ...operands, total }),
          );
          expectSameCodes(
            await native.encodeThreshold({ ...operands, threshold }),
            await reference.encodeThreshold({ ...operands, threshold }),
          );
        },
      ),
      runs,
    );
  });

  it('of equal pre-activations takes the lower row and column', async () => {
    choose();
    // Many more columns than any list of candidates holds, so that equals meet again and again.
    const columns = 3000;
    const operands = {
      x: new Float32Array(30).fill(1),
      rows: 10,
      width: 3,
      weight: new Float32Array(3 * columns).fill(1),
      bias: new Float32Array(columns),
      columns,
    };
    const top = await native.encodeTopK({ ...operands, k: 7 });
    expect([...top.indices]).toEqual(Array.from({ length: 70 }, (_, i) => i % 7));
    const batch = await native.encodeBatchTopK({ ...operands, total: 3250 });
    expect([...batch.indices]).toEqual(Array.from({ length: 3250 }, (_, i) => i % columns));
  });

  it('chooses rightly among pre-activations that half precision cannot tell apart', async () => {
    choose();
    const random = new Random(6);
    const [n, d, columns, k] = [30, 64, 4000, 12];
    const base = normals(random, d);
    const weight = normals(random, columns * d, 1e-3).map((value, i) => value + base[i % d]);
    const x = normals(random, n * d, 0.05).map((value, i) => value + base[i % d]);
    const operands = { x, rows: n, width: d, weight, bias: new Float32Array(columns), columns };
    const [found, exact] = [
      await native.encodeTopK({ ...operands, k }),
      await reference.encodeTopK({ ...operands, k }),
    ];
    for (let r = 0; r < n; r++) {
      const sorted = (codes: SparseRows) => codes.values.slice(codes.offsets[r], codes.offsets[r + 1]).sort();
      expectClose(sorted(found), sorted(exact), 2e-6);
    }
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

function expectOnBorder(logits: Float32Array, temperature: number, uniform: number, token: number) {
  const top = Math.max(...logits);
  const weights = Array.from(logits, (x) => Math.exp((x - top) / temperature));
  const total = weights.reduce((a, b) => a + b);
  const below = weights.slice(0, token).reduce((a, b) => a + b, 0) / total;
  const above = below + weights[token] / total;
  expect(uniform).toBeGreaterThan(below - 1e-5);
  expect(uniform).toBeLessThan(above + 1e-5);
}
