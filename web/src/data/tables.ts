/**
 * Parquet tables of a run, columns or rows, as the worker reads them. What a table holds is checked here: files may come from
 * strangers. It must not know what columns mean.
 */

import type { ListedRun } from '../../../src/explorer/catalogueSchema.ts';
import type { Columns } from '../../../src/runs/columns.ts';
import { DataError, fileAddress } from './fetch.ts';

/** Rows in which `column` lies between two values, both among them. */
export interface Where {
  readonly column: string;
  readonly from: number | string;
  readonly to: number | string;
}

export interface Question {
  readonly id: number;
  readonly address: string;
  readonly size: number;
  readonly columns: readonly string[];
  /** Only rows in which a column is within bounds. */
  readonly where?: Where;
  /** Only these rows, in this order. */
  readonly rows?: readonly number[];
  /** In the place of values: which rows hold a word within these bounds in any of the columns. */
  readonly holding?: { readonly from: string; readonly to: string };
}

export type Answer = { id: number } & (
  | { values: (unknown[] | Float64Array)[]; error?: undefined }
  | { error: string; values?: undefined }
);

let worker: Worker | undefined;
let asked = 0;
const waiting = new Map<number, (answer: Answer) => void>();

function ask(question: Omit<Question, 'id'>): Promise<Answer> {
  if (worker === undefined) {
    worker = new Worker(new URL('./tableWorker.ts', import.meta.url), { type: 'module' });
    worker.onmessage = ({ data }: MessageEvent<Answer>) => {
      waiting.get(data.id)?.(data);
      waiting.delete(data.id);
    };
  }
  const id = ++asked;
  return new Promise((resolve) => {
    waiting.set(id, resolve);
    worker!.postMessage({ id, ...question });
  });
}

/** Whether the run has the file. */
export function hasFile(run: ListedRun, file: string): boolean {
  return Object.hasOwn(run.files, file);
}

type Key<Row> = keyof Row & string;
/** The values of a field over all rows. */
export type Column<Value> = Value extends number ? Float64Array : Value[];

/** Some fields of all rows, a column each. DataError where the file is not there, damaged, or of another make. */
export async function readColumns<Row extends object, K extends Key<Row>>(
  run: ListedRun,
  file: string,
  columns: Columns<Row>,
  keys: readonly K[],
): Promise<{ [Name in K]: Column<Row[Name]> }> {
  const values = await read(run, file, columns, keys);
  return Object.fromEntries(keys.map((key, i) => [key, values[i]])) as { [Name in K]: Column<Row[Name]> };
}

/** What `readRows` gives, a column each. */
export async function readColumnsWhere<Row extends object, K extends Key<Row>>(
  run: ListedRun,
  file: string,
  columns: Columns<Row>,
  keys: readonly K[],
  where: Bounds<Row>,
): Promise<{ [Name in K]: Column<Row[Name]> }> {
  const values = await read(run, file, columns, keys, { where: stored(columns, where) });
  return Object.fromEntries(keys.map((key, i) => [key, values[i]])) as { [Name in K]: Column<Row[Name]> };
}

/** The rows in which the field `where.key` lies between two values, with some of their fields. */
export async function readRows<Row extends object, K extends Key<Row>>(
  run: ListedRun,
  file: string,
  columns: Columns<Row>,
  keys: readonly K[],
  where: Bounds<Row>,
): Promise<Pick<Row, K>[]> {
  return rowsOf(keys, await read(run, file, columns, keys, { where: stored(columns, where) }));
}

/** Some fields of the rows at `places`, in their order; the columns are read whole the first time and stay with the worker. */
export async function readPlaces<Row extends object, K extends Key<Row>>(
  run: ListedRun,
  file: string,
  columns: Columns<Row>,
  keys: readonly K[],
  places: readonly number[],
): Promise<Pick<Row, K>[]> {
  return rowsOf(keys, await read(run, file, columns, keys, { rows: places }));
}

/** The places of rows that hold a word from `from` to `to` in any of these fields, ascending. */
export async function placesHolding<Row extends object>(
  run: ListedRun,
  file: string,
  columns: Columns<Row>,
  keys: readonly Key<Row>[],
  holding: { from: string; to: string },
): Promise<Float64Array> {
  const [places] = await askOf(run, file, columns, keys, { holding });
  return Float64Array.from(places as ArrayLike<number>);
}

interface Bounds<Row> {
  readonly key: Key<Row>;
  readonly from: number | string;
  readonly to: number | string;
}

function stored<Row extends object>(columns: Columns<Row>, { key, from, to }: Bounds<Row>): Where {
  return { column: columns[key].column, from, to };
}

function rowsOf<Row extends object, K extends Key<Row>>(
  keys: readonly K[],
  values: (unknown[] | Float64Array)[],
): Pick<Row, K>[] {
  return Array.from(
    values[0],
    (_, i) => Object.fromEntries(keys.map((key, k) => [key, values[k][i]])) as Pick<Row, K>,
  );
}

async function read<Row extends object, K extends Key<Row>>(
  run: ListedRun,
  file: string,
  columns: Columns<Row>,
  keys: readonly K[],
  which: Pick<Question, 'where' | 'rows'> = {},
): Promise<(unknown[] | Float64Array)[]> {
  const name = `${run.path}/${file}`;
  const values = await askOf(run, file, columns, keys, which);
  for (const [k, key] of keys.entries()) checkColumn(name, columns[key].column, columns[key].type, values[k]);
  const longest = Math.max(...values.map((column) => column.length));
  for (const [k, key] of keys.entries())
    if (values[k].length !== longest)
      throw new DataError(
        `${name}: column ${columns[key].column} has ${values[k].length} rows, another has ${longest}`,
      );
  return values;
}

async function askOf<Row extends object>(
  run: ListedRun,
  file: string,
  columns: Columns<Row>,
  keys: readonly Key<Row>[],
  which: Pick<Question, 'where' | 'rows' | 'holding'>,
): Promise<(unknown[] | Float64Array)[]> {
  const name = `${run.path}/${file}`;
  if (!hasFile(run, file)) throw new DataError(`${name}: not there; the run has not come to it`);
  const { values, error } = await ask({
    address: fileAddress(run.path, file),
    size: run.files[file],
    columns: keys.map((key) => columns[key].column),
    ...which,
  });
  if (error !== undefined) throw new DataError(`${name}: cannot be read as Parquet: ${error}`);
  return values;
}

function checkColumn(name: string, column: string, type: string, values: unknown[] | Float64Array): void {
  if (values instanceof Float64Array && !type.endsWith('[]') && type !== 'STRING' && type !== 'BOOLEAN')
    return;
  const scalar = type.replace('[]', '');
  const fits = (value: unknown): boolean =>
    scalar === 'STRING'
      ? typeof value === 'string'
      : scalar === 'BOOLEAN'
        ? typeof value === 'boolean'
        : typeof value === 'number' || typeof value === 'bigint';
  const isList = (value: unknown): value is ArrayLike<unknown> =>
    Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView));
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    const good = type.endsWith('[]') ? isList(value) && Array.prototype.every.call(value, fits) : fits(value);
    if (!good)
      throw new DataError(`${name}: column ${column}, row ${i}: found ${shown(value)}, expected ${type}`);
  }
}

function shown(value: unknown): string {
  return String(JSON.stringify(value) ?? value).slice(0, 60);
}
