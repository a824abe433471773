/**
 * What each mark of a drawing says: the record that it was drawn from where one can be told by its place, else what the axes say of
 * that place. Made for the drawings of Observable Plot. It must not know what they are about.
 */
import type { Figure } from '../../../src/runs/entrySchema.ts';
import { type Axis, axisOf, numberIn, straight, type Tick } from './axis.ts';

type Row = Figure['data'][number];

/** `x` and `y` are in the units of the drawing. */
export interface Reading {
  readonly x: number;
  readonly y: number;
  readonly said: readonly (readonly [name: string, value: string])[];
}

/** A place as its axes count, and how far its facet is moved. */
interface Mark {
  readonly x: number;
  readonly y: number;
  readonly shift: readonly [number, number];
}

/** Marks and records that are this close are the same. */
const CLOSE = 1;

/** From left to right. Marks are the dots, and where these are fewer than half of the records the corners of lines as well. */
export function readingsOf(svg: Element, data: readonly Row[]): Reading[] {
  const [x, y] = [axis(svg, 'x'), axis(svg, 'y')];
  if (x.scale === undefined && y.scale === undefined) {
    const ends = endsInOrder(svg, data);
    if (ends.length > 0) return inOrder(ends);
  }
  const marks = marksIn(svg, data.length);
  const records = recordsAt(marks, data, x.scale, y.scale);
  return inOrder(
    marks.map((mark, i) => ({
      x: mark.x + mark.shift[0],
      y: mark.y + mark.shift[1],
      said: saying(records?.[i] ?? [], [...x.said(mark.x), ...y.said(mark.y)]),
    })),
  );
}

function inOrder(readings: readonly Reading[]): Reading[] {
  return readings.filter(({ said }) => said.length > 0).sort((a, b) => a.x - b.x || a.y - b.y);
}

/**
 * The ends of links, which have no axes: each is of the record of its number where two fields then place all ends on straight scales.
 * None where that is not so.
 */
function endsInOrder(svg: Element, data: readonly Row[]): Reading[] {
  const ends = [...svg.querySelectorAll('[aria-label="link"] path')].map((path) => {
    const numbers = (path.getAttribute('d') ?? '').match(/-?\d[\d.]*(?:e-?\d+)?/g) ?? [];
    const [x, y] = numbers.slice(-2).map(Number);
    return { x, y, shift: shiftOf(path) };
  });
  if (ends.length !== data.length || ends.length < 3 || !ends.every(isPlaced)) return [];
  const fields = Object.keys(data[0]).filter((key) => data.every((row) => typeof row[key] === 'number'));
  const places = (of: (end: Mark) => number) =>
    fields.some((key) => straight(ends.map((end, i) => ({ at: of(end), value: Number(data[i][key]) }))));
  if (!places((end) => end.x) || !places((end) => end.y)) return [];
  return ends.map(({ x, y, shift }, i) => ({
    x: x + shift[0],
    y: y + shift[1],
    said: saying([data[i]], []),
  }));
}

/** The reading next to a place, if any is within `within`. */
export function nearest(
  readings: readonly Reading[],
  x: number,
  y: number,
  within: number,
): number | undefined {
  let best: number | undefined;
  let least = within ** 2;
  for (const [i, reading] of readings.entries()) {
    const distance = (reading.x - x) ** 2 + (reading.y - y) ** 2;
    if (distance > least) continue;
    least = distance;
    best = i;
  }
  return best;
}

export function shown(value: Row[string]): string {
  if (typeof value !== 'number') return value === null ? 'not identified' : String(value);
  return String(Number(value.toPrecision(4))).replace(/^-/, '−');
}

function axis(svg: Element, name: 'x' | 'y') {
  const texts = (what: string) => [...svg.querySelectorAll(`[aria-label="${name}-axis ${what}"] text`)];
  const ticks: Tick[] = texts('tick label').map((text) => ({
    at: translation(text)[name === 'x' ? 0 : 1],
    text: text.textContent ?? '',
  }));
  // A facet repeats its neighbour's ticks.
  const scale = axisOf(
    ticks.filter(({ at, text }, i) => ticks.findIndex((tick) => tick.at === at && tick.text === text) === i),
  );
  const label = (texts('label')[0]?.textContent ?? '').replace(/[←→↑↓]/g, '').trim();
  return {
    scale,
    said(at: number): [string, string][] {
      if (scale) return [[label || name, shown(scale.readAt(at))]];
      // A number may name a category, too: marks then stand just where it does.
      const category = ticks.find(
        ({ at: place, text }) =>
          text !== '' && Math.abs(place - at) < (numberIn(text) === undefined ? CLOSE : 0.01),
      );
      return category ? [[label, category.text]] : [];
    },
  };
}

function marksIn(svg: Element, records: number): Mark[] {
  const dots = [...svg.querySelectorAll('[aria-label="dot"] circle')].map((circle) => ({
    x: Number(circle.getAttribute('cx')),
    y: Number(circle.getAttribute('cy')),
    shift: shiftOf(circle),
  }));
  if (dots.length >= records / 2) return dots.filter(isPlaced);
  const corners = [...svg.querySelectorAll('[aria-label="line"] path')].flatMap((path) => {
    const shift = shiftOf(path);
    const moves = (path.getAttribute('d') ?? '').matchAll(/[ML]\s*(-?[\d.e-]+)[,\s]+(-?[\d.e-]+)/g);
    return [...moves].map(([, x, y]) => ({ x: Number(x), y: Number(y), shift }));
  });
  return [...dots, ...corners].filter(isPlaced);
}

function isPlaced({ x, y }: Mark): boolean {
  return Number.isFinite(x) && Number.isFinite(y);
}

function translation(element: Element): [number, number] {
  const match = /translate\(\s*(-?[\d.e-]+)(?:[,\s]+(-?[\d.e-]+))?/.exec(
    element.getAttribute('transform') ?? '',
  );
  return match ? [Number(match[1]), Number(match[2] ?? 0)] : [0, 0];
}

function shiftOf(element: Element): [number, number] {
  let [x, y] = translation(element);
  for (
    let at = element.parentElement;
    at !== null && at.tagName.toLowerCase() !== 'svg';
    at = at.parentElement
  ) {
    const [dx, dy] = translation(at);
    [x, y] = [x + dx, y + dy];
  }
  return [x, y];
}

/**
 * For each mark the records that stand where it does, as two of their fields (or one over them) place them; undefined where no two fields
 * place nearly all marks.
 */
function recordsAt(
  marks: readonly Mark[],
  data: readonly Row[],
  x: Axis | undefined,
  y: Axis | undefined,
): Row[][] | undefined {
  if (x === undefined || y === undefined || marks.length === 0) return undefined;
  for (const across of placings(
    marks.map((mark) => mark.x),
    data,
    x,
  ))
    for (const up of placings(
      marks.map((mark) => mark.y),
      data,
      y,
    )) {
      const found = matched(marks, data, across, up);
      if (found.filter((records) => records.length > 0).length >= 0.95 * marks.length) return found;
    }
  return undefined;
}

/** Where the records stand by each field that could be the axis's: every mark of a sample has a record at its place. */
function placings(places: readonly number[], data: readonly Row[], { placeOf }: Axis): number[][] {
  const sample = places.filter((_, i) => i % Math.ceil(places.length / 50) === 0);
  return Object.keys(data[0] ?? {})
    .flatMap((key) => [
      (row: Row) => row[key],
      (row: Row) => (typeof row[key] === 'number' ? 1 / row[key] : null),
    ])
    .map((field) =>
      data.map((row) => {
        const value = field(row);
        return typeof value === 'number' ? placeOf(value) : Number.NaN;
      }),
    )
    .filter((placed) => sample.every((place) => placed.some((at) => Math.abs(at - place) < CLOSE)));
}

function matched(marks: readonly Mark[], data: readonly Row[], across: number[], up: number[]): Row[][] {
  const cells = new Map<string, number[]>();
  const cell = (x: number, y: number) => `${Math.floor(x / CLOSE)} ${Math.floor(y / CLOSE)}`;
  for (const [i] of data.entries()) {
    if (!Number.isFinite(across[i]) || !Number.isFinite(up[i])) continue;
    const key = cell(across[i], up[i]);
    const there = cells.get(key);
    if (there) there.push(i);
    else cells.set(key, [i]);
  }
  const near = [-CLOSE, 0, CLOSE];
  return marks.map(({ x, y }) => {
    const around = near.flatMap((dx) => near.flatMap((dy) => cells.get(cell(x + dx, y + dy)) ?? []));
    const distance = (i: number) => Math.hypot(across[i] - x, up[i] - y);
    const least = Math.min(CLOSE, ...around.map(distance));
    // Those that stand in the same place cannot be told apart.
    return around.filter((i) => distance(i) <= least + 0.05).map((i) => data[i]);
  });
}

/** A record in full; of several in one place what the axes say there, and the other fields in which they agree. */
function saying(
  records: readonly Row[],
  axes: readonly (readonly [string, string])[],
): (readonly [string, string])[] {
  const fields = Object.entries(records[0] ?? {});
  const agreed = fields
    .filter(([key, value]) => records.every((row) => row[key] === value))
    .map(([key, value]) => [key, shown(value)] as const);
  if (fields.length > 0 && agreed.length === fields.length) return agreed;
  return [...axes, ...agreed.filter(([key]) => axes.every(([name]) => name !== key))];
}
