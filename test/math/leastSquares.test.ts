import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { leastSquares, leverages } from '../../src/math/leastSquares.ts';

describe('leastSquares', () => {
  it('finds a straight line as the normal equations do, and its leverages', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: -5, max: 5, noNaN: true }), { minLength: 5, maxLength: 12 }),
        (ys) => {
          const n = ys.length;
          const [mx, my] = [(n - 1) / 2, ys.reduce((a, b) => a + b, 0) / n];
          const sxx = ys.reduce((sum, _, x) => sum + (x - mx) ** 2, 0);
          const slope = ys.reduce((sum, y, x) => sum + (x - mx) * (y - my), 0) / sxx;
          const residuals = ([a, b]: readonly number[]) => ys.map((y, x) => a + b * x - y);
          const { parameters } = leastSquares(residuals, [1, 1]);
          expect(parameters[1]).toBeCloseTo(slope, 5);
          expect(parameters[0]).toBeCloseTo(my - slope * mx, 5);
          leverages(residuals, parameters).forEach((h, x) => {
            expect(h).toBeCloseTo(1 / n + (x - mx) ** 2 / sxx, 5);
          });
        },
      ),
    );
  });

  it("comes to the minimum of Rosenbrock's valley", () => {
    const valley = ([x, y]: readonly number[]) => [10 * (y - x * x), 1 - x];
    const { parameters, squares, converged } = leastSquares(valley, [-1.2, 1]);
    expect(converged).toBe(true);
    expect(squares).toBeLessThan(1e-15);
    expect(parameters[0]).toBeCloseTo(1, 6);
    expect(parameters[1]).toBeCloseTo(1, 6);
  });

  it('steps back from where residuals are not finite', () => {
    const { parameters } = leastSquares(([x]) => [Math.log(x) - Math.log(1e-3)], [5]);
    expect(parameters[0]).toBeCloseTo(1e-3, 8);
  });
});
