/** Where a finding's interval, its prediction and its null stand on one line from 0 to 1. It must not know how they are drawn. */
import type { Finding } from '../../../src/runs/entrySchema.ts';

export interface RangePlot {
  readonly value: number;
  readonly interval?: readonly [number, number];
  /** To an end of the line where that side is open. */
  readonly predicted?: readonly [number, number];
  readonly null?: number;
}

const MARGIN = 0.12;

/** Undefined where the finding has no value. */
export function rangePlot(finding: Finding): RangePlot | undefined {
  const { value, low, high, predicted, null: nothing } = finding;
  if (value === null) return undefined;
  const ends = [value, low, high, predicted?.low, predicted?.high, nothing?.value].filter(
    (end): end is number => typeof end === 'number',
  );
  const [least, most] = [Math.min(...ends), Math.max(...ends)];
  const span = most - least || Math.abs(most) || 1;
  const place = (x: number) => (x - least + MARGIN * span) / ((1 + 2 * MARGIN) * span);
  return {
    value: place(value),
    interval: low === null || high === null ? undefined : [place(low), place(high)],
    predicted: predicted && [
      predicted.low === undefined ? 0 : place(predicted.low),
      predicted.high === undefined ? 1 : place(predicted.high),
    ],
    null: typeof nothing?.value === 'number' ? place(nothing.value) : undefined,
  };
}
