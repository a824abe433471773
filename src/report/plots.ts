/**
 * The pictures of a run, for the report and for the pages. Colours are the page's custom properties, so that one picture serves
 * light and dark. It must not know what draws them.
 */

import * as Plot from '@observablehq/plot';
import type { Density, Interval, MetricsLine } from '../runs/schema.ts';
import { powerOfTen, scaled } from './numbers.ts';
import { DENSE_FREQUENCY, evenly } from './sample.ts';

/** The line of the run's own dictionary, then those of the nulls in their order. */
export const LINES = [
  { stroke: 'var(--accent)', dash: undefined },
  { stroke: 'var(--null-1)', dash: '5 2.5' },
  { stroke: 'var(--null-2)', dash: '1.5 2.5' },
];

/** More points than this do not show in a picture of its width. */
const MOST_POINTS = 400;

/** What Observable Plot draws, and what it is called. */
export interface Picture {
  readonly title: string;
  readonly options: Plot.PlotOptions;
}

const FRAME = { width: 420, height: 190, marginLeft: 46, marginRight: 14, marginTop: 14, marginBottom: 34 };

function curve(title: string, y: Plot.ScaleOptions, marks: Plot.Markish[]): Picture {
  const options = {
    ...FRAME,
    x: { label: 'tokens', labelArrow: 'none', ticks: 4, tickFormat: scaled },
    y: { label: null, grid: true, ticks: 4, labelArrow: 'none', ...y },
    marks,
  } as const;
  return { title, options };
}

type Point = { tokens: number; y: number };

function points(lines: readonly MetricsLine[], value: (line: MetricsLine) => number | undefined): Point[] {
  const all = lines.flatMap((line) => {
    const y = value(line);
    return y === undefined ? [] : [{ tokens: line.tokens, y }];
  });
  return all.length > MOST_POINTS ? [...evenly(all, MOST_POINTS - 1), all[all.length - 1]] : all;
}

function path(data: Point[], stroke: string, strokeWidth = 1.5): Plot.Markish {
  return Plot.line(data, { x: 'tokens', y: 'y', stroke, strokeWidth });
}

/** FVU on the training batches and on the validation documents, on a logarithmic axis, against tokens. */
export function fvuCurve(lines: readonly MetricsLine[]): Picture {
  const positive = (value: number | undefined) => (value !== undefined && value > 0 ? value : undefined);
  const training = points(lines, (line) => positive(line.fvu));
  const validation = points(lines, (line) => positive(line.validationFvu));
  return curve('Fraction of variance unexplained against tokens', logScale([...training, ...validation]), [
    path(training, 'var(--null-1)', 1.2),
    path(validation, 'var(--accent)', 2),
    Plot.dot(validation, {
      x: 'tokens',
      y: 'y',
      r: validation.length > 40 ? 0 : 2.2,
      fill: 'var(--accent)',
    }),
  ]);
}

/** A logarithmic axis from the last of 1, 2, 5, 10, ... at or below the data, with a tick at each of these. */
function logScale(data: readonly Point[]): Plot.ScaleOptions {
  const values = data.map(({ y }) => y);
  const [least, most] = [Math.min(1, ...values), Math.max(0.1, ...values)];
  const decades = wholeNumbers(Math.log10(least) - 1, Math.log10(most) + 1);
  const steps = decades.flatMap((decade) => [1, 2, 5].map((digit) => Number(`${digit}e${decade}`)));
  const ticks = steps.filter((tick, i) => tick <= most && (i + 1 === steps.length || steps[i + 1] > least));
  return {
    type: 'log',
    domain: [Math.min(ticks[0], least), Math.max(most, ticks[0] * 2)],
    ticks,
    tickFormat: '~g',
  };
}

/** One quantity of the training log against tokens, from zero. */
export function trainingCurve(
  title: string,
  lines: readonly MetricsLine[],
  value: (line: MetricsLine) => number,
): Picture {
  return curve(title, { zero: true, tickFormat: axisNumber }, [path(points(lines, value), 'var(--accent)')]);
}

function axisNumber(value: number): string {
  if (value === 0) return '0';
  return value < 0.01 ? String(Number(value.toPrecision(2))).replace('e-', 'e−') : scaled(value);
}

/** Histograms of firing frequency on one axis: the run's own dictionary filled, the nulls as outlines. */
export function densityHistogram({ edges, dictionaries }: Density): Picture {
  const outlines = dictionaries.map(({ counts }) => outline(edges, counts));
  const dense = Math.log10(DENSE_FREQUENCY);
  const title = 'Histogram of the firing frequency of latents, this dictionary and the nulls';
  const options: Plot.PlotOptions = {
    width: 880,
    height: 260,
    marginLeft: 46,
    marginRight: 14,
    marginTop: 22,
    marginBottom: 36,
    x: {
      label: 'firing frequency (share of tokens)',
      labelArrow: 'none',
      domain: [edges[0], edges[edges.length - 1]],
      ticks: wholeNumbers(edges[0], edges[edges.length - 1]),
      tickFormat: powerOfTen,
    },
    y: { label: 'latents', labelArrow: 'none', grid: true, ticks: 5, tickFormat: scaled, zero: true },
    marks: [
      Plot.rect(
        dictionaries[0].counts.map((count, i) => ({ x1: edges[i], x2: edges[i + 1], y1: 0, y2: count })),
        { x1: 'x1', x2: 'x2', y1: 'y1', y2: 'y2', fill: 'var(--accent)', fillOpacity: 0.16, inset: 0 },
      ),
      ...outlines
        .map((points, i) => {
          const { stroke, dash } = LINES[Math.min(i, LINES.length - 1)];
          return Plot.line(points, { x: '0', y: '1', stroke, strokeWidth: 1.6, strokeDasharray: dash });
        })
        .reverse(),
      ...(edges[0] < dense && dense < edges[edges.length - 1]
        ? [
            Plot.ruleX([dense], { stroke: 'currentColor', strokeOpacity: 0.35 }),
            Plot.text([dense], {
              x: (value: number) => value,
              frameAnchor: 'top',
              text: () => 'dense →',
              textAnchor: 'start',
              dx: 4,
              dy: -14,
              fillOpacity: 0.7,
            }),
          ]
        : []),
      Plot.ruleY([0], { strokeOpacity: 0.5 }),
    ],
  };
  return { title, options };
}

function outline(edges: readonly number[], counts: readonly number[]): [number, number][] {
  const steps = counts.flatMap((count, i): [number, number][] => [
    [edges[i], count],
    [edges[i + 1], count],
  ]);
  return [[edges[0], 0], ...steps, [edges[edges.length - 1], 0]];
}

function wholeNumbers(from: number, to: number): number[] {
  const first = Math.ceil(from);
  return Array.from({ length: Math.max(0, Math.floor(to) - first + 1) }, (_, i) => first + i);
}

/** A value with its interval, and the nulls with theirs below it, on a common axis; what is not identified is left out. */
export function intervalStrip(title: string, own: Interval, nulls: readonly Interval[]): Picture | undefined {
  const rows = [own, ...nulls]
    .map((interval, row) => ({ ...interval, row, stroke: LINES[Math.min(row, LINES.length - 1)].stroke }))
    .filter((interval) => interval.value !== null);
  if (rows.length === 0) return undefined;
  const ends = rows.flatMap(({ value, low, high }) => [value!, low ?? value!, high ?? value!]);
  const [least, most] = [Math.min(...ends), Math.max(...ends)];
  const padding = (most - least || Math.abs(most) || 1) * 0.06;
  const options: Plot.PlotOptions = {
    width: 170,
    height: 12 + 11 * nulls.length,
    margin: 0,
    insetLeft: 4,
    insetRight: 4,
    x: { axis: null, domain: [least - padding, most + padding] },
    y: { axis: null, type: 'linear', domain: [nulls.length + 0.5, -0.5] },
    marks: [
      Plot.ruleY(rows, { y: 'row', stroke: 'currentColor', strokeOpacity: 0.12 }),
      Plot.ruleY(
        rows.filter(({ low }) => low !== null),
        { y: 'row', x1: 'low', x2: 'high', stroke: 'stroke', strokeWidth: 3, strokeOpacity: 0.45 },
      ),
      Plot.dot(rows, { x: 'value', y: 'row', r: 3, fill: 'stroke' }),
    ],
  };
  return { title, options };
}
