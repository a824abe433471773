/**
 * Reads Parquet tables by ranges, away from the page's own thread, so that nothing stutters. A column that was read stays; a file's
 * footer is read once. It must not know what tables mean.
 */
import {
  asyncBufferFromUrl,
  cachedAsyncBuffer,
  type FileMetaData,
  type ParquetScan,
  parquetMetadataAsync,
  parquetScan,
  parquetSchema,
} from 'hyparquet';
import { spansOf, withAhead } from './ahead.ts';
import { type Range, rangesWithin } from './rowGroups.ts';
import type { Answer, Question, Where } from './tables.ts';
import { TextIndex } from './textIndex.ts';

interface Table {
  readonly file: ReturnType<typeof withAhead>;
  readonly metadata: FileMetaData;
  readonly columns: Map<string, Promise<Group[]>>;
  /** Columns of row groups in which rows were looked for, the one that was asked for last at the end. */
  readonly groups: Map<string, Promise<ArrayLike<unknown>>>;
  readonly texts: Map<string, Promise<TextIndex>>;
}

interface Group extends Range {
  readonly values: () => Promise<unknown[]>;
}

/** Columns of row groups that stay, of one table. */
const MOST_GROUPS = 192;

const tables = new Map<string, Promise<Table>>();

addEventListener('message', async ({ data: question }: MessageEvent<Question>) => {
  try {
    const table = await open(question.address, question.size);
    const values = await answer(table, question);
    post(values ? { id: question.id, values: values.map(compact) } : { id: question.id, tooMany: true });
  } catch (error) {
    post({ id: question.id, error: error instanceof Error ? error.message : String(error) });
  }
});

async function answer(
  table: Table,
  { columns, where, rows, holding }: Question,
): Promise<unknown[][] | undefined> {
  expectColumns(table, where ? [...columns, where.column] : columns);
  if (where) return matching(table, columns, where);
  if (holding) {
    const indices = await Promise.all(columns.map((column) => kept(table, table.texts, column, indexTexts)));
    const found = new Set(indices.flatMap((index) => index.rowsHolding(holding.from, holding.to)));
    return [[...found].sort((a, b) => a - b)];
  }
  return Promise.all(
    columns.map((column) => (rows ? readAt(table, column, rows) : readWhole(table, column))),
  );
}

function expectColumns({ metadata }: Table, columns: readonly string[]): void {
  const found = parquetSchema(metadata).children.map(({ element }) => element.name);
  const missing = columns.find((column) => !found.includes(column));
  if (missing !== undefined)
    throw new Error(`there is no column ${missing}; it has ${found.join(', ').slice(0, 500)}`);
}

function post(answer: Answer): void {
  const buffers = (answer.values ?? []).flatMap((values) =>
    ArrayBuffer.isView(values) ? [values.buffer as ArrayBuffer] : [],
  );
  postMessage(answer, { transfer: buffers });
}

function open(address: string, size: number): Promise<Table> {
  const key = `${address} ${size}`;
  const known = tables.get(key) ?? opened(address, size);
  tables.set(key, known);
  known.catch(() => tables.delete(key));
  return known;
}

async function opened(address: string, byteLength: number): Promise<Table> {
  const file = withAhead(cachedAsyncBuffer(await asyncBufferFromUrl({ url: address, byteLength })));
  const metadata = await parquetMetadataAsync(file);
  return { file, metadata, columns: new Map(), groups: new Map(), texts: new Map() };
}

/** What `make` gives of a column, made once. */
function kept<T>(
  table: Table,
  made: Map<string, Promise<T>>,
  column: string,
  make: (table: Table, column: string) => Promise<T>,
): Promise<T> {
  const known = made.get(column) ?? make(table, column);
  made.set(column, known);
  known.catch(() => made.delete(column));
  return known;
}

async function indexTexts(table: Table, column: string): Promise<TextIndex> {
  return new TextIndex(await readWhole(table, column));
}

async function readWhole(table: Table, column: string): Promise<unknown[]> {
  const groups = await kept(table, table.columns, column, groupsOf);
  return (await Promise.all(groups.map(({ values }) => values()))).flat();
}

/** The row groups of a column, each read when its values are first asked for. */
async function groupsOf({ file, metadata }: Table, column: string): Promise<Group[]> {
  const scan = await parquetScan({ file, metadata, columns: [column] });
  return scan.ranges.map(({ rowStart, rowEnd }) => {
    let values: Promise<unknown[]> | undefined;
    const read = async () => Array.from<unknown>(await scan.readColumn({ column, rowStart, rowEnd }));
    return {
      rowStart,
      rowEnd,
      values: () => {
        values ??= read();
        values.catch(() => (values = undefined));
        return values;
      },
    };
  });
}

/** The values of some rows, of the row groups in which they are. */
async function readAt(table: Table, column: string, rows: readonly number[]): Promise<unknown[]> {
  const groups = await kept(table, table.columns, column, groupsOf);
  return Promise.all(
    rows.map(async (row) => {
      const group = groups.find(({ rowStart, rowEnd }) => row >= rowStart && row < rowEnd);
      return group && (await group.values())[row - group.rowStart];
    }),
  );
}

/**
 * The rows in which a column is within bounds, of row groups whose own bounds leave room for any; undefined where these have more
 * rows than `most`.
 */
async function matching(
  { file, metadata, groups }: Table,
  columns: readonly string[],
  { column: key, from, to, most }: Where,
): Promise<unknown[][] | undefined> {
  const names = [...new Set([key, ...columns])];
  const ranges = rangesWithin(metadata, key, from, to);
  const candidates = ranges.reduce((sum, { rowStart, rowEnd }) => sum + rowEnd - rowStart, 0);
  if (most !== undefined && candidates > most) return undefined;
  const missing = ranges.filter((range) => names.some((column) => !groups.has(placeOf(column, range))));
  file.ahead(spansOf(metadata, names, missing));
  const scan = await parquetScan({ file, metadata, columns: names });
  const result: unknown[][] = columns.map(() => []);
  for (const range of ranges) {
    const keys = (await groupColumn(groups, scan, key, range)) as ArrayLike<number | string>;
    const rows: number[] = [];
    for (let i = 0; i < keys.length; i++) if (keys[i] >= from && keys[i] <= to) rows.push(i);
    if (rows.length === 0) continue;
    const read = await Promise.all(columns.map((column) => groupColumn(groups, scan, column, range)));
    for (const [c, values] of read.entries()) for (const i of rows) result[c].push(values[i]);
  }
  return result;
}

/** A column of a row group, which stays: whoever looks at one row will want those beside it. */
function groupColumn(
  groups: Table['groups'],
  scan: ParquetScan,
  column: string,
  range: Range,
): Promise<ArrayLike<unknown>> {
  const place = placeOf(column, range);
  const known = groups.get(place) ?? Promise.resolve(scan.readColumn({ column, ...range }));
  groups.delete(place);
  groups.set(place, known);
  known.catch(() => groups.delete(place));
  if (groups.size > MOST_GROUPS) groups.delete(groups.keys().next().value!);
  return known;
}

function placeOf(column: string, { rowStart }: Range): string {
  return `${rowStart} ${column}`;
}

/** Numbers in one array that can be handed over without a copy. */
function compact(values: unknown[]): unknown[] | Float64Array {
  if (values.length === 0 || !values.every((value) => typeof value === 'number' || typeof value === 'bigint'))
    return values;
  return Float64Array.from(values, Number);
}
