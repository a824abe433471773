/** Student's t against printed tables, a closed form, and its own definition by simulation. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Random } from '../../src/math/random.ts';
import { studentInterval, studentQuantile } from '../../src/math/student.ts';

describe('studentQuantile', () => {
  it.each([
    [0.975, 1, 12.7062],
    [0.975, 2, 4.3027],
    [0.975, 3, 3.1824],
    [0.975, 4, 2.7764],
    [0.975, 9, 2.2622],
    [0.95, 7, 1.8946],
    [0.995, 30, 2.75],
    [0.9, 120, 1.2886],
  ])('at %f with %i degrees is %f, as in printed tables', (probability, degrees, printed) => {
    expect(studentQuantile(probability, degrees)).toBeCloseTo(printed, 4);
  });

  it('with one degree is the tangent of Cauchy', () => {
    fc.assert(
      fc.property(fc.double({ min: 0.51, max: 0.999, noNaN: true }), (p) => {
        expect(studentQuantile(p, 1)).toBeCloseTo(Math.tan(Math.PI * (p - 0.5)), 6);
      }),
    );
  });

  it('is odd about one half, and grows with the probability', () => {
    const p = fc.double({ min: 0.5, max: 0.99, noNaN: true });
    fc.assert(
      fc.property(p, p, fc.integer({ min: 1, max: 50 }), (a, b, degrees) => {
        expect(studentQuantile(1 - a, degrees)).toBeCloseTo(-studentQuantile(a, degrees), 9);
        if (a < b - 1e-9)
          expect(studentQuantile(a, degrees)).toBeLessThanOrEqual(studentQuantile(b, degrees));
      }),
    );
  });

  it('refuses what is no probability and no number of degrees', () => {
    expect(() => studentQuantile(1, 3)).toThrow(/in \(0, 1\)/);
    expect(() => studentQuantile(0.9, 0)).toThrow(/degrees/);
  });
});

describe('studentInterval', () => {
  it('holds the true mean of normals in 95 of 100 cases', () => {
    const random = new Random(1, 'student');
    const trials = 4000;
    let held = 0;
    for (let t = 0; t < trials; t++) {
      const { low, high } = studentInterval(Array.from({ length: 4 }, () => 3 + 2 * random.normal()));
      if (low <= 3 && 3 <= high) held++;
    }
    expect(held / trials).toBeGreaterThan(0.938);
    expect(held / trials).toBeLessThan(0.962);
  });

  it('has no ends with one value, and no value with none', () => {
    expect(studentInterval([2])).toEqual({ value: 2, low: NaN, high: NaN });
    expect(studentInterval([]).value).toBeNaN();
  });
});
