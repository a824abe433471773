/** The criteria of the right sparsity, where their values are known. */
import { describe, expect, test } from 'vitest';
import type { Dictionary } from '../../../src/dictionaries/dictionary.ts';
import { decoderCosine, eachCosine } from '../../../src/evaluation/cosines.ts';
import { consensus, randomConsensus } from '../../../src/evaluation/sparsity/consensus.ts';
import { bitsAt, rateDistortion } from '../../../src/evaluation/sparsity/descriptionLength.ts';
import { belowChord } from '../../../src/evaluation/sparsity/knee.ts';
import { commonRanks, hasRanks, projectionBeyond } from '../../../src/evaluation/sparsity/projections.ts';
import { loadBackend } from '../../../src/kernels/index.ts';
import { orthonormalRows } from '../../../src/math/orthonormal.ts';
import { Random } from '../../../src/math/random.ts';
import { randomCosine } from '../../../src/toy/bounds/randomDirections.ts';

const backend = loadBackend();

const normals = (seed: number, length: number) => {
  const rows = new Float32Array(length);
  new Random(seed, 'rows').fillNormal(rows, 1);
  return rows;
};
const orthonormal = (rows: number, width: number) =>
  Float32Array.from(orthonormalRows(rows, width, new Random(1, 'rows')));

/** As many latents as rows of the decoder, read by their own directions above a threshold. */
function dictionary(decoderWeight: Float32Array, width: number, threshold: number): Dictionary {
  const latents = decoderWeight.length / width;
  return {
    width,
    outputWidth: width,
    latents,
    encoderWeight: decoderWeight,
    encoderBias: new Float32Array(latents),
    decoderWeight,
    decoderBias: new Float32Array(width),
    selection: { kind: 'threshold', threshold: new Float32Array(latents).fill(threshold) },
  };
}

describe('c_dec', () => {
  test('0 of orthogonal rows, 1 of parallel ones, and their signs do not count', async () => {
    expect(await decoderCosine(backend, orthonormal(6, 9), 9)).toBeCloseTo(0, 6);
    expect(await decoderCosine(backend, Float32Array.of(1, 1, -2, -2, 3, 3), 2)).toBeCloseTo(1, 6);
    // 0, 45 and 90 degrees.
    expect(await decoderCosine(backend, Float32Array.of(1, 0, 5, 5, 0, -1), 2)).toBeCloseTo(
      Math.SQRT2 / 3,
      6,
    );
    expect(await decoderCosine(backend, Float32Array.of(1, 0), 2)).toBeNaN();
  });

  test('of random rows it is its floor', async () => {
    for (const width of [2, 3, 17, 100]) {
      const found = await decoderCosine(backend, normals(width, 600 * width), width);
      expect(Math.abs(found - randomCosine(width))).toBeLessThan(0.01 * randomCosine(width) + 0.002);
    }
    expect(randomCosine(2)).toBeCloseTo(2 / Math.PI, 12);
    expect(randomCosine(3)).toBeCloseTo(0.5, 12);
    expect(randomCosine(400) / Math.sqrt(2 / (Math.PI * 400))).toBeCloseTo(1, 2);
    expect(() => randomCosine(0)).toThrow(RangeError);
  });

  test('cosines have a sign, and rows of zeros none', async () => {
    const seen: number[] = [];
    await eachCosine(backend, Float32Array.of(2, 0), Float32Array.of(-1, 0, 0, 3, 0, 0), 2, (_, __, cosine) =>
      seen.push(cosine),
    );
    expect(seen).toEqual([-1, 0, 0]);
  });
});

describe('s_n', () => {
  test('ranks lie between 1.3 times the largest L0 and half of the latents, and are the same for all', () => {
    const ranks = commonRanks([4, 10, 12], 50);
    expect([ranks[0], ranks[ranks.length - 1]]).toEqual([expect.closeTo(15.6, 9), expect.closeTo(25, 9)]);
    // 1.3 x 19 is beyond .4 x 50, so it has none and decides nothing.
    expect(hasRanks(19, 50)).toBe(false);
    expect(commonRanks([4, 10, 12, 19], 50)).toEqual(ranks);
    expect(commonRanks([30], 50)).toEqual([]);
  });

  test('is the value at the rank, of what is left of b_dec, whatever the norms of the decoder', async () => {
    const held = { x: Float32Array.of(11, 7, 13, 5), rows: 2, width: 2 };
    const of = (ranks: number[], decoderWeight: number[]) =>
      projectionBeyond(
        backend,
        { decoderWeight: Float32Array.from(decoderWeight), decoderBias: Float32Array.of(10, 5) },
        held,
        ranks,
      );
    // Projections 1, 2, 3, 0 in descending order: 3, 2, 1, 0. Rank n is the place 2 n.
    expect(await of([0], [1, 0, 0, 1])).toBeCloseTo(3, 6);
    expect(await of([1], [1, 0, 0, 1])).toBeCloseTo(1, 6);
    expect(await of([0.5, 1.5], [9, 0, 0, 2])).toBeCloseTo(1, 6);
    expect(await of([], [1, 0, 0, 1])).toBeNaN();
  });
});

describe('description length', () => {
  /** Latent 0 fires on every second row with 1 or 3, latent 1 on every fourth with 2. */
  const rows = 16;
  const x = Float32Array.from({ length: 2 * rows }, (_, i) => {
    const row = Math.floor(i / 2);
    if (i % 2 === 0) return row % 2 === 0 ? (row % 4 === 0 ? 1 : 3) : 0;
    return row % 4 === 1 ? 2 : 0;
  });
  const offsets = new Uint32Array(rows + 1);
  const indices: number[] = [];
  const values: number[] = [];
  for (let row = 0; row < rows; row++) {
    for (const j of [0, 1]) {
      if (x[2 * row + j] === 0) continue;
      indices.push(j);
      values.push(x[2 * row + j]);
    }
    offsets[row + 1] = indices.length;
  }
  const codes = { rows, offsets, indices: Uint32Array.from(indices), values: Float32Array.from(values) };
  const identity = dictionary(Float32Array.of(1, 0, 0, 1), 2, 0.5);

  test('of a known code: support alone, then one bit for the values that differ', async () => {
    const points = await rateDistortion(backend, identity, codes, { x, rows, width: 2 });
    const quarter = 2 - 0.75 * Math.log2(3);
    expect(points[0].bits).toBeCloseTo(1 + quarter, 9);
    // Half of the rows are off by 1 in the first column.
    const variance = [1, 2 / 4].map((mean, j) => {
      let sum = 0;
      for (let row = 0; row < rows; row++) sum += (x[2 * row + j] - mean) ** 2;
      return sum;
    });
    expect(points[0].fvu).toBeCloseTo(rows / 2 / (variance[0] + variance[1]), 6);
    const finest = points[points.length - 1];
    expect(finest.fvu).toBeLessThan(0.002);
    // Two bins of 8 firings: a bit, and Miller's correction of 1 / 16 nats, on half of the rows.
    expect(finest.bits).toBeCloseTo(1 + quarter + 0.5 * (1 + 1 / 16 / Math.LN2), 9);
  });

  test('finer bins cost more and err less', async () => {
    const noisy = Float32Array.from(normals(3, 512 * 8), Math.abs);
    const own = dictionary(orthonormal(8, 8), 8, 0);
    const { encode } = await import('../../../src/dictionaries/dictionary.ts');
    const found = await rateDistortion(backend, own, await encode(backend, own, noisy, 512), {
      x: noisy,
      rows: 512,
      width: 8,
    });
    for (let i = 1; i < found.length; i++) expect(found[i].bits).toBeGreaterThanOrEqual(found[i - 1].bits);
    for (let i = 2; i < found.length; i++) expect(found[i].fvu).toBeLessThanOrEqual(found[i - 1].fvu + 1e-3);
  });

  test('between two points linear in the logarithm; none where the finest does not reach', () => {
    const points = [
      { bits: 3, fvu: 0.4 },
      { bits: 5, fvu: 0.1 },
      { bits: 9, fvu: 0.05 },
    ];
    expect(bitsAt(points, 0.5)).toBe(3);
    expect(bitsAt(points, 0.2)).toBeCloseTo(4, 12);
    expect(bitsAt(points, 0.1)).toBeCloseTo(5, 12);
    expect(bitsAt(points, 0.05)).toBeCloseTo(9, 12);
    expect(bitsAt(points, 0.049)).toBe(Infinity);
  });
});

describe('consensus', () => {
  const [latents, width] = [24, 12];
  const all = new Array<boolean>(latents).fill(true);

  test('1 where all found the same in another order, 0 on average of random directions', async () => {
    const decoderWeight = normals(4, latents * width);
    const order = new Random(5, 'order').permutation(latents);
    const shuffled = new Float32Array(decoderWeight.length);
    order.forEach((from, to) => {
      shuffled.set(decoderWeight.subarray(from * width, (from + 1) * width), to * width);
    });
    const alike = [decoderWeight, shuffled].map((rows) => ({ decoderWeight: rows, alive: all }));
    for (const value of await consensus(backend, alike, width, 0.5)) expect(value).toBeCloseTo(1, 6);

    const nullCosine = await randomConsensus(backend, { latents, width, seed: 0, draws: 8 });
    const random = [6, 7, 8, 9, 10, 11, 12, 13].map((seed) => ({
      decoderWeight: normals(seed, latents * width),
      alive: all,
    }));
    const values = await consensus(backend, random, width, nullCosine);
    expect(Math.abs(values.reduce((sum, value) => sum + value, 0) / 8)).toBeLessThan(0.05);
  });

  test('the opposite direction is another latent, and dead latents agree with none', async () => {
    const decoderWeight = orthonormal(6, width);
    const of = (rows: Float32Array, alive: number) => ({
      decoderWeight: rows,
      alive: Array.from({ length: 6 }, (_, j) => j < alive),
    });
    const mirrored = await consensus(
      backend,
      [
        of(decoderWeight, 6),
        of(
          decoderWeight.map((value) => -value),
          6,
        ),
      ],
      width,
      0,
    );
    expect(mirrored[0]).toBeLessThan(0.1);
    const dying = await consensus(backend, [of(decoderWeight, 6), of(decoderWeight, 3)], width, 0);
    expect(dying[0]).toBeCloseTo(0.5, 6);
    expect(await consensus(backend, [of(decoderWeight, 6)], width, 0)).toEqual([Number.NaN]);
  });
});

describe('knee', () => {
  test('0 along a power law, and greatest where a curve bends', () => {
    const l0 = [2, 4, 8, 16, 32];
    for (const value of belowChord(
      l0,
      l0.map((k) => 0.9 * k ** -0.7),
    ))
      expect(value).toBeCloseTo(0, 12);
    const bent = belowChord(l0, [0.8, 0.2, 0.05, 0.048, 0.046]);
    expect(bent.indexOf(Math.max(...bent))).toBe(2);
    expect(bent[2]).toBeCloseTo(Math.log(Math.sqrt(0.8 * 0.046) / 0.05), 12);
    expect(belowChord([1, 2, 3], [0.5, 0, 0.1])[1]).toBeNaN();
  });
});
