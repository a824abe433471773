import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { scoreDirections, scoreRandomDirections } from '../../src/evaluation/groundTruth.ts';
import { InputError } from '../../src/formats/errors.ts';
import { createReferenceBackend } from '../../src/kernels/reference.ts';
import { orthonormalRows } from '../../src/math/orthonormal.ts';
import { Random } from '../../src/math/random.ts';

const backend = createReferenceBackend();
const width = 12;
const truth = Float32Array.from(orthonormalRows(8, width, new Random(1)));

/** Rows of `truth`, each times a factor. */
function rows(...picks: [row: number, factor: number][]): Float32Array {
  return Float32Array.from(
    picks.flatMap(([row, factor]) =>
      Array.from(truth.subarray(row * width, (row + 1) * width), (value) => factor * value),
    ),
  );
}

const all = [0, 1, 2, 3, 4, 5, 6, 7];

describe('scoreDirections', () => {
  test('the truth itself, permuted, of any length and sign: all is found', async () => {
    const order = [3, 1, 7, 0, 2, 6, 5, 4];
    for (const decoder of [
      truth,
      rows(...order.map((row): [number, number] => [row, 1])),
      rows(...order.map((row, j): [number, number] => [row, j % 2 === 0 ? -2 : 0.1])),
    ]) {
      const scores = await scoreDirections(backend, decoder, truth, width);
      for (const name of ['mcc', 'mccOverFeatures', 'mmcsOfLatents', 'mmcsOfFeatures', 'uniqueness'] as const)
        expect(scores[name]).toBeCloseTo(1, 6);
      expect(scores.decoderCosine).toBeCloseTo(0, 6);
      expect(Array.from(scores.nearestFeature)).toEqual(decoder === truth ? all : order);
      expect(scores.pairedFeature).toEqual(scores.nearestFeature);
    }
  });

  test('four of eight features: only the scores over features see it', async () => {
    const scores = await scoreDirections(backend, rows([0, 1], [1, 1], [2, 1], [5, 1]), truth, width);
    expect(scores.mcc).toBeCloseTo(1, 6);
    expect(scores.mmcsOfLatents).toBeCloseTo(1, 6);
    expect(scores.uniqueness).toBe(1);
    expect(scores.mccOverFeatures).toBeCloseTo(0.5, 6);
    expect(scores.mmcsOfFeatures).toBeCloseTo(0.5, 6);
  });

  test('each latent twice: found in full, unique by half, and 8 of 120 pairs are the same', async () => {
    const decoder = rows(...[...all, ...all].map((row): [number, number] => [row, 1]));
    const scores = await scoreDirections(backend, decoder, truth, width);
    expect(scores.mcc).toBeCloseTo(1, 6);
    expect(scores.mccOverFeatures).toBeCloseTo(1, 6);
    expect(scores.uniqueness).toBe(0.5);
    expect(scores.decoderCosine).toBeCloseTo(8 / 120, 6);
    expect(scores.pairedFeature.filter((feature) => feature >= 0).sort()).toEqual(Int32Array.from(all));
  });

  test('eight copies of one: the matching does not let them share a feature, MMCS of latents does', async () => {
    const decoder = rows(...all.map((): [number, number] => [4, 1]));
    const scores = await scoreDirections(backend, decoder, truth, width);
    expect(scores.mmcsOfLatents).toBeCloseTo(1, 6);
    expect(scores.mcc).toBeCloseTo(1 / 8, 6);
    expect(scores.mmcsOfFeatures).toBeCloseTo(1 / 8, 6);
    expect(scores.uniqueness).toBe(1 / 8);
    expect(scores.decoderCosine).toBeCloseTo(1, 6);
  });

  test('merged features: a latent between two has a cosine of 1 / sqrt 2 with both', async () => {
    const merged = rows([0, 1]).map((value, c) => value + truth[width + c]);
    const scores = await scoreDirections(backend, merged, truth.slice(0, 2 * width), width);
    expect(scores.mcc).toBeCloseTo(Math.SQRT1_2, 6);
    expect(scores.mccOverFeatures).toBeCloseTo(Math.SQRT1_2 / 2, 6);
    expect(scores.mmcsOfFeatures).toBeCloseTo(Math.SQRT1_2, 6);
    expect(scores.decoderCosine).toBeNaN();
  });

  test('a latent of length 0 is near nothing', async () => {
    const scores = await scoreDirections(backend, rows([0, 1], [1, 0]), truth, width);
    expect(Array.from(scores.nearestFeature)).toEqual([0, -1]);
    expect(scores.mcc).toBeCloseTo(0.5, 6);
    expect(scores.uniqueness).toBe(0.5);
  });

  test('against sums by hand, on random directions of either shape, over the size of a chunk too', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 2, max: 30 }), fc.integer({ min: 1, max: 30 }), async (F, n) => {
        await compareWithPlainSums(F, n, 5);
      }),
      { numRuns: 20 },
    );
    await compareWithPlainSums(600, 3, 4);
  });

  test('shapes that do not fit and values that are not finite are refused and named', async () => {
    const score = (decoder: Float32Array) => scoreDirections(backend, decoder, truth, width);
    await expect(score(new Float32Array(13))).rejects.toThrow(/decoder: 13 values are not rows of width 12/);
    await expect(score(new Float32Array(0))).rejects.toThrow(InputError);
    const bad = truth.slice();
    bad[width + 3] = NaN;
    await expect(score(bad)).rejects.toThrow(/decoder: row 1, column 3 is NaN, not finite/);
  });
});

async function compareWithPlainSums(F: number, n: number, d: number): Promise<void> {
  const random = new Random(F, 'directions', String(n));
  const [a, b] = [new Float32Array(F * d), new Float32Array(n * d)];
  random.fillNormal(a, 1);
  random.fillNormal(b, 1);
  const cosine = (x: Float32Array, i: number, y: Float32Array, j: number) => {
    let [xy, xx, yy] = [0, 0, 0];
    for (let c = 0; c < d; c++) {
      xy += x[i * d + c] * y[j * d + c];
      xx += x[i * d + c] ** 2;
      yy += y[j * d + c] ** 2;
    }
    return Math.abs(xy) / Math.sqrt(xx * yy);
  };
  const latents = Array.from({ length: F }, (_, j) => j);
  const features = Array.from({ length: n }, (_, i) => i);
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const scores = await scoreDirections(backend, a, b, d);
  expect(scores.mmcsOfLatents).toBeCloseTo(
    mean(latents.map((j) => Math.max(...features.map((i) => cosine(a, j, b, i))))),
    5,
  );
  expect(scores.mmcsOfFeatures).toBeCloseTo(
    mean(features.map((i) => Math.max(...latents.map((j) => cosine(a, j, b, i))))),
    5,
  );
  expect(scores.decoderCosine).toBeCloseTo(
    mean(latents.flatMap((j) => latents.slice(0, j).map((l) => cosine(a, j, a, l)))),
    5,
  );
  const pairs = latents.filter((j) => scores.pairedFeature[j] >= 0);
  expect(pairs).toHaveLength(Math.min(F, n));
  expect(scores.mcc).toBeCloseTo(mean(pairs.map((j) => cosine(a, j, b, scores.pairedFeature[j]))), 5);
  expect(scores.mccOverFeatures * n).toBeCloseTo(scores.mcc * pairs.length, 5);
}

describe('scoreRandomDirections', () => {
  test('c_dec is the mean |cos| of random directions: 2 / pi in the plane, 1 / 2 in space', async () => {
    for (const [d, expected] of [
      [2, 2 / Math.PI],
      [3, 0.5],
    ]) {
      const directions = Float32Array.from(orthonormalRows(1, d, new Random(2)));
      const scores = await scoreRandomDirections(backend, { latents: 800, seed: 3 }, directions, d);
      expect(Math.abs(scores.decoderCosine - expected)).toBeLessThan(0.01);
    }
  });

  test('200 random directions seem to hold 0.61 of 200 features in 20 dimensions; the seed decides', async () => {
    const features = new Float32Array(200 * 20);
    new Random(4, 'features').fillNormal(features, 1);
    const at = (seed: number) => scoreRandomDirections(backend, { latents: 200, seed }, features, 20);
    const scores = await at(5);
    expect(Math.abs(scores.mmcsOfLatents - 0.61)).toBeLessThan(0.02);
    expect(Math.abs(scores.mmcsOfFeatures - 0.61)).toBeLessThan(0.02);
    expect(await at(5)).toEqual(scores);
    expect((await at(6)).mcc).not.toBe(scores.mcc);
  });
});
