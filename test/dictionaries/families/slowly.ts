/**
 * Slopes of a loss that a test has written out in float64, for families whose gradient is not the slope of what they
 * report: one that freezes a decoder, or that lets a gradient through a step.
 */
import { expect } from 'vitest';

const STEP = 1e-5;

/**
 * Expects `gradient` to be the slope of `loss` at `values`, wherever that has one: for most elements, where a step to
 * neither side changes which latents fire.
 */
export function expectSlope(
  name: string,
  values: Float64Array,
  gradient: ArrayLike<number>,
  loss: (values: Float64Array) => number,
): void {
  const here = loss(values);
  const at = (i: number, value: number) => {
    const moved = values.slice();
    moved[i] = value;
    return loss(moved);
  };
  let checked = 0;
  for (let i = 0; i < values.length; i++) {
    const forward = (at(i, values[i] + STEP) - here) / STEP;
    const backward = (here - at(i, values[i] - STEP)) / STEP;
    if (Math.abs(forward - backward) > 1e-2 * (1 + Math.abs(forward))) continue;
    const slope = (forward + backward) / 2;
    expect(Math.abs(gradient[i] - slope), `${name}[${i}]: ${gradient[i]}, not ${slope}`).toBeLessThan(
      1e-4 * (1 + Math.abs(slope)),
    );
    checked++;
  }
  expect(checked, `smooth elements of ${name}`).toBeGreaterThan(0.9 * values.length);
}
