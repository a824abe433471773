import { describe, expect, test } from 'vitest';
import { loadBackend } from '../../src/kernels/index.ts';
import { createReferenceBackend } from '../../src/kernels/reference.ts';
import { Random } from '../../src/math/random.ts';
import { additiveDistribution } from '../../src/toy/additive.ts';
import { CIRCLE, curveFirings, pointOn, randomCurve } from '../../src/toy/manifolds.ts';
import { expectFrequencies, expectShare } from './worlds.ts';

const COUNT = 40_000;
/** A plain feature, a circle of seven points, a whole circle, a curve in three dimensions: 1 + 2 + 2 + 3 axes. */
const law = curveFirings({
  probabilities: [0.5, 0.4, 0.3, 0.2],
  points: [0, 7, 'all', 'all'],
  amplitudes: { kind: 'uniform', low: 1, high: 2 },
});
const curves = [undefined, CIRCLE, CIRCLE, randomCurve(3, 4, new Random(1, 'curve'))];
const width = 8;
const world = additiveDistribution({
  law,
  width,
  directions: Float32Array.from({ length: width * width }, (_, at) => (at % (width + 1) === 0 ? 1 : 0)),
  curves,
  seed: 1,
});

describe('features of several dimensions', () => {
  test('x is, along the axes of each, the amplitude times the point where it stands', async () => {
    const { x, labels, positions } = await world.draw(createReferenceBackend(), 0, 500);
    expect([...world.firstDirection]).toEqual([0, 1, 3, 5, 8]);
    const expected = new Float64Array(x.length);
    for (let row = 0; row < 500; row++) {
      for (let e = labels.offsets[row]; e < labels.offsets[row + 1]; e++) {
        const [feature, a, turn] = [labels.indices[e], labels.values[e], 2 * Math.PI * positions![e]];
        const at = row * width + world.firstDirection[feature];
        if (feature === 0) expected[at] = a;
        else if (feature < 3) [expected[at], expected[at + 1]] = [a * Math.cos(turn), a * Math.sin(turn)];
        else
          for (const [c, point] of pointOn(curves[3]!, positions![e]).entries()) expected[at + c] = a * point;
      }
    }
    for (let i = 0; i < x.length; i++) expect(Math.abs(x[i] - expected[i])).toBeLessThan(1e-5);
  });

  test('positions are even on the points, or on the whole curve, and 0 where there is none', async () => {
    const { labels, positions } = await world.draw(loadBackend(), 0, COUNT);
    expectFrequencies(labels, law);
    const [sevenths, tenths] = [new Float64Array(7), new Float64Array(10)];
    labels.indices.forEach((feature, e) => {
      const t = positions![e];
      expect(t >= 0 && t < 1).toBe(true);
      if (feature === 0) expect(t).toBe(0);
      if (feature === 1) {
        expect(t).toBe(Math.fround(Math.round(7 * t) / 7));
        sevenths[Math.round(7 * t)]++;
      }
      if (feature === 2) tenths[Math.floor(10 * t)]++;
    });
    const shares = (counts: Float64Array) => {
      const total = counts.reduce((sum, n) => sum + n, 0);
      for (const n of counts) expectShare(n / total, 1 / counts.length, total);
    };
    shares(sevenths);
    shares(tenths);
  });

  test('random curves are closed, around 0, of mean square 1', () => {
    const curve = curves[3]!;
    let [square, n] = [0, 1000];
    const middle = new Float64Array(3);
    for (let i = 0; i < n; i++) {
      for (const [c, point] of pointOn(curve, i / n).entries()) {
        square += (point * point) / n;
        middle[c] += point / n;
      }
    }
    expect(square).toBeCloseTo(1, 10);
    for (const c of middle) expect(c).toBeCloseTo(0, 10);
    pointOn(curve, 1).forEach((point, c) => {
      expect(point).toBeCloseTo(pointOn(curve, 0)[c], 10);
    });
  });

  test('points that are no numbers of points are refused', () => {
    const options = { probabilities: [0.5], amplitudes: { kind: 'constant', value: 1 } as const };
    expect(() => curveFirings({ ...options, points: [1.5] })).toThrow(/points of feature 0: 1.5/);
    expect(() => curveFirings({ ...options, points: [] })).toThrow(/0 were given for 1 features/);
  });
});
