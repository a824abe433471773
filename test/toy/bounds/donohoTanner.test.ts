import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  fewestDimensions,
  mostActive,
  mostFeatures,
  weakThreshold,
} from '../../../src/toy/bounds/donohoTanner.ts';
import { basisPursuit, recoveryRate } from '../../../src/toy/bounds/recovery.ts';

describe('weakThreshold', () => {
  test('from few dimensions to many', () => {
    const table = [
      [0.5, 0.386, 0.558],
      [0.25, 0.267, 0.365],
      [0.2, 0.243, 0.326],
      [0.1, 0.189, 0.241],
      [0.05, 0.154, 0.189],
      [0.02, 0.123, 0.145],
      [0.01, 0.107, 0.123],
      [0.001, 0.073, 0.081],
    ];
    for (const [delta, signed, nonnegative] of table) {
      expect(Math.abs(weakThreshold(delta, 'signed') - signed)).toBeLessThan(6e-4);
      expect(Math.abs(weakThreshold(delta, 'nonnegative') - nonnegative)).toBeLessThan(6e-4);
    }
  });

  test('no z of a fine grid does better, and the best of the grid is as good', () => {
    const density = (z: number) => Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI);
    const tail = (z: number) => {
      let sum = 0;
      for (let t = z + 5e-4; t < z + 12; t += 1e-3) sum += density(t) * 1e-3;
      return sum;
    };
    for (const delta of [0.02, 0.3, 0.8]) {
      let best = 0;
      for (let z = 0.01; z < 4; z += 0.02) {
        const g = (1 + z * z) * tail(z) - z * density(z);
        best = Math.max(best, (1 - g / delta) / (1 + z * z - g));
      }
      expect(Math.abs(weakThreshold(delta, 'nonnegative') - best)).toBeLessThan(2e-4);
    }
  });

  test('rises with delta to 1, and to know the signs helps', () => {
    fc.assert(
      fc.property(fc.double({ min: 1e-6, max: 0.99, noNaN: true }), (delta) => {
        for (const signs of ['signed', 'nonnegative'] as const)
          expect(weakThreshold(delta * 1.01, signs)).toBeGreaterThan(weakThreshold(delta, signs));
        expect(weakThreshold(delta, 'nonnegative')).toBeGreaterThan(weakThreshold(delta, 'signed'));
      }),
    );
    for (const signs of ['signed', 'nonnegative'] as const) expect(weakThreshold(1, signs)).toBeCloseTo(1, 4);
  });

  test('delta is a share', () => {
    for (const delta of [0, 1.1, NaN]) expect(() => weakThreshold(delta, 'signed')).toThrow(RangeError);
  });
});

describe('the inverse questions', () => {
  test('undo each other', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 10, max: 1000 }),
        fc.double({ min: 0.06, max: 0.9, noNaN: true }),
        fc.constantFrom('signed' as const, 'nonnegative' as const),
        (m, share, signs) => {
          const k = Math.max(1, Math.round(share * m));
          const n = mostFeatures(m, k, signs);
          expect((m * weakThreshold(Math.min(1, m / n), signs)) / k).toBeCloseTo(1, 6);
          // A whole number of features to either side leaves room for k, or does not.
          const [fewer, more] = [Math.floor(n), Math.ceil(n)];
          expect(mostActive(fewer, m, signs)).toBeGreaterThan(k * (1 - 1e-6));
          expect(mostActive(more, m, signs)).toBeLessThan(k * (1 + 1e-6));
          expect(fewestDimensions(fewer, k, signs)).toBeLessThan(m * (1 + 1e-6));
          expect(fewestDimensions(more, k, signs)).toBeGreaterThan(m * (1 - 1e-6));
        },
      ),
      { numRuns: 40 },
    );
  });

  test('as many dimensions as features carry them all; more active features than dimensions cannot be read', () => {
    expect(mostActive(30, 50, 'signed')).toBe(50);
    expect(() => mostFeatures(10, 11, 'signed')).toThrow(
      'k: 11 active features cannot be read in 10 dimensions',
    );
    expect(() => fewestDimensions(10, 11, 'signed')).toThrow('k: 11 features cannot be active of 10');
  });

  test('the rule of thumb: 1.1 to 1.6 k ln(n / k) dimensions', () => {
    for (const [n, k] of [
      [1e4, 20],
      [1e5, 32],
    ]) {
      const unit = k * Math.log(n / k);
      expect(fewestDimensions(n, k, 'nonnegative') / unit).toBeGreaterThan(1.1);
      expect(fewestDimensions(n, k, 'signed') / unit).toBeLessThan(1.6);
    }
  });
});

describe('l1 recovery', () => {
  test('falls from all to none around the threshold, 18.3 of 50 dimensions where nonnegative', () => {
    const rates = [12, 16, 18, 20, 24].map((k) =>
      recoveryRate({ n: 200, m: 50, k, signs: 'nonnegative', trials: 30, seed: 1 }),
    );
    // Of 30 trials a rate is known to about .09.
    [1, 0.8, 0.63, 0.33, 0].forEach((expected, i) => {
      expect(Math.abs(rates[i] - expected)).toBeLessThan(0.2);
    });
  });

  test('with unknown signs half is lost near 13.4 of 50', () => {
    const rate = (k: number) => recoveryRate({ n: 200, m: 50, k, signs: 'signed', trials: 20, seed: 2 });
    expect(rate(10)).toBeGreaterThan(0.8);
    expect(rate(18)).toBeLessThan(0.2);
  });

  test('an orthogonal code is read whatever fires; what no code reaches is not', () => {
    expect(basisPursuit([1, 0, 0, 1], [2, -3], 'signed')).toEqual(Float64Array.of(2, -3));
    expect(basisPursuit([1, 0, 0, 1], [2, -3], 'nonnegative')).toBeUndefined();
    expect(() => basisPursuit([1, 0, 0], [1, 2], 'signed')).toThrow('3 values are not rows of 2');
  });
});
