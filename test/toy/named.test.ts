import { describe, expect, test } from 'vitest';
import { loadBackend } from '../../src/kernels/index.ts';
import { nabeshimaTree } from '../../src/toy/nabeshima.ts';
import { namedDistribution, WORLD_NAMES } from '../../src/toy/named.ts';
import { orthogonalToy } from '../../src/toy/orthogonal.ts';
import { expectFrequencies, rowsOf } from './worlds.ts';

const backend = loadBackend();

describe('namedDistribution', () => {
  test('gives the world of the name and seed', async () => {
    expect(WORLD_NAMES).toContain('synth-sae-bench-16k');
    const world = await namedDistribution(backend, 'orthogonal', 3);
    expect(await world.draw(backend, 9, 4)).toEqual(await orthogonalToy(3).draw(backend, 9, 4));
    expect((await namedDistribution(backend, 'synth-sae-bench-1k', 1)).features).toBe(1024);
  });

  test('a name that is not known is the user’s mistake, with those that are', async () => {
    for (const name of ['orthogonl', 'toString'])
      await expect(namedDistribution(backend, name, 1)).rejects.toThrow(
        `the world "${name}" is not known; expected one of orthogonal, nabeshima-tree, synth-sae-bench-1k`,
      );
  });
});

describe('nabeshimaTree', () => {
  test('three parents with at most one of three children each, eight alone', async () => {
    const world = nabeshimaTree(2);
    expect([world.features, world.width]).toEqual([20, 20]);
    expect(world.expectedL0).toBeCloseTo(1.12, 12);
    const { labels } = await world.draw(backend, 0, 60_000);
    expectFrequencies(labels, { firingProbabilities: world.firingProbabilities });
    let children = 0;
    for (const row of rowsOf(labels)) {
      for (const parent of [0, 4, 8]) {
        const own = row.filter((feature) => feature > parent && feature <= parent + 3);
        expect(own.length).toBeLessThanOrEqual(row.includes(parent) ? 1 : 0);
        children += own.length;
      }
    }
    expect(Math.abs(children / 60_000 - 0.27)).toBeLessThan(0.01);
    const h = (...p: number[]) => p.reduce((sum, q) => sum - q * Math.log2(q), 0);
    const expected = 3 * (h(0.15, 0.85) + 0.15 * h(0.2, 0.2, 0.2, 0.4)) + 8 * h(0.05, 0.95);
    expect(world.entropy).toEqual({ kind: 'exact', bits: expect.closeTo(expected, 10) });
  });
});
