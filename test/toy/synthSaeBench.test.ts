import { describe, expect, test } from 'vitest';
import { loadBackend } from '../../src/kernels/index.ts';
import { Random } from '../../src/math/random.ts';
import { randomDirections } from '../../src/toy/directions.ts';
import {
  SYNTH_SAE_BENCH_1K,
  SYNTH_SAE_BENCH_16K,
  synthSaeBench,
  synthSaeBenchFirings,
} from '../../src/toy/synthSaeBench.ts';
import { expectFrequencies, labelsOf, rowsOf } from './worlds.ts';

describe('SynthSAEBench', () => {
  const law = synthSaeBenchFirings(SYNTH_SAE_BENCH_16K, 42);
  const p = law.firingProbabilities;
  const total = (some: Float64Array) => some.reduce((sum, q) => sum + q, 0);

  test('16k: the published L0 of about 34, of about 25 for the 4,096 most frequent', () => {
    expect(total(p)).toBeCloseTo(34.5, 1);
    expect(total(p.subarray(0, 4096))).toBeCloseTo(25.2, 1);
    expect(p[0]).toBeCloseTo(0.4, 12);
    expect(p[16_383]).toBeCloseTo(5e-4, 12);
  });

  /** 128 roots, 512 children, 2,048 and 8,192 below them, as numbered. */
  const parentOf = (feature: number) => {
    if (feature < 128 || feature >= 10_880) return undefined;
    const [start, parents] = feature < 640 ? [128, 0] : feature < 2688 ? [640, 128] : [2688, 640];
    return parents + Math.floor((feature - start) / 4);
  };

  test('16k as drawn: mean L0, frequencies by decade, parents, siblings and amplitudes', async () => {
    const count = 20_000;
    const labels = await labelsOf(law, count);
    // Features are correlated, so that L0 varies more than if they were not.
    expect(Math.abs(labels.indices.length / count - total(p))).toBeLessThan(0.5);
    const counts = new Float64Array(16_384);
    for (const feature of labels.indices) counts[feature]++;
    for (const [from, to] of [
      [0, 10],
      [10, 128],
      [128, 640],
      [640, 2688],
      [2688, 10_880],
      [10_880, 16_384],
    ]) {
      const [found, expected] = [total(counts.subarray(from, to)) / count, total(p.subarray(from, to))];
      expect(Math.abs(found / expected - 1)).toBeLessThan(0.04);
    }
    for (const row of rowsOf(labels)) {
      const fired = new Set(row);
      const parents = row.map(parentOf).filter((parent) => parent !== undefined);
      expect(parents.every((parent) => fired.has(parent))).toBe(true);
      expect(new Set(parents).size).toBe(parents.length);
    }
    expect(labels.values.every((a) => a > 0)).toBe(true);
  });

  test('1k: every feature as often as it says; the entropy between bounds a few bits apart', async () => {
    const small = synthSaeBenchFirings(SYNTH_SAE_BENCH_1K, 42);
    expectFrequencies(await labelsOf(small, 40_000), small);
    if (small.entropy.kind !== 'bounds') throw new Error('expected bounds');
    const { low, high } = small.entropy;
    expect(low).toBeLessThan(high);
    expect(high - low).toBeLessThan(0.15 * high);
  });

  test('1k as a world: unit directions farther apart than random ones, a bias of norm 0.5, the same from its seed', async () => {
    const backend = loadBackend();
    const world = await synthSaeBench(backend, SYNTH_SAE_BENCH_1K, 1);
    const { directions, width, features, bias } = world;
    const overlap = (rows: Float32Array) => {
      let sum = 0;
      for (let i = 0; i < features; i++) {
        for (let j = 0; j < i; j++) {
          let dot = 0;
          for (let c = 0; c < width; c++) dot += rows[i * width + c] * rows[j * width + c];
          sum += dot * dot;
        }
      }
      return sum / ((features * (features - 1)) / 2);
    };
    const random = randomDirections(features, width, new Random(1, 'directions'));
    // The Welch bound: (n - d) / (d (n - 1)).
    const bound = (features - width) / (width * (features - 1));
    expect(overlap(directions)).toBeLessThan(overlap(random) - 0.5 * (overlap(random) - bound));
    expect(overlap(directions)).toBeGreaterThanOrEqual(bound - 1e-9);
    for (let i = 0; i < features; i++)
      expect(Math.hypot(...directions.subarray(i * width, (i + 1) * width))).toBeCloseTo(1, 5);
    expect(Math.hypot(...bias!)).toBeCloseTo(0.5, 6);
    const again = await synthSaeBench(backend, SYNTH_SAE_BENCH_1K, 1);
    expect(again.directions).toEqual(directions);
    expect(await again.draw(backend, 300, 5)).toEqual(await world.draw(backend, 300, 5));
  });
});
