/**
 * Reads Parquet tables by ranges, away from the page's own thread, so that nothing stutters. A column that was read stays; a file's
 * footer is read once. It must not know what tables mean.
 */
import {
  type AsyncBuffer,
  asyncBufferFromUrl,
  cachedAsyncBuffer,
  type FileMetaData,
  type ParquetScan,
  parquetMetadataAsync,
  parquetScan,
} from 'hyparquet';
import { gathered } from './gathered.ts';
import type { Answer, Question, Where } from './tables.ts';
import { TextIndex } from './textIndex.ts';

interface Table {
  readonly file: AsyncBuffer;
  readonly metadata: FileMetaData;
  readonly columns: Map<string, Promise<unknown[]>>;
  /** Columns of single row groups, the one that was asked for last at the end. */
  readonly groups: Map<string, Promise<ArrayLike<unknown>>>;
  readonly texts: Map<string, Promise<TextIndex>>;
}

/** Columns of row groups that stay, of one table. */
const MOST_GROUPS = 192;

const tables = new Map<string, Promise<Table>>();

addEventListener('message', async ({ data: question }: MessageEvent<Question>) => {
  try {
    const table = await open(question.address, question.size);
    const values = await answer(table, question);
    post({ id: question.id, values: values.map(compact) });
  } catch (error) {
    post({ id: question.id, error: error instanceof Error ? error.message : String(error) });
  }
});

async function answer(table: Table, { columns, where, rows, holding }: Question): Promise<unknown[][]> {
  if (where) return matching(table, columns, where);
  if (holding) {
    const indices = await Promise.all(columns.map((column) => kept(table, table.texts, column, indexTexts)));
    const found = new Set(indices.flatMap((index) => index.rowsHolding(holding.from, holding.to)));
    return [[...found].sort((a, b) => a - b)];
  }
  const all = await Promise.all(columns.map((column) => kept(table, table.columns, column, readWhole)));
  return rows ? all.map((values) => rows.map((row) => values[row])) : all;
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
  const file = cachedAsyncBuffer(gathered(await asyncBufferFromUrl({ url: address, byteLength })));
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
  return new TextIndex(await kept(table, table.columns, column, readWhole));
}

async function readWhole({ file, metadata }: Table, column: string): Promise<unknown[]> {
  const scan = await parquetScan({ file, metadata, columns: [column] });
  const parts = await Promise.all(
    scan.ranges.map(({ rowStart, rowEnd }) => scan.readColumn({ column, rowStart, rowEnd })),
  );
  const values: unknown[] = [];
  for (const part of parts) for (const value of part) values.push(value);
  return values;
}

/** The rows in which a column is within bounds, of row groups whose own bounds leave room for any. */
async function matching(
  table: Table,
  columns: readonly string[],
  { column: key, from, to }: Where,
): Promise<unknown[][]> {
  const { file, metadata } = table;
  const pruningFilter = { [key]: { $gte: from, $lte: to } };
  const names = [...new Set([key, ...columns])];
  const scan = await parquetScan({ file, metadata, columns: names, pruningFilter });
  const groups = await Promise.all(
    scan.ranges.map(async (range) => {
      const of = (column: string) => groupColumn(table, scan, column, range);
      const keys = (await of(key)) as ArrayLike<number | string>;
      const rows: number[] = [];
      for (let i = 0; i < keys.length; i++) if (keys[i] >= from && keys[i] <= to) rows.push(i);
      return { rows, read: rows.length === 0 ? [] : await Promise.all(columns.map(of)) };
    }),
  );
  return columns.map((_, c) => groups.flatMap(({ rows, read }) => rows.map((i) => read[c][i])));
}

/** A column of a row group. Whoever looks at one row will want those beside it. */
function groupColumn(
  { groups }: Table,
  scan: ParquetScan,
  column: string,
  { rowStart, rowEnd }: ParquetScan['ranges'][number],
): Promise<ArrayLike<unknown>> {
  const name = `${rowStart} ${rowEnd} ${column}`;
  const known = groups.get(name) ?? Promise.resolve(scan.readColumn({ column, rowStart, rowEnd }));
  groups.delete(name);
  groups.set(name, known);
  known.catch(() => groups.delete(name));
  if (groups.size > MOST_GROUPS) groups.delete(groups.keys().next().value!);
  return known;
}

/** Numbers in one array that can be handed over without a copy. */
function compact(values: unknown[]): unknown[] | Float64Array {
  if (values.length === 0 || !values.every((value) => typeof value === 'number' || typeof value === 'bigint'))
    return values;
  return Float64Array.from(values, Number);
}
