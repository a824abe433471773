import { describe, expect, test } from 'vitest';
import { normalDensity, normalQuantile } from '../../src/math/normal.ts';
import { additiveDistribution } from '../../src/toy/additive.ts';
import { copulaFirings } from '../../src/toy/copula.ts';
import type { Distribution } from '../../src/toy/distribution.ts';
import { integrate, normalProbability } from '../math/normalProbability.ts';

const COUNT = 200_000;

/** Features along the axes. */
function axes(firingProbabilities: number[], correlation: number[], amplitudeSd: number): Distribution {
  const n = firingProbabilities.length;
  const probabilities = Float64Array.from(firingProbabilities);
  return additiveDistribution({
    width: n,
    directions: Float32Array.from({ length: n * n }, (_, at) => (at % (n + 1) === 0 ? 1 : 0)),
    firingProbabilities: probabilities,
    seed: 3,
    drawBlock: copulaFirings({
      firingProbabilities: probabilities,
      correlation: Float64Array.from(correlation),
      amplitudeSd,
    }),
  });
}

/** The share of samples in which both features fire. */
function together({ x }: { x: Float32Array }, i: number, j: number, n: number): number {
  let both = 0;
  for (let row = 0; row < COUNT; row++) if (x[row * n + i] > 0 && x[row * n + j] > 0) both++;
  return both / COUNT;
}

const near = (share: number, p: number) =>
  expect(Math.abs(share - p)).toBeLessThan(4 * Math.sqrt((p * (1 - p)) / COUNT));

describe('copulaFirings', () => {
  test('two that fire half of the time fire together 1/4 + asin(r) / 2 pi of it (Sheppard 1899)', () => {
    for (const r of [-0.8, 0, 0.6]) {
      const samples = axes([0.5, 0.5], [1, r, r, 1], 0.1).draw(0, COUNT);
      near(together(samples, 0, 1, 2), 0.25 + Math.asin(r) / (2 * Math.PI));
    }
  });

  test('pairs among three, of any probabilities, fire together as the bivariate normal has it', () => {
    const p = [0.3, 0.1, 0.05];
    const r = [1, 0.5, -0.3, 0.5, 1, 0.2, -0.3, 0.2, 1];
    const samples = axes(p, r, 0.1).draw(0, COUNT);
    for (const [i, j] of [
      [0, 1],
      [0, 2],
      [1, 2],
    ]) {
      const [ti, tj] = [-normalQuantile(p[i]), -normalQuantile(p[j])];
      const rho = r[3 * i + j];
      const both = integrate(
        (z) => normalDensity(z) * normalProbability((rho * z - tj) / Math.sqrt(1 - rho * rho)),
        ti,
        9,
        200,
      );
      near(together(samples, i, j, 3), both);
    }
  });

  test('an odd number of features: each fires as often as it should, alone too', () => {
    for (const p of [[0.2], [0.6, 0.2, 0.01]]) {
      const n = p.length;
      const identity = Array.from({ length: n * n }, (_, at) => (at % (n + 1) === 0 ? 1 : 0));
      const samples = axes(p, identity, 0).draw(0, COUNT);
      for (let i = 0; i < n; i++) near(together(samples, i, i, n), p[i]);
      expect(samples.labels.values.every((value) => value === 1)).toBe(true);
    }
  });

  test('amplitudes of wide spread are still > 0: the mean is that of a truncated normal, none is lost', () => {
    const { labels } = axes([0.4, 0.4], [1, 0, 0, 1], 1).draw(0, COUNT);
    const n = labels.values.length;
    expect(labels.values.every((value) => value > 0)).toBe(true);
    near(n / 2 / COUNT, 0.4);
    // Mean 1 + phi(1) / Phi(1); variance below that of the normal.
    const mean = labels.values.reduce((sum, value) => sum + value, 0) / n;
    expect(Math.abs(mean - (1 + normalDensity(1) / normalProbability(1)))).toBeLessThan(4 / Math.sqrt(n));
  });

  test('probabilities and matrices that do not fit are refused', () => {
    for (const p of [0, 1, NaN])
      expect(() => axes([0.5, p], [1, 0, 0, 1], 0)).toThrow(`probability 1: expected`);
    expect(() => axes([0.5, 0.5], [1, 0, 0, 2], 0)).toThrow(/feature 1 has 2 with itself/);
    expect(() => axes([0.5, 0.5], [1, 1.1, 1.1, 1], 0)).toThrow(/not positive definite/);
    expect(() => axes([0.5, 0.5], [1], 0)).toThrow(/1 values were given for 2 x 2/);
  });
});
