/**
 * Pictures that stand for themselves: the data that they are drawn from, and the drawing. Colours are custom properties of whatever
 * page shows them, with colours of their own where there is none. It must not know what they are about.
 */
import * as Plot from '@observablehq/plot';
import type { Figure } from '../runs/entrySchema.ts';
import { svgText } from './picture.ts';

/** Of lines and dots, in the order in which they are named. */
export const COLOURS = [
  'var(--accent, #1f5fbf)',
  'var(--null-1, #8a6d1a)',
  'var(--null-2, #777777)',
  'var(--mark-4, #a2396b)',
  'var(--mark-5, #2e7d4f)',
];

/** From one name of a legend to the next. */
const LINE = 14;

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
  const svg = svgText(caption, {
    width: 640,
    height: 360,
    marginTop: 24,
    marginLeft: 56,
    marginBottom: 40,
    ...options,
    x: legibleTicks(options.x),
    y: legibleTicks(options.y),
    marks: [...(options.marks ?? []), ...legend(options.color)],
  });
  return { name, caption, data: stored, svg };
}

/** Plot writes 100m for .1 on a logarithmic axis. */
function legibleTicks(scale: Plot.ScaleOptions | undefined): Plot.ScaleOptions {
  return scale?.type === 'log' ? { tickFormat: '~g', ...scale } : { ...scale };
}

/** The names of the colours, each in its own: Plot's own legend is no part of the SVG. */
function legend({ domain, range }: Plot.ScaleOptions = {}): Plot.Markish[] {
  if (domain === undefined || !Array.isArray(range)) return [];
  return Array.from(domain as Iterable<string>, (name, i) =>
    Plot.text([name], {
      text: [name],
      fill: range[i % range.length] as string,
      frameAnchor: 'top-right',
      dy: LINE * i,
      stroke: 'var(--background, #ffffff)',
      strokeWidth: 3,
    }),
  );
}
