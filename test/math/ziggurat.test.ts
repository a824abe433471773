import { describe, expect, test } from 'vitest';
import { Random } from '../../src/math/random.ts';
import { NormalStream } from '../../src/math/ziggurat.ts';
import { normalProbability } from './normalProbability.ts';

const N = 1_000_000;
const draws = new Float64Array(N);
new NormalStream(new Random(1, 'normals')).fill(draws);

describe('NormalStream', () => {
  test('as many draws in each interval as a normal has, into the tails beyond the ziggurat', () => {
    // 3.4426 is where the last rectangle ends.
    const positive = [0.1, 0.27, 0.5, 1, 1.5, 2, 2.5, 3, 3.3, 3.4426, 3.8, Infinity];
    const edges = [...positive.map((x) => -x).reverse(), 0, ...positive];
    const cdf = (x: number) => (Number.isFinite(x) ? normalProbability(x) : Number(x > 0));
    const sorted = draws.slice().sort();
    let below = 0;
    let chiSquare = 0;
    for (let e = 1; e < edges.length; e++) {
      let count = 0;
      while (below < N && sorted[below] <= edges[e]) {
        below++;
        count++;
      }
      const expected = N * (cdf(edges[e]) - cdf(edges[e - 1]));
      chiSquare += (count - expected) ** 2 / expected;
    }
    // 24 intervals, 23 degrees of freedom: above 49.7 in 1 of 1,000 seeds.
    expect(below).toBe(N);
    expect(chiSquare).toBeLessThan(49.7);
  });

  test('moments, and no correlation between neighbours', () => {
    let [first, second, third, fourth, neighbours] = [0, 0, 0, 0, 0];
    for (let i = 0; i < N; i++) {
      const x = draws[i];
      first += x / N;
      second += x ** 2 / N;
      third += x ** 3 / N;
      fourth += x ** 4 / N;
      if (i > 0) neighbours += (x * draws[i - 1]) / N;
    }
    // Variances of a draw of each: 1, 2, 15, 96, 1.
    const within = (value: number, expected: number, variance: number) =>
      expect(Math.abs(value - expected)).toBeLessThan(4 * Math.sqrt(variance / N));
    within(first, 0, 1);
    within(second, 1, 2);
    within(third, 0, 15);
    within(fourth, 3, 96);
    within(neighbours, 0, 1);
  });

  test('portions do not matter: the same draws by ones, and only the first `count` are touched', () => {
    const stream = new NormalStream(new Random(1, 'normals'));
    const one = new Float64Array(2).fill(7);
    for (let i = 0; i < 3000; i++) {
      stream.fill(one, 1);
      expect(one[0]).toBe(draws[i]);
    }
    expect(one[1]).toBe(7);
  });
});

describe('Random.fillBits', () => {
  test('draws what uint32 draws, and leaves the stream where that does', () => {
    const [a, b] = [new Random(2, 'bits'), new Random(2, 'bits')];
    const words = new Int32Array(100);
    a.fillBits(words);
    for (const word of words) expect(word >>> 0).toBe(b.uint32());
    expect(a.uint32()).toBe(b.uint32());
  });
});
