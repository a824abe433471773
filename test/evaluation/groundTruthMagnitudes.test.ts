import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { magnitudeScores, sumMagnitudes } from '../../src/evaluation/groundTruthMagnitudes.ts';
import { Random } from '../../src/math/random.ts';
import { once, sparse } from './sparse.ts';

/** One feature of the given amplitudes, and what its latent, with a decoder row of length `norm`, makes of them; 0 is silence. */
function score(amplitudes: number[], activations: number[], norm = 1) {
  const one = (values: number[]) => sparse(values.map((value) => (value === 0 ? [] : [[0, value]])));
  const options = {
    codes: one(activations),
    labels: one(amplitudes),
    features: 1,
    pairedFeature: Int32Array.of(0),
  };
  return magnitudeScores(sumMagnitudes({ ...options, norms: [norm] }, 1), once(1));
}

describe('magnitudes', () => {
  test('a latent that follows its feature, whatever the length of its row', () => {
    const { slope, r2, shrinkage, mean } = score([1, 2, 3], [0.5, 1, 1.5], 2);
    expect([slope[0], r2[0], shrinkage[0]]).toEqual([1, 1, 0].map((value) => expect.closeTo(value, 6)));
    expect(mean.slope).toBe(slope[0]);
  });

  test('an L1 penalty takes a constant off: a slope of 1 and a share missing', () => {
    const { slope, r2, shrinkage } = score([1, 2, 3], [0.7, 1.7, 2.7]);
    expect(slope[0]).toBeCloseTo(1, 6);
    expect(r2[0]).toBeCloseTo(1, 6);
    expect(shrinkage[0]).toBeCloseTo(0.9 / 6, 6);
  });

  test('only samples in which both fire count', () => {
    const alone = score([1, 2, 3], [1, 2, 4]);
    const among = score([1, 0, 2, 5, 3], [1, 9, 2, 0, 4]);
    expect(among).toEqual(alone);
  });

  test('against the textbook formulas, over any cut into blocks and any weights', () => {
    const positive = fc.double({ min: 0.1, max: 5, noNaN: true }).map(Math.fround);
    fc.assert(
      fc.property(
        fc.array(fc.tuple(positive, positive), { minLength: 4, maxLength: 40 }),
        fc.integer({ min: 1, max: 4 }),
        fc.infiniteStream(fc.integer({ min: 0, max: 3 })),
        (pairs, blocks, stream) => {
          const weights = Float64Array.from({ length: blocks }, () => stream.next().value as number);
          const one = (of: 0 | 1) => sparse(pairs.map((pair) => [[0, pair[of]]]));
          const pairedFeature = Int32Array.of(0);
          const sums = sumMagnitudes(
            { codes: one(1), labels: one(0), features: 1, pairedFeature, norms: [1] },
            blocks,
          );
          const drawn = pairs.flatMap((pair, row) =>
            Array.from({ length: weights[Math.floor((row * blocks) / pairs.length)] }, () => pair),
          );
          const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
          const [a, c] = [0, 1].map((of) => mean(drawn.map((pair) => pair[of])));
          const cov = (i: number, j: number, mi: number, mj: number) =>
            mean(drawn.map((pair) => (pair[i] - mi) * (pair[j] - mj)));
          const { slope, r2, shrinkage } = magnitudeScores(sums, weights);
          if (drawn.length === 0) expect(shrinkage[0]).toBeNaN();
          else expect(shrinkage[0]).toBeCloseTo(1 - c / a, 8);
          const [va, vc] = [cov(0, 0, a, a), cov(1, 1, c, c)];
          if (va > 1e-4 && vc > 1e-4) {
            expect(slope[0]).toBeCloseTo(cov(0, 1, a, c) / va, 5);
            expect(r2[0]).toBeCloseTo(cov(0, 1, a, c) ** 2 / (va * vc), 5);
          }
        },
      ),
    );
  });

  test('noise lowers R^2 by its share of the variance', () => {
    const random = new Random(1, 'noise');
    const a = Array.from({ length: 5000 }, () => 2 + 0.3 * random.normal());
    const c = a.map((value) => value + 0.3 * random.normal());
    const { slope, r2 } = score(a, c);
    expect(Math.abs(slope[0] - 1)).toBeLessThan(0.06);
    expect(Math.abs(r2[0] - 0.5)).toBeLessThan(0.04);
  });

  test('no spread, no slope; no latent, nothing at all', () => {
    const constant = score([2, 2, 2], [1, 1, 1]);
    expect([constant.slope[0], constant.r2[0], constant.shrinkage[0]]).toEqual([NaN, NaN, 0.5]);
    const options = { codes: sparse([[0]]), labels: sparse([[0]]), features: 1, norms: [1] };
    const none = magnitudeScores(sumMagnitudes({ ...options, pairedFeature: Int32Array.of(-1) }, 1), once(1));
    expect(none.mean.shrinkage).toBeNaN();
    const twoRows = { ...options, codes: sparse([[0], []]), pairedFeature: Int32Array.of(0) };
    expect(() => sumMagnitudes(twoRows, 1)).toThrow('2 rows were given for labels of 1');
  });
});
