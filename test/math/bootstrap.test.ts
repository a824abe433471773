import { describe, expect, test } from 'vitest';
import {
  bootstrapRatio,
  clusterBootstrap,
  clusterBootstraps,
  drawResamples,
  type Interval,
} from '../../src/math/bootstrap.ts';
import { Random } from '../../src/math/random.ts';
import { mean } from '../../src/math/statistics.ts';

const weightedMean = (x: ArrayLike<number>) => (weights: Float64Array) => {
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += weights[i] * x[i];
  return sum / weights.reduce((a, b) => a + b);
};

/** How often, of `trials` data sets of mean 0, the interval holds 0. */
function coverage(trials: number, interval: (trial: number) => Interval): number {
  let held = 0;
  for (let trial = 0; trial < trials; trial++) {
    const { low, high } = interval(trial);
    if (low <= 0 && 0 <= high) held++;
  }
  return held / trials;
}

describe('draws', () => {
  test('each resample has as many clusters as there are, each drawn equally often', () => {
    const draws = drawResamples(10, 4000, new Random(1));
    const totals = new Float64Array(10);
    for (const counts of draws) {
      expect(counts.reduce((a, b) => a + b)).toBe(10);
      counts.forEach((count, i) => {
        totals[i] += count;
      });
    }
    // A count is binomial(10, 1/10): variance 0.9.
    for (const total of totals) expect(Math.abs(total - 4000)).toBeLessThan(5 * Math.sqrt(4000 * 0.9));
  });
});

describe('clusterBootstrap', () => {
  const x = new Float64Array(40);
  new Random(2).fillNormal(x, 1);

  test('the value is the statistic of the data as they are, within the interval', () => {
    const interval = clusterBootstrap({ clusters: 40, statistic: weightedMean(x), random: new Random(3) });
    expect(interval.value).toBeCloseTo(mean(x), 12);
    expect(interval.n).toBe(40);
    expect(interval.low).toBeLessThan(interval.value);
    expect(interval.high).toBeGreaterThan(interval.value);
  });

  test('the same seed gives the same interval, another seed another', () => {
    const run = (seed: number) =>
      clusterBootstrap({ clusters: 40, statistic: weightedMean(x), random: new Random(seed) });
    expect(run(4)).toEqual(run(4));
    expect(run(4).low).not.toBe(run(5).low);
  });

  test('half the width of the mean’s interval is 1.96 standard errors', () => {
    const { low, high } = clusterBootstrap({
      clusters: 40,
      statistic: weightedMean(x),
      resamples: 20_000,
      random: new Random(6),
    });
    const variance = mean(x.map((value) => (value - mean(x)) ** 2));
    expect((high - low) / 2 / (1.96 * Math.sqrt(variance / 40))).toBeCloseTo(1, 1);
  });

  test('the mean’s interval holds the truth in about 95 of 100 data sets', () => {
    const held = coverage(400, (trial) => {
      const data = new Float64Array(60);
      new Random(trial, 'data').fillNormal(data, 1);
      return clusterBootstrap({
        clusters: 60,
        statistic: weightedMean(data),
        resamples: 300,
        random: new Random(trial, 'draws'),
      });
    });
    // Standard error of the coverage: 0.011. The percentile interval of 60 clusters is a little short.
    expect(held).toBeGreaterThan(0.9);
    expect(held).toBeLessThan(0.985);
  });

  test('a level of 0.5 gives a narrower interval than 0.95 on the same draws', () => {
    const draws = drawResamples(40, 500, new Random(7));
    const at = (level: number) =>
      clusterBootstrap({ clusters: 40, statistic: weightedMean(x), level, draws });
    expect(at(0.5).low).toBeGreaterThan(at(0.95).low);
    expect(at(0.5).high).toBeLessThan(at(0.95).high);
  });

  test('draws made before are the draws that would be made', () => {
    const draws = drawResamples(40, 200, new Random(8));
    const shared = clusterBootstrap({ clusters: 40, statistic: weightedMean(x), draws });
    const own = clusterBootstrap({
      clusters: 40,
      statistic: weightedMean(x),
      resamples: 200,
      random: new Random(8),
    });
    expect(shared).toEqual(own);
  });

  test('not identified: one cluster, or a resample without a finite statistic', () => {
    const random = new Random(9);
    expect(clusterBootstrap({ clusters: 1, statistic: () => 5, random })).toEqual({
      value: 5,
      low: NaN,
      high: NaN,
      n: 1,
    });
    // 1 / (times that cluster 0 was drawn) is infinite in about 37 of 100 resamples.
    const interval = clusterBootstrap({ clusters: 5, statistic: (weights) => 1 / weights[0], random });
    expect(interval).toEqual({ value: 1, low: NaN, high: NaN, n: 5 });
  });

  test('draws for another number of clusters are refused', () => {
    const draws = drawResamples(4, 2, new Random(10));
    expect(() => clusterBootstrap({ clusters: 5, statistic: () => 0, draws })).toThrow(
      /4 clusters given for 5/,
    );
  });
});

describe('bootstrapRatio', () => {
  test('a ratio of sums, not a mean of ratios; a constant ratio has no width', () => {
    const options = { numerators: [1, 30], denominators: [1, 10], random: new Random(11) };
    expect(bootstrapRatio(options).value).toBe(31 / 11);
    const constant = bootstrapRatio({
      numerators: [2, 4, 6],
      denominators: [1, 2, 3],
      random: new Random(12),
    });
    expect(constant).toEqual({ value: 2, low: 2, high: 2, n: 3 });
  });

  test('tokens of one document count together: 95 of 100 hold, where tokens drawn singly would not', () => {
    const documents = 50;
    const tokens = 20;
    // Each token's value is its document's plus its own part: correlation 1/2 within a document.
    const data = (trial: number) => {
      const random = new Random(trial, 'clustered');
      return Array.from({ length: documents }, () => {
        const shared = random.normal();
        return Array.from({ length: tokens }, () => shared + random.normal());
      });
    };
    const sum = (values: number[]) => values.reduce((a, b) => a + b, 0);
    const draw = (trial: number) => ({ resamples: 200, random: new Random(trial, 'draws') });
    const byDocument = coverage(200, (trial) => {
      const numerators = data(trial).map(sum);
      return bootstrapRatio({ numerators, denominators: numerators.map(() => tokens), ...draw(trial) });
    });
    const byToken = coverage(50, (trial) => {
      const numerators = data(trial).flat();
      return bootstrapRatio({ numerators, denominators: numerators.map(() => 1), ...draw(trial) });
    });
    expect(byDocument).toBeGreaterThan(0.88);
    expect(byToken).toBeLessThan(0.75);
  });

  test('a sum of denominators that can be 0 is not identified', () => {
    const { value, low } = bootstrapRatio({
      numerators: [1, 1],
      denominators: [0, 1],
      random: new Random(13),
    });
    expect(value).toBe(2);
    expect(low).toBeNaN();
    expect(() => bootstrapRatio({ numerators: [1], denominators: [], random: new Random(14) })).toThrow(
      RangeError,
    );
  });
});

describe('clusterBootstraps', () => {
  test('each statistic has the interval that it has alone, and one that fails spoils no other', () => {
    const x = new Float64Array(30);
    new Random(9).fillNormal(x, 1);
    const draws = drawResamples(30, 200, new Random(10));
    const mean = weightedMean(x);
    const alone = clusterBootstrap({ clusters: 30, statistic: mean, draws });
    const together = clusterBootstraps({
      clusters: 30,
      draws,
      statistics: (weights) => ({ mean: mean(weights), square: mean(weights) ** 2, absent: NaN }),
    });
    expect(together.mean).toEqual(alone);
    expect(together.square.value).toBeCloseTo(alone.value ** 2, 12);
    expect(together.absent).toEqual({ value: NaN, low: NaN, high: NaN, n: 30 });
  });
});
