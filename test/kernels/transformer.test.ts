/**
 * The transformer's operations on the addon against the reference backend: attention, whole blocks, decoding against a
 * cache, and what is asked of the distributions that rows predict. Every instruction set that this machine has.
 */
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import type { Backend, PackedBlock, PackedMatrix } from '../../src/kernels/backend.ts';
import { createNativeBackend } from '../../src/kernels/native.ts';
import { createReferenceBackend } from '../../src/kernels/reference.ts';
import { Random } from '../../src/math/random.ts';
import { agreement, expectClose, instructionSets, normals } from './helpers.ts';

const reference = createReferenceBackend();
const agree = agreement(reference);
const seed = fc.integer({ min: 0, max: 2 ** 31 });
const runs = { numRuns: 12 };

describe.each(instructionSets)('%s', (instructionSet) => {
  const native = createNativeBackend({ instructionSet, threads: 2 });
  afterAll(() => void createNativeBackend());
  const choose = () => createNativeBackend({ instructionSet, threads: 2 });

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
      { numRuns: 10 },
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
