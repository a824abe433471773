/**
 * Encode and select, every instruction set against the reference: what is chosen, in what order, and in which
 * precision. Small whole numbers are exact in bfloat16 and in every sum, so there nothing may differ, ties included.
 */
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import type { EncodeOperands, SparseRows } from '../../src/kernels/backend.ts';
import { createNativeBackend } from '../../src/kernels/native.ts';
import { createReferenceBackend } from '../../src/kernels/reference.ts';
import { Random } from '../../src/math/random.ts';
import { expectClose, instructionSets, normals, rounded } from './helpers.ts';

const reference = createReferenceBackend();
const seed = fc.integer({ min: 0, max: 2 ** 31 });
const width = fc.oneof(fc.integer({ min: 1, max: 70 }), fc.constantFrom(128, 288, 400));
const rows = fc.integer({ min: 1, max: 40 });
const runs = { numRuns: 12 };

/** Sets with units for bfloat16: the others compute in float32 whatever the precision. */
const ROUNDING = ['amx', 'avx512bf16'];

/** The largest number up to `most` that divides `n`. */
function dividing(n: number, most: number): number {
  let divisor = Math.min(n, most);
  while (n % divisor !== 0) divisor--;
  return divisor;
}

function wholeNumbers(random: Random, n: number, most: number): Float32Array {
  return Float32Array.from({ length: n }, () => Math.floor(random.uniform() * (2 * most + 1)) - most);
}

/** The same entries, by ascending column, but for some in a thousand that sums in another order may exchange. */
function expectAlike(found: SparseRows, expected: SparseRows, tolerance = 1e-4) {
  // Compared first and expected of once: an expectation for each of many entries takes longer than all kernels.
  let disorder = 0;
  const dense = (codes: SparseRows) => {
    const map = new Map<number, number>();
    for (let r = 0; r < codes.rows; r++) {
      for (let e = codes.offsets[r]; e < codes.offsets[r + 1]; e++) {
        if (e > codes.offsets[r] && !(codes.indices[e] > codes.indices[e - 1])) disorder++;
        map.set(r * 2 ** 24 + codes.indices[e], codes.values[e]);
      }
    }
    return map;
  };
  const [a, b] = [dense(found), dense(expected)];
  let exchanged = 0;
  let farthest = 0;
  for (const [key, value] of b) {
    const other = a.get(key);
    if (other === undefined) exchanged++;
    else if (!(Math.abs(other - value) <= farthest)) farthest = Math.abs(other - value);
  }
  expect(disorder).toBe(0);
  expect(farthest).toBeLessThan(tolerance);
  expect(exchanged).toBeLessThanOrEqual(Math.ceil(b.size * 0.002));
  expect(Math.abs(a.size - b.size)).toBeLessThanOrEqual(Math.ceil(b.size * 0.002));
}

let kept: ReturnType<typeof makeUnforeseen> | undefined;
const unforeseen = () => (kept ??= makeUnforeseen());

/** A single row, and a few of the columns, hold nearly all that is strong. With what the reference chooses. */
async function makeUnforeseen() {
  const random = new Random(3);
  const [rows, width, columns] = [700, 24, 600];
  const x = normals(random, rows * width, 0.01);
  x.set(normals(random, width, 3), 444 * width);
  const weight = normals(random, columns * width).map((value, i) =>
    Math.floor(i / width) % 97 === 5 ? 4 * value : value,
  );
  const operands = { x, rows, width, weight, bias: new Float32Array(columns), columns };
  const expected = new Map<number, SparseRows>();
  for (const total of [1, 40, 3000, rows * columns])
    expected.set(total, await reference.encodeBatchTopK({ ...operands, total }));
  return { operands, expected };
}

describe.each(instructionSets)('%s', (instructionSet) => {
  const native = createNativeBackend({ instructionSet, threads: 2 });
  afterAll(() => void createNativeBackend());
  const choose = () => createNativeBackend({ instructionSet, threads: 2 });

  it('chooses exactly among whole numbers, in both precisions', async () => {
    choose();
    await fc.assert(
      fc.asyncProperty(
        seed,
        fc.integer({ min: 0, max: 70 }),
        fc.integer({ min: 1, max: 100 }),
        fc.integer({ min: 1, max: 700 }),
        fc.integer({ min: 1, max: 90 }),
        fc.boolean(),
        fc.constantFrom('fp32' as const, 'bf16' as const),
        async (s, rows, width, columns, k, some, precision) => {
          const random = new Random(s);
          const operands: EncodeOperands = {
            x: wholeNumbers(random, rows * width, 2),
            rows,
            width,
            weight: wholeNumbers(random, columns * width, 2),
            bias: wholeNumbers(random, columns, 5),
            columns,
            subset: some
              ? Uint32Array.from(Array(columns).keys()).filter(() => random.uniform() < 0.4)
              : undefined,
            precision,
          };
          const threshold = wholeNumbers(random, columns, 6);
          expect(await native.encodeTopK({ ...operands, k })).toEqual(
            await reference.encodeTopK({ ...operands, k }),
          );
          const total = Math.max(1, rows * k);
          expect(await native.encodeBatchTopK({ ...operands, total })).toEqual(
            await reference.encodeBatchTopK({ ...operands, total }),
          );
          expect(await native.encodeThreshold({ ...operands, threshold })).toEqual(
            await reference.encodeThreshold({ ...operands, threshold }),
          );
          expect(await native.encodeAbsTopK({ ...operands, k })).toEqual(
            await reference.encodeAbsTopK({ ...operands, k }),
          );
          const groups = dividing(columns, k);
          const whole = { ...operands, subset: undefined };
          expect(await native.encodeGroupMax({ ...whole, groups })).toEqual(
            await reference.encodeGroupMax({ ...whole, groups }),
          );
        },
      ),
      { numRuns: 15 },
    );
  });

  it('in bfloat16 computes with rounded operands, and sums in float32', async () => {
    choose();
    const random = new Random(8);
    const [rows, width, columns, k] = [50, 333, 1500, 20];
    const operands = {
      x: normals(random, rows * width),
      rows,
      width,
      weight: normals(random, columns * width, width ** -0.5),
      bias: normals(random, columns, 0.1),
      columns,
    };
    const exact = ROUNDING.includes(instructionSet)
      ? { ...operands, x: rounded(operands.x), weight: rounded(operands.weight) }
      : operands;
    expectAlike(
      await native.encodeTopK({ ...operands, k, precision: 'bf16' }),
      await reference.encodeTopK({ ...exact, k }),
      2e-5,
    );
  });

  it('takes the strongest of a batch that no sample foretells', async () => {
    choose();
    const { operands, expected } = await unforeseen();
    for (const [total, codes] of expected)
      expectAlike(await native.encodeBatchTopK({ ...operands, total }), codes, 1e-4);
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
          expectAlike(
            await native.encodeTopK({ ...operands, k }),
            await reference.encodeTopK({ ...operands, k }),
          );
          const total = n * k;
          expectAlike(
            await native.encodeBatchTopK({ ...operands, total }),
            await reference.encodeBatchTopK({ ...operands, total }),
          );
          expectAlike(
            await native.encodeThreshold({ ...operands, threshold }),
            await reference.encodeThreshold({ ...operands, threshold }),
          );
          expectAlike(
            await native.encodeAbsTopK({ ...operands, k }),
            await reference.encodeAbsTopK({ ...operands, k }),
          );
          const [groups, whole] = [dividing(columns, k), { ...operands, subset: undefined }];
          expectAlike(
            await native.encodeGroupMax({ ...whole, groups }),
            await reference.encodeGroupMax({ ...whole, groups }),
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
    const largest = await native.encodeAbsTopK({ ...operands, k: 7, weight: operands.weight.map((w) => -w) });
    expect([...largest.indices]).toEqual([...top.indices]);
    expect([...largest.values]).toEqual(Array(70).fill(-3));
    const firsts = await native.encodeGroupMax({ ...operands, groups: 3 });
    expect([...firsts.indices]).toEqual(Array.from({ length: 30 }, (_, i) => (i % 3) * 1000));
    // Few of many are chosen from lists, of few in all that are written down.
    for (const rows of [100, 10]) {
      const x = new Float32Array(3 * rows).fill(1);
      const batch = await native.encodeBatchTopK({ ...operands, x, rows, total: 3250 });
      expect([...batch.indices]).toEqual(Array.from({ length: 3250 }, (_, i) => i % columns));
    }
  });

  it('writes entries to the room that is given, where they fit', async () => {
    choose();
    const random = new Random(14);
    const [n, d, columns, total] = [90, 20, 40, 500];
    const operands = {
      x: normals(random, n * d),
      rows: n,
      width: d,
      weight: normals(random, columns * d),
      bias: normals(random, columns),
      columns,
    };
    const expected = await native.encodeBatchTopK({ ...operands, total });
    for (const size of [total - 1, total, total + 10]) {
      const room = { indices: new Uint32Array(size), values: new Float32Array(size) };
      const found = await native.encodeBatchTopK({ ...operands, total, room });
      expect(found).toEqual(expected);
      expect(found.values.buffer === room.values.buffer).toBe(size >= total);
    }
  });

  it('keeps all above thresholds that are lower than all, and nothing above infinity', async () => {
    choose();
    const random = new Random(12);
    const [n, d, columns] = [70, 33, 900];
    const operands = {
      x: normals(random, n * d),
      rows: n,
      width: d,
      weight: normals(random, columns * d),
      bias: normals(random, columns),
      columns,
    };
    for (const precision of ['fp32', 'bf16'] as const) {
      const above = (least: number) =>
        native.encodeThreshold({ ...operands, precision, threshold: new Float32Array(columns).fill(least) });
      const all = await above(Number.NEGATIVE_INFINITY);
      expect(all.indices).toEqual(Uint32Array.from({ length: n * columns }, (_, i) => i % columns));
      expect((await above(Number.POSITIVE_INFINITY)).values.length).toBe(0);
      const out = new Float32Array(n * columns);
      await native.linear({ ...operands, weight: native.pack(operands.weight, columns, d, precision), out });
      expectClose(all.values, out, 1e-4);
    }
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
});
