import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Random, xoshiro128StarStar } from '../../src/math/random.ts';

/** Pearson's statistic of counts that should be equal: mean `bins - 1`, variance `2 (bins - 1)`. */
function chiSquared(counts: ArrayLike<number>): number {
  const list = Array.from(counts);
  const expected = list.reduce((a, b) => a + b, 0) / list.length;
  return list.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
}

/** Five standard deviations above its mean. */
const chiSquaredLimit = (bins: number) => bins - 1 + 5 * Math.sqrt(2 * (bins - 1));

const draw = (random: Random, n: number) => Array.from({ length: n }, () => random.uint32());

describe('the generator', () => {
  test('gives the published sequence', () => {
    // The authors' xoshiro128starstar.c from the state 1, 2, 3, 4; also the test vector of Rust's rand_xoshiro.
    const state = Int32Array.of(1, 2, 3, 4);
    const expected = [
      11520, 0, 5927040, 70819200, 2031721883, 1637235492, 1287239034, 3734860849, 3729100597, 4258142804,
    ];
    expect(expected.map(() => xoshiro128StarStar(state))).toEqual(expected);
  });
});

describe('streams', () => {
  test('the same name gives the same numbers, any other name gives others', () => {
    const names: [number, ...string[]][] = [
      [0],
      [1],
      [0, 'a'],
      [0, 'b'],
      [0, 'a', 'b'],
      [0, 'ab'],
      [0, 'a,b'],
      [-1],
    ];
    const streams = names.map((name) => draw(new Random(...name), 4).join());
    expect(new Set(streams).size).toBe(names.length);
    expect(names.map((name) => draw(new Random(...name), 4).join())).toEqual(streams);
  });

  test('streams of neighbouring seeds are not correlated', () => {
    const n = 20_000;
    const [a, b] = [new Random(1, 'x'), new Random(2, 'x')];
    let sum = 0;
    for (let i = 0; i < n; i++) sum += (a.uniform() - 0.5) * (b.uniform() - 0.5);
    // The product has standard deviation 1/12.
    expect(Math.abs(sum / n)).toBeLessThan(5 / 12 / Math.sqrt(n));
  });

  test('a seed that is not a whole number is refused', () => {
    expect(() => new Random(0.5)).toThrow(RangeError);
    expect(() => new Random(NaN)).toThrow(RangeError);
  });

  test('the numbers of a seed stay the same from version to version', () => {
    const random = new Random(0, 'fixed');
    expect([random.uint32(), random.uniform(), random.normal(), random.below(10)]).toMatchInlineSnapshot(`
      [
        1750413224,
        0.4158374482158044,
        -0.476465331819349,
        0,
      ]
    `);
  });
});

describe('distributions', () => {
  test('uniform: in [0, 1), flat, and fine enough to use 53 bits', () => {
    const random = new Random(3);
    const counts = new Uint32Array(64);
    let fine = 0;
    for (let i = 0; i < 64_000; i++) {
      const u = random.uniform();
      counts[Math.floor(u * 64)]++;
      if ((u * 2 ** 53) % 2 === 1) fine++;
    }
    expect(counts.length).toBe(64);
    expect(counts.reduce((a, b) => a + b)).toBe(64_000);
    expect(chiSquared(counts)).toBeLessThan(chiSquaredLimit(64));
    expect(Math.abs(fine / 64_000 - 0.5)).toBeLessThan((5 * 0.5) / Math.sqrt(64_000));
  });

  test('uniformFloat32: exact in float32, below 1, flat', () => {
    const random = new Random(4);
    const counts = new Uint32Array(64);
    for (let i = 0; i < 64_000; i++) {
      const u = random.uniformFloat32();
      if (Math.fround(u) !== u || u < 0 || u >= 1) expect.fail(`${u}`);
      counts[Math.floor(u * 64)]++;
    }
    expect(chiSquared(counts)).toBeLessThan(chiSquaredLimit(64));
  });

  test('below: every number equally often, also where n is far from a power of 2', () => {
    const random = new Random(5);
    const counts = new Uint32Array(7);
    for (let i = 0; i < 70_000; i++) counts[random.below(7)]++;
    expect(chiSquared(counts)).toBeLessThan(chiSquaredLimit(7));

    // 2^32 mod (3 * 2^30) leaves 2^30 numbers, which a plain remainder would favour two to one.
    const n = 3 * 2 ** 30;
    const thirds = new Uint32Array(3);
    for (let i = 0; i < 30_000; i++) thirds[Math.floor(random.below(n) / 2 ** 30)]++;
    expect(chiSquared(thirds)).toBeLessThan(chiSquaredLimit(3));

    expect(random.below(1)).toBe(0);
    for (const bad of [0, -1, 1.5, 2 ** 32 + 1, NaN]) expect(() => random.below(bad)).toThrow(RangeError);
  });

  test('normal: the moments, the tails, and no correlation of neighbours', () => {
    const n = 200_000;
    const x = new Float64Array(n);
    new Random(6).fillNormal(x, 1);
    const moment = (k: number) => x.reduce((sum, value) => sum + value ** k, 0) / n;
    const root = Math.sqrt(n);
    // The variance of x^k is E x^2k - (E x^k)^2: 1, 2, 15, 96.
    expect(Math.abs(moment(1))).toBeLessThan(5 / root);
    expect(Math.abs(moment(2) - 1)).toBeLessThan((5 * Math.sqrt(2)) / root);
    expect(Math.abs(moment(3))).toBeLessThan((5 * Math.sqrt(15)) / root);
    expect(Math.abs(moment(4) - 3)).toBeLessThan((5 * Math.sqrt(96)) / root);
    const beyond = x.filter((value) => Math.abs(value) > 1.959963984540054).length / n;
    expect(Math.abs(beyond - 0.05)).toBeLessThan((5 * Math.sqrt(0.05 * 0.95)) / root);
    let lag = 0;
    for (let i = 1; i < n; i++) lag += x[i] * x[i - 1];
    expect(Math.abs(lag / n)).toBeLessThan(5 / root);
  });

  test('fillNormal gives the draws of normal, however many, and leaves the stream where they do', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.nat(5), fc.nat(3000)), { maxLength: 6 }), fc.nat(), (counts, seed) => {
        const [filled, drawn] = [new Random(seed), new Random(seed)];
        for (const count of counts) {
          const array = new Float64Array(count);
          filled.fillNormal(array, 0.3);
          expect(array).toEqual(Float64Array.from(array, () => 0.3 * drawn.normal()));
          expect(filled.normal()).toBe(drawn.normal());
          expect(filled.uint32()).toBe(drawn.uint32());
        }
      }),
    );
  });

  test('fillNormal scales by sd', () => {
    const [unit, scaled] = [new Float64Array(9), new Float64Array(9)];
    new Random(7).fillNormal(unit, 1);
    new Random(7).fillNormal(scaled, 0.02);
    expect(scaled).toEqual(unit.map((x) => 0.02 * x));
  });
});

describe('order', () => {
  test('all 24 orders of 4 things are equally likely', () => {
    const random = new Random(8);
    const counts = new Map<string, number>();
    for (let i = 0; i < 24_000; i++) {
      const order = random.permutation(4).join();
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect(counts.size).toBe(24);
    expect(chiSquared([...counts.values()])).toBeLessThan(chiSquaredLimit(24));
  });

  test('a permutation has each number once; a shuffle keeps the elements', () => {
    const random = new Random(9);
    for (const n of [0, 1, 2, 1000]) {
      expect([...random.permutation(n)].sort((a, b) => a - b)).toEqual(
        Array.from({ length: n }, (_, i) => i),
      );
    }
    const words = ['a', 'b', 'c', 'd'];
    random.shuffle(words);
    expect([...words].sort()).toEqual(['a', 'b', 'c', 'd']);
  });
});
