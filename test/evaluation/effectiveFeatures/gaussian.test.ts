import { describe, expect, test } from 'vitest';
import { memorySource } from '../../../src/activations/memory.ts';
import { gaussianSource, measureMoments } from '../../../src/evaluation/effectiveFeatures/gaussian.ts';
import { createReferenceBackend } from '../../../src/kernels/reference.ts';
import { Random } from '../../../src/math/random.ts';

const backend = createReferenceBackend();
const [rows, width] = [6000, 4];
/** Skewed and correlated columns with a mean, in documents of 60 rows. */
const random = new Random(1, 'rows');
const activations = new Float32Array(rows * width);
for (let r = 0; r < rows; r++) {
  const [a, b] = [-Math.log(1 - random.uniform()), random.uniform() < 0.1 ? 3 : 0];
  activations.set([a, a + b, 2 * b + 1, random.normal()], r * width);
}
const documents = Int32Array.from({ length: rows }, (_, r) => Math.floor(r / 60));
const source = memorySource({ width, activations, sequences: documents, documents });

describe('gaussianSource', () => {
  test('moments by the textbook', async () => {
    const { mean, covariance, rows: counted } = await measureMoments(backend, source);
    expect(counted).toBe(rows);
    for (let i = 0; i < width; i++) {
      for (let j = 0; j < width; j++) {
        let [mi, mj, product] = [0, 0, 0];
        for (let r = 0; r < rows; r++) {
          mi += activations[r * width + i] / rows;
          mj += activations[r * width + j] / rows;
        }
        for (let r = 0; r < rows; r++)
          product += ((activations[r * width + i] - mi) * (activations[r * width + j] - mj)) / rows;
        expect(mean[i]).toBeCloseTo(mi, 5);
        expect(covariance[i * width + j]).toBeCloseTo(product, 4);
      }
    }
  });

  test('the same moments and documents, and neither skew nor kurtosis', async () => {
    const moments = await measureMoments(backend, source);
    const normals = gaussianSource(backend, source, moments, 2);
    const found = await measureMoments(backend, normals);
    // Standard errors are about sd / sqrt(6000) of means, and sqrt 2 times that of variances.
    for (let i = 0; i < width; i++)
      expect(Math.abs(found.mean[i] - moments.mean[i])).toBeLessThan(
        0.06 * Math.sqrt(moments.covariance[i * 5]),
      );
    for (let i = 0; i < width * width; i++)
      expect(Math.abs(found.covariance[i] - moments.covariance[i])).toBeLessThan(0.25);
    const read = await normals.read([3, 1]);
    expect(read.rows).toBe(120);
    expect([read.documents[0], read.documents[60], read.positions[61]]).toEqual([3, 1, 1]);
    const all = await normals.read(Array.from({ length: 100 }, (_, s) => s));
    let third = 0;
    for (let r = 0; r < rows; r++)
      third += ((all.activations[r * width] - found.mean[0]) / Math.sqrt(found.covariance[0])) ** 3 / rows;
    // Of the exponential it is 2.
    expect(Math.abs(third)).toBeLessThan(0.2);
  });

  test('the same bytes whoever asks and when; another seed, other bytes', async () => {
    const moments = await measureMoments(backend, source);
    const [one, two, other] = [2, 2, 3].map((seed) => gaussianSource(backend, source, moments, seed));
    const part = await one.read([5]);
    expect((await two.read([4, 5])).activations.slice(60 * width)).toEqual(part.activations);
    expect((await other.read([5])).activations).not.toEqual(part.activations);
    await expect(one.read([100])).rejects.toThrow('sequence 100 was asked for; there are 100');
  });

  test('activations of fewer dimensions than columns', async () => {
    const flat = memorySource({ width: 2, activations: Float32Array.from([1, 2, 2, 4, 3, 6, 4, 8]) });
    const normals = gaussianSource(backend, flat, await measureMoments(backend, flat), 1);
    const { activations: x } = await normals.read([0, 1, 2, 3]);
    for (let r = 0; r < 4; r++) expect(Math.abs(x[2 * r + 1] - 2 * x[2 * r])).toBeLessThan(0.02);
  });
});
