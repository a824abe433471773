import { expect, test } from 'vitest';
import { memorySource } from '../../src/activations/memory.ts';
import { activationScale } from '../../src/activations/normalise.ts';
import { syntheticSource, watched } from './helpers.ts';

test('the scale brings the mean squared norm to 1, and the mean is that of the rows', async () => {
  // Squared norms 25 and 4: their mean is 14.5.
  const source = memorySource({ width: 2, activations: Float32Array.of(3, 4, 0, -2) });
  const { scale, mean, rows } = await activationScale(source, { seed: 0 });
  expect(scale).toBeCloseTo(1 / Math.sqrt(14.5), 12);
  expect(mean).toEqual(Float32Array.of(1.5, 1));
  expect(rows).toBe(2);
});

test('whole sequences are drawn until there are enough rows, few at a time, by the seed', async () => {
  const source = watched(syntheticSource(Array(500).fill(10)));
  const first = await activationScale(source, { rows: 1505, seed: 1 });
  expect(first.rows).toBe(1510);
  expect(Math.max(...source.reads)).toBeLessThanOrEqual(640);
  expect(await activationScale(source, { rows: 1505, seed: 1 })).toEqual(first);
  expect((await activationScale(source, { rows: 1505, seed: 2 })).scale).not.toBe(first.scale);
  // Standard normals of width 3: the mean squared norm is 3, with a standard error of sqrt(6 / 1,510).
  expect(Math.abs(first.scale ** -2 - 3)).toBeLessThan(5 * Math.sqrt(6 / 1510));
});

test('activations that are all zero are refused', async () => {
  const source = memorySource({ width: 2, activations: new Float32Array(8) });
  await expect(activationScale(source, { seed: 0 })).rejects.toThrow('all 4 rows measured are zero');
});
