import { describe, expect, test } from 'vitest';
import type { SparseRows } from '../../src/kernels/backend.ts';
import { normalDensity, normalQuantile } from '../../src/math/normal.ts';
import { Random } from '../../src/math/random.ts';
import { copulaFirings, lowRankFirings, randomLoadings } from '../../src/toy/copula.ts';
import type { FiringLaw } from '../../src/toy/firingLaw.ts';
import { integrate, normalProbability } from '../math/normalProbability.ts';
import { bitsOf, expectFrequencies, labelsOf, rowsOf } from './worlds.ts';

const COUNT = 200_000;

function copula(firingProbabilities: number[], correlation: number[], sd: number): FiringLaw {
  return copulaFirings({
    firingProbabilities: Float64Array.from(firingProbabilities),
    correlation: Float64Array.from(correlation),
    amplitudes: { kind: 'normal', mean: 1, sd },
  });
}

/** The share of samples in which both features fire. */
function together(labels: SparseRows, i: number, j: number): number {
  return rowsOf(labels).filter((row) => row.includes(i) && row.includes(j)).length / labels.rows;
}

/** That two features fire, by the bivariate normal. */
function jointly(pi: number, pj: number, rho: number): number {
  const [ti, tj] = [-normalQuantile(pi), -normalQuantile(pj)];
  return integrate(
    (z) => normalDensity(z) * normalProbability((rho * z - tj) / Math.sqrt(1 - rho * rho)),
    ti,
    9,
    200,
  );
}

const near = (share: number, p: number) =>
  expect(Math.abs(share - p)).toBeLessThan(4 * Math.sqrt((p * (1 - p)) / COUNT));

describe('copulaFirings', () => {
  test('two that fire half of the time fire together 1/4 + asin(r) / 2 pi of it (Sheppard 1899)', async () => {
    for (const r of [-0.8, 0, 0.6]) {
      const labels = await labelsOf(copula([0.5, 0.5], [1, r, r, 1], 0.1), COUNT);
      near(together(labels, 0, 1), 0.25 + Math.asin(r) / (2 * Math.PI));
    }
  });

  test('pairs among three, of any probabilities, fire together as the bivariate normal has it', async () => {
    const p = [0.3, 0.1, 0.05];
    const r = [1, 0.5, -0.3, 0.5, 1, 0.2, -0.3, 0.2, 1];
    const labels = await labelsOf(copula(p, r, 0.1), COUNT);
    for (const [i, j] of [
      [0, 1],
      [0, 2],
      [1, 2],
    ])
      near(together(labels, i, j), jointly(p[i], p[j], r[3 * i + j]));
  });

  test('amplitudes of wide spread are still > 0: the mean is that of a truncated normal, none is lost', async () => {
    const labels = await labelsOf(copula([0.4, 0.4], [1, 0, 0, 1], 1), COUNT);
    const n = labels.values.length;
    expect(labels.values.every((value) => value > 0)).toBe(true);
    near(n / 2 / COUNT, 0.4);
    // Mean 1 + phi(1) / Phi(1); variance below that of the normal.
    const mean = labels.values.reduce((sum, value) => sum + value, 0) / n;
    expect(Math.abs(mean - (1 + normalDensity(1) / normalProbability(1)))).toBeLessThan(4 / Math.sqrt(n));
  });

  test('the entropy of two features lies between its bounds, which meet where nothing is shared', () => {
    for (const [pi, pj, rho] of [
      [0.5, 0.2, 0.7],
      [0.1, 0.05, -0.5],
      [0.3, 0.3, 0],
    ]) {
      const { entropy } = copula([pi, pj], [1, rho, rho, 1], 0.1);
      const both = jointly(pi, pj, rho);
      const bits = bitsOf(
        new Map([
          ['0 1', both],
          ['0', pi - both],
          ['1', pj - both],
          ['', 1 - pi - pj + both],
        ]),
      );
      if (entropy.kind !== 'bounds') throw new Error('expected bounds');
      expect(entropy.low).toBeLessThan(bits + 1e-8);
      expect(entropy.high).toBeGreaterThan(bits - 1e-8);
      if (rho === 0) expect(entropy.high - entropy.low).toBeLessThan(1e-8);
    }
  });

  test('probabilities and matrices that do not fit are refused', () => {
    for (const p of [0, 1, NaN])
      expect(() => copula([0.5, p], [1, 0, 0, 1], 0)).toThrow(`probability 1: expected`);
    expect(() => copula([0.5, 0.5], [1, 0, 0, 2], 0)).toThrow(/feature 1 has 2 with itself/);
    expect(() => copula([0.5, 0.5], [1, 1.1, 1.1, 1], 0)).toThrow(/not positive definite/);
    expect(() => copula([0.5, 0.5], [1], 0)).toThrow(/1 values were given for 2 x 2/);
  });
});

describe('lowRankFirings', () => {
  const rank = 3;
  const probabilities = [0.5, 0.2, 0.1, 0.03, 0.01, 0.01, 0.002, 0.002];
  const loadings = randomLoadings(8, rank, 0.45, new Random(2, 'loadings'));
  const law = lowRankFirings({ probabilities, loadings, rank, amplitudes: { kind: 'constant', value: 1 } });
  const correlation = (i: number, j: number) => {
    let sum = 0;
    for (let k = 0; k < rank; k++) sum += loadings[i * rank + k] * loadings[j * rank + k];
    return sum;
  };

  test('marginals are exact, and pairs fire together as correlations of this rank have it', async () => {
    const labels = await labelsOf(law, COUNT);
    expectFrequencies(labels, law);
    for (let i = 0; i < 4; i++)
      for (let j = 0; j < i; j++)
        near(together(labels, i, j), jointly(probabilities[i], probabilities[j], correlation(i, j)));
  });

  test('rare features that the row’s normals favour fire as often as others: none is lost to the bounds', async () => {
    // One shared normal of loading 0.95: p(u) varies from 0 to almost 1, far above any bound.
    const many = 40;
    const strong = lowRankFirings({
      probabilities: new Array(many).fill(0.004),
      loadings: new Float64Array(many).fill(0.95),
      rank: 1,
      amplitudes: { kind: 'constant', value: 1 },
    });
    const labels = await labelsOf(strong, COUNT);
    const both = jointly(0.004, 0.004, 0.9025);
    // Samples are independent, features are not: the share of all is as uncertain as one feature's.
    near(labels.indices.length / COUNT / many, 0.004);
    let pairs = 0;
    for (const row of rowsOf(labels)) pairs += (row.length * (row.length - 1)) / 2;
    near(pairs / COUNT / ((many * (many - 1)) / 2), both);
  });

  test('loadings leave each normal some of its own, and rows too long are refused', () => {
    const long = randomLoadings(50, 10, 1, new Random(1, 'long'));
    let longest = 0;
    for (let i = 0; i < 50; i++) {
      const square = long.subarray(10 * i, 10 * i + 10).reduce((sum, l) => sum + l * l, 0);
      longest = Math.max(longest, square);
    }
    expect(longest).toBeCloseTo(0.99, 10);
    const options = { probabilities: [0.5], rank: 1, amplitudes: { kind: 'constant', value: 1 } as const };
    expect(() => lowRankFirings({ ...options, loadings: Float64Array.of(1.1) })).toThrow(
      /squared length 1.21/,
    );
  });
});
