/**
 * How the table of latents is looked at: sorted by what, filtered how. It stands in the address, so that a link shows the same. It
 * must not know how the table is drawn.
 */
import { LATENT_CLASSES, type LatentClass } from '../../../src/evaluation/composition/graph.ts';
import { type LatentVerdict, VERDICTS } from '../../../src/evaluation/verdict/verdicts.ts';
import { type Judged, type Latents, NO_CODE } from './latents.ts';

export const SORTS = ['match', 'latent', 'density', 'max', 'probability', 'verdict', 'class'] as const;
export type Sort = (typeof SORTS)[number];

/** A rectangle on the map. */
export interface Box {
  readonly x0: number;
  readonly y0: number;
  readonly x1: number;
  readonly y1: number;
}

export interface View {
  readonly query: string;
  /** `match`: those first that fire hardest on what is searched for; by number where nothing is. */
  readonly sort: Sort;
  readonly descending: boolean;
  readonly verdict?: LatentVerdict;
  readonly latentClass?: LatentClass;
  /** Densities from and to; unset is no bound. */
  readonly min?: number;
  readonly max?: number;
  /** Only latents that stand there on the map. */
  readonly box?: Box;
}

/** What cannot be read in an address is as if it were not there. */
export function viewOf(query: URLSearchParams): View {
  const sort = query.get('sort') ?? '';
  const corners = (query.get('box') ?? '').split(',').map(Number);
  const [x0, y0, x1, y1] = corners;
  return {
    query: query.get('q') ?? '',
    sort: SORTS.find((one) => one === sort.replace(/^-/, '')) ?? 'match',
    descending: sort.startsWith('-'),
    verdict: VERDICTS.find((one) => one === query.get('verdict')),
    latentClass: LATENT_CLASSES.find((one) => one === query.get('class')),
    min: numberIn(query.get('min')),
    max: numberIn(query.get('max')),
    box: corners.length === 4 && corners.every(Number.isFinite) ? { x0, y0, x1, y1 } : undefined,
  };
}

/** The latent that an address selects. */
export function selectedIn(query: URLSearchParams): number | undefined {
  return numberIn(query.get('at'));
}

/** A finite number; undefined where the text is none. */
export function numberIn(text: string | null): number | undefined {
  const value = text === null || text.trim() === '' ? Number.NaN : Number(text);
  return Number.isFinite(value) ? value : undefined;
}

/** What stands after `?` in the address of `view`, with latent `at` selected: nothing of what goes without saying. */
export function queryOf(view: View, at?: number): Record<string, string> {
  const { query, sort, descending, verdict, latentClass, min, max, box } = view;
  const parts: [string, string | number | undefined][] = [
    ['q', query || undefined],
    ['sort', sort === 'match' ? undefined : `${descending ? '-' : ''}${sort}`],
    ['verdict', verdict],
    ['class', latentClass],
    ['min', min],
    ['max', max],
    ['box', box && [box.x0, box.y0, box.x1, box.y1].join(',')],
    ['at', at],
  ];
  return Object.fromEntries(
    parts.flatMap(([key, value]) => (value === undefined ? [] : [[key, String(value)]])),
  );
}

/** Where latents stand on the map, row by row; NaN where they do not. */
export interface Places {
  readonly x: Float64Array;
  readonly y: Float64Array;
}

/**
 * The rows that `view` shows, in its order. `matches` are the rows that hold what is searched for, best first; undefined where
 * nothing is searched for. Equals stay in the order of matches or of rows, and what is not known comes last, whichever way.
 */
export function rowsOf(
  view: View,
  latents: Latents,
  judged: Judged,
  matches?: Uint32Array,
  places?: Places,
): Uint32Array {
  const candidates = matches ?? Uint32Array.from({ length: latents.count }, (_, row) => row);
  const rows = candidates.filter(filterOf(view, latents, judged, places));
  const key = keyOf(view.sort, latents, judged);
  return key ? sorted(rows, key, view.descending) : rows;
}

function filterOf(
  { verdict, latentClass, min, max, box }: View,
  { density }: Latents,
  judged: Judged,
  places?: Places,
): (row: number) => boolean {
  const verdictCode = verdict && VERDICTS.indexOf(verdict);
  const classCode = latentClass && LATENT_CLASSES.indexOf(latentClass);
  return (row) =>
    (verdictCode === undefined || judged.verdict?.[row] === verdictCode) &&
    (classCode === undefined || judged.latentClass?.[row] === classCode) &&
    (min === undefined || density[row] >= min) &&
    (max === undefined || density[row] <= max) &&
    (box === undefined || (places !== undefined && isWithin(box, places.x[row], places.y[row])));
}

export function isWithin({ x0, y0, x1, y1 }: Box, x: number, y: number): boolean {
  return x >= x0 && x <= x1 && y >= y0 && y <= y1;
}

function keyOf(sort: Sort, latents: Latents, judged: Judged): ArrayLike<number> | undefined {
  switch (sort) {
    case 'match':
      return undefined;
    case 'latent':
      return latents.latent;
    case 'density':
      return latents.density;
    case 'max':
      return latents.maxActivation;
    case 'probability':
      return judged.probability;
    case 'verdict':
      return judged.verdict;
    case 'class':
      return judged.latentClass;
  }
}

function sorted(rows: Uint32Array, key: ArrayLike<number>, descending: boolean): Uint32Array {
  const isCode = key instanceof Uint8Array;
  const isKnown = (row: number) => !(Number.isNaN(key[row]) || (isCode && key[row] === NO_CODE));
  const known = rows.filter(isKnown);
  const keys = Float64Array.from(known, (row) => (descending ? -key[row] : key[row]));
  // The difference of two infinities is NaN, and goes by place as that of equals does.
  const order = Uint32Array.from({ length: known.length }, (_, i) => i).sort(
    (a, b) => keys[a] - keys[b] || a - b,
  );
  const result = new Uint32Array(rows.length);
  for (const [to, from] of order.entries()) result[to] = known[from];
  if (known.length < rows.length)
    result.set(
      rows.filter((row) => !isKnown(row)),
      known.length,
    );
  return result;
}
