/** Worlds without one right L0: noise, amplitudes without a gap, two regimes. */
import { expect, test } from 'vitest';
import { loadBackend } from '../../src/kernels/index.ts';
import { gaplessToy } from '../../src/toy/gapless.ts';
import { namedDistribution } from '../../src/toy/named.ts';
import { decayingNoise, gaussianNoise, isotropicNoise } from '../../src/toy/noise.ts';
import { regimesToy } from '../../src/toy/regimes.ts';

const backend = loadBackend();
const ROWS = 20_000;

/** The mean of `x x^T`, `[width, width]`. */
function secondMoment(x: Float32Array, width: number): Float64Array {
  const moment = new Float64Array(width * width);
  const rows = x.length / width;
  for (let r = 0; r < rows; r++)
    for (let i = 0; i < width; i++)
      for (let j = 0; j < width; j++) moment[i * width + j] += (x[r * width + i] * x[r * width + j]) / rows;
  return moment;
}

test('noise has the variances that it is told, along axes that are turned, and no features', async () => {
  const deviations = Float64Array.of(3, 1, 0.5, 0.1);
  const noise = gaussianNoise(deviations, 1);
  const { x, labels } = await noise.draw(backend, 0, ROWS);
  const moment = secondMoment(x, 4);
  const power = (matrix: Float64Array) => matrix.reduce((sum, value) => sum + value * value, 0);
  const trace = [0, 1, 2, 3].reduce((sum, i) => sum + moment[i * 5], 0);
  // Trace and Frobenius norm are those of the eigenvalues 9, 1, .25, .01.
  expect(trace / 10.26).toBeCloseTo(1, 1);
  expect(Math.sqrt(power(moment)) / Math.hypot(9, 1, 0.25, 0.01)).toBeCloseTo(1, 1);
  expect(Math.abs(moment[1])).toBeGreaterThan(0.05);
  const fourth = x.reduce((sum, value) => sum + value ** 4, 0) / ROWS;
  const gaussian = [0, 1, 2, 3].reduce((sum, i) => sum + 3 * moment[i * 5] ** 2, 0);
  expect(fourth / gaussian).toBeCloseTo(1, 1);
  expect([noise.features, noise.expectedL0, labels.indices.length, labels.rows]).toEqual([0, 0, 0, ROWS]);
});

test('isotropic noise is alike in all directions; that of a decaying spectrum has eigenvalues 1 / i', async () => {
  const isotropic = secondMoment((await isotropicNoise(6, 2).draw(backend, 0, ROWS)).x, 6);
  for (let i = 0; i < 6; i++)
    for (let j = 0; j < 6; j++) expect(Math.abs(isotropic[i * 6 + j] - (i === j ? 1 : 0))).toBeLessThan(0.06);
  const decaying = secondMoment((await decayingNoise(6, 2).draw(backend, 0, ROWS)).x, 6);
  const trace = [0, 1, 2, 3, 4, 5].reduce((sum, i) => sum + decaying[i * 7], 0);
  expect(trace).toBeCloseTo(1 + 1 / 2 + 1 / 3 + 1 / 4 + 1 / 5 + 1 / 6, 1);
});

test('samples go by their numbers, in whatever portions they are asked for', async () => {
  const noise = decayingNoise(5, 3);
  const { x } = await noise.draw(backend, 0, 700);
  expect((await noise.draw(backend, 250, 300)).x).toEqual(x.slice(250 * 5, 550 * 5));
  expect((await decayingNoise(5, 4).draw(backend, 0, 10)).x).not.toEqual(x.slice(0, 50));
  await expect(noise.draw(backend, -1, 3)).rejects.toThrow(RangeError);
});

test('without a gap all features fire always, half-normally', async () => {
  const world = gaplessToy(1);
  expect(world.expectedL0).toBe(50);
  const { labels } = await world.draw(backend, 0, 2000);
  expect(labels.values.length).toBe(2000 * 50);
  const mean = labels.values.reduce((sum, value) => sum + value, 0) / labels.values.length;
  expect(mean).toBeCloseTo(Math.sqrt(2 / Math.PI), 2);
});

test('of two regimes one is in a sample, with 3 or 16 features', async () => {
  const world = regimesToy(1);
  expect(world.expectedL0).toBeCloseTo(9.5, 9);
  const { labels } = await world.draw(backend, 0, ROWS);
  const counts = { rare: [0, 0], frequent: [0, 0] };
  for (let row = 0; row < ROWS; row++) {
    const fired = labels.indices.slice(labels.offsets[row], labels.offsets[row + 1]);
    if (fired.length === 0) continue;
    expect(fired.every((feature) => feature < 25) || fired.every((feature) => feature >= 25)).toBe(true);
    const regime = counts[fired[0] < 25 ? 'rare' : 'frequent'];
    regime[0] += fired.length;
    regime[1]++;
  }
  // A sample of the rare regime is empty with probability .88^25.
  expect(counts.rare[0] / counts.rare[1]).toBeCloseTo(3 / (1 - 0.88 ** 25), 0);
  expect(counts.frequent[0] / counts.frequent[1]).toBeCloseTo(16, 0);
});

test('all of them have names', async () => {
  for (const name of ['isotropic-noise', 'decaying-noise', 'gapless', 'regimes'])
    expect((await namedDistribution(backend, name, 0)).width).toBe(100);
});
