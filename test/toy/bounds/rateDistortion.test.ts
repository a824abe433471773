import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  amplitudeBits,
  capacityBits,
  dimensionsForBits,
  firingBits,
  gaussianBits,
  linearCodeError,
  sparseBits,
  supportBits,
} from '../../../src/toy/bounds/rateDistortion.ts';

describe('supports', () => {
  test('log2 C(n, k) by Pascal’s triangle', () => {
    let row = [1n];
    for (let n = 0; n <= 60; n++) {
      row.forEach((count, k) => {
        expect(supportBits(n, k)).toBeCloseTo(Math.log2(Number(count)), 9);
      });
      row = [1n, ...row.slice(1).map((count, k) => count + row[k]), 1n];
    }
  });

  test('a known k saves at most log2(n + 1) bits of n H(k / n)', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 3000 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (n, share) => {
          const k = Math.round(share * n);
          const independent = firingBits(new Float64Array(n).fill(k / n));
          expect(supportBits(n, k)).toBeLessThanOrEqual(independent + 1e-6);
          expect(supportBits(n, k)).toBeGreaterThanOrEqual(independent - Math.log2(n + 1) - 1e-6);
        },
      ),
    );
  });

  test('refuses what is no support', () => {
    expect(() => supportBits(3, 4)).toThrow('not 4 of 3');
  });
});

describe('amplitudes and capacity', () => {
  test('a bit halves the error’s root, and one dimension at SNR 3 carries it', () => {
    expect(amplitudeBits(4, 1)).toBe(1);
    expect(amplitudeBits(1, 2)).toBe(0);
    expect(capacityBits(1, 3)).toBe(1);
    expect(dimensionsForBits(supportBits(100, 5), 3)).toBeCloseTo(supportBits(100, 5), 12);
  });

  test('a normal source over a Gaussian channel: as many dimensions as it has numbers, at the SNR that it asks for', () => {
    // Distortion D of variance 1 needs log2(1 / D) / 2 bits; a channel of SNR 1 / D - 1 carries just these.
    for (const distortion of [0.5, 0.1, 0.01])
      expect(capacityBits(7, 1 / distortion - 1)).toBeCloseTo(7 * amplitudeBits(1, distortion), 10);
  });

  test('features that always fire need only their amplitudes; those that never do need nothing', () => {
    expect(sparseBits([1, 1], [4, 16], 1)).toBe(3);
    expect(sparseBits([0, 0], [4, 16], 1)).toBe(0);
    expect(sparseBits([0.5], [4], 1)).toBeCloseTo(1.5, 12);
    expect(() => sparseBits([1], [1, 2], 1)).toThrow('2 variances were given for 1 probabilities');
  });

  test('what is no variance, distortion or SNR is refused', () => {
    expect(() => amplitudeBits(-1, 1)).toThrow(RangeError);
    expect(() => amplitudeBits(1, 0)).toThrow(RangeError);
    expect(() => capacityBits(1, -1)).toThrow(RangeError);
    expect(() => gaussianBits([1], 0)).toThrow(RangeError);
  });
});

describe('the linear end', () => {
  test('equal variances: the share of dimensions that is missing', () => {
    expect(linearCodeError(new Float64Array(20).fill(3), 5)).toBeCloseTo(0.75, 12);
    expect(linearCodeError([1, 9, 2], 1)).toBeCloseTo(3 / 12, 12);
    expect(linearCodeError([1, 2], 2)).toBe(0);
  });

  test('water-filling: the level spares what lies below it, and the distortion is used up', () => {
    // Level 1: errors 1, 1 and .25; bits 1 and 2.
    expect(gaussianBits([4, 16, 0.25], 2.25)).toBeCloseTo(3, 9);
    expect(gaussianBits([4, 16, 0.25], 20.25)).toBeCloseTo(0, 12);
  });

  test('sparse codes need fewer bits than Gaussian ones when features are rare, and the gap grows as they get rarer', () => {
    const gap = (p: number) => {
      const n = 1000;
      const variances = new Float64Array(n).fill(1);
      const probabilities = new Float64Array(n).fill(p);
      // One error of .01 for each feature that fires, the same error in all.
      const dense = gaussianBits(new Float64Array(n).fill(p), n * p * 0.01);
      return dense / sparseBits(probabilities, variances, 0.01);
    };
    expect(gap(0.01)).toBeGreaterThan(5);
    expect(gap(0.001)).toBeGreaterThan(gap(0.01));
  });
});
