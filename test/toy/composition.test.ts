import { describe, expect, test } from 'vitest';
import { createReferenceBackend } from '../../src/kernels/reference.ts';
import { Random } from '../../src/math/random.ts';
import { additiveDistribution } from '../../src/toy/additive.ts';
import {
  bindingDirections,
  bindingFirings,
  conjunctionFirings,
  groupedLabels,
  pairedGroupFirings,
} from '../../src/toy/composition.ts';
import { expectFrequencies, labelsOf, rowsOf } from './worlds.ts';

const COUNT = 60_000;
const bits = (...p: number[]) => p.reduce((sum, q) => sum - q * Math.log2(q), 0);

describe('conjunctionFirings', () => {
  const options = {
    probabilities: [0.5, 0.3, 0.2],
    pairs: [
      [0, 1],
      [1, 2],
    ] as const,
    amplitudes: { kind: 'uniform', low: 0, high: 1 } as const,
  };

  test.each([true, false])('fires where both atoms do, and only there (product %s)', async (product) => {
    const law = conjunctionFirings({ ...options, product });
    expect([...law.firingProbabilities.slice(3)]).toEqual([0.15, 0.06]);
    const labels = await labelsOf(law, COUNT);
    expectFrequencies(labels, law);
    let products = 0;
    rowsOf(labels).forEach((row, r) => {
      expect(row.includes(3)).toBe(row.includes(0) && row.includes(1));
      expect(row.includes(4)).toBe(row.includes(1) && row.includes(2));
      const amplitude = (i: number) => labels.values[labels.offsets[r] + row.indexOf(i)];
      if (row.includes(3) && amplitude(3) === Math.fround(amplitude(0) * amplitude(1))) products++;
    });
    expect(products > 0).toBe(product);
    expect(law.entropy).toEqual({
      kind: 'exact',
      bits: expect.closeTo(bits(0.5, 0.5) + bits(0.3, 0.7) + bits(0.2, 0.8), 10),
    });
  });

  test('pairs of what are no atoms are refused', () => {
    for (const pair of [
      [0, 3],
      [1, 1],
    ] as const)
      expect(() => conjunctionFirings({ ...options, pairs: [pair], product: true })).toThrow(
        /two of 3 atoms/,
      );
  });
});

test.each([1, 0.4, 0])('of two groups, both are on with probability %s, and else one', async (both) => {
  const law = pairedGroupFirings({ sizes: [2, 3], both, amplitudes: { kind: 'constant', value: 1 } });
  const labels = await labelsOf(law, COUNT);
  expectFrequencies(labels, law);
  let pairs = 0;
  for (const row of rowsOf(labels)) {
    const inFirst = row.filter((i) => i < 2).length;
    expect([inFirst, row.length - inFirst].map((n) => n <= 1)).toEqual([true, true]);
    expect(row.length).toBeGreaterThan(0);
    if (row.length === 2) pairs++;
  }
  expect(pairs / COUNT).toBeCloseTo(both, 1);
  const which = both === 1 ? 0 : bits(...[both, (1 - both) / 2, (1 - both) / 2].filter((p) => p > 0));
  const expected = which + ((1 + both) / 2) * Math.log2(6);
  expect(law.entropy).toEqual({ kind: 'exact', bits: expect.closeTo(expected, 10) });
});

describe('bindings', () => {
  const [roles, fillers, width] = [2, 3, 12];
  const law = bindingFirings({ roles: [0.7, 0.4], fillers, amplitudes: { kind: 'constant', value: 2 } });

  test('each filled role has one filler, and the entropy is that of roles and of fillers in them', async () => {
    const labels = await labelsOf(law, COUNT);
    expectFrequencies(labels, law);
    for (const row of rowsOf(labels)) {
      expect(row.filter((i) => i < 3).length).toBeLessThan(2);
      expect(row.filter((i) => i >= 3).length).toBeLessThan(2);
    }
    const expected = bits(0.7, 0.3) + bits(0.4, 0.6) + 1.1 * Math.log2(3);
    expect(law.entropy).toEqual({ kind: 'exact', bits: expect.closeTo(expected, 10) });
  });

  test('labels by role and by filler: a filler in two roles counts once, with both amplitudes', async () => {
    const labels = await labelsOf(law, 2000);
    const byFiller = groupedLabels(
      labels,
      Array.from({ length: 6 }, (_, i) => i % fillers),
    );
    const byRole = groupedLabels(
      labels,
      Array.from({ length: 6 }, (_, i) => Math.floor(i / fillers)),
    );
    let doubles = 0;
    rowsOf(labels).forEach((row, r) => {
      expect(rowsOf(byFiller)[r]).toEqual([...new Set(row.map((i) => i % fillers))].sort());
      expect(rowsOf(byRole)[r]).toEqual(row.map((i) => Math.floor(i / fillers)));
    });
    for (const value of byFiller.values) if (value === 4) doubles++;
    expect(doubles).toBeGreaterThan(0);
    expect(byRole.values.every((value) => value === 2)).toBe(true);
  });

  test('a role turns all fillers alike: angles between fillers are the same in each', async () => {
    const directions = bindingDirections({ roles, fillers, width, random: new Random(1, 'bindings') });
    const dot = (i: number, j: number) => {
      let sum = 0;
      for (let c = 0; c < width; c++) sum += directions[i * width + c] * directions[j * width + c];
      return sum;
    };
    for (let i = 0; i < fillers; i++) {
      for (let j = 0; j <= i; j++) {
        expect(dot(i, j)).toBeCloseTo(dot(fillers + i, fillers + j), 5);
        if (i === j) expect(dot(i, j)).toBeCloseTo(1, 5);
      }
      expect(Math.abs(dot(i, fillers + i))).toBeLessThan(0.95);
    }
    const world = additiveDistribution({ law, width, directions, seed: 1 });
    expect((await world.draw(createReferenceBackend(), 0, 4)).x.length).toBe(4 * width);
  });
});
