/**
 * The pictures of experiments: the data that they are drawn from, and the drawing. Colours are custom properties of whatever
 * page shows them, with colours of their own where there is none. It must not know what any experiment is about.
 */
import type * as Plot from '@observablehq/plot';
import { svgText } from '../report/picture.ts';
import type { Figure } from '../runs/entry.ts';

/** Of lines and dots, in the order in which they are named. */
export const COLOURS = [
  'var(--accent, #1f5fbf)',
  'var(--null-1, #8a6d1a)',
  'var(--null-2, #777777)',
  'var(--mark-4, #a2396b)',
  'var(--mark-5, #2e7d4f)',
];

/** `options` are Plot's; `data` are the records that its marks were made from. Numbers that are not finite become null. */
export function figure(
  name: string,
  caption: string,
  data: readonly Record<string, number | string | boolean>[],
  options: Plot.PlotOptions,
): Figure {
  const stored = data.map((row) =>
    Object.fromEntries(
      Object.entries(row).map(([key, value]) => [
        key,
        typeof value === 'number' && !Number.isFinite(value) ? null : value,
      ]),
    ),
  );
  const svg = svgText(caption, { width: 640, height: 360, marginLeft: 56, marginBottom: 40, ...options });
  return { name, caption, data: stored, svg };
}
