/**
 * Reads Parquet tables by ranges, away from the page's own thread, so that nothing stutters. A column that was read stays; a file's
 * footer is read once. It must not know what tables mean.
 */
import {
  type AsyncBuffer,
  asyncBufferFromUrl,
  cachedAsyncBuffer,
  type FileMetaData,
  parquetMetadataAsync,
  parquetScan,
} from 'hyparquet';
import type { Answer, Question, Where } from './tables.ts';
import { TextIndex } from './textIndex.ts';

interface Table {
  readonly file: AsyncBuffer;
  readonly metadata: FileMetaData;
  readonly columns: Map<string, Promise<unknown[]>>;
  readonly texts: Map<string, Promise<TextIndex>>;
}

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
  const file = cachedAsyncBuffer(await asyncBufferFromUrl({ url: address, byteLength }));
  return { file, metadata: await parquetMetadataAsync(file), columns: new Map(), texts: new Map() };
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
  const values: unknown[] = [];
  for (const { rowStart, rowEnd } of scan.ranges)
    for (const value of await scan.readColumn({ column, rowStart, rowEnd })) values.push(value);
  return values;
}

/** The rows in which a column is within bounds, of row groups whose own bounds leave room for any. */
async function matching(
  { file, metadata }: Table,
  columns: readonly string[],
  { column: key, from, to }: Where,
): Promise<unknown[][]> {
  const pruningFilter = { [key]: { $gte: from, $lte: to } };
  const names = [...new Set([key, ...columns])];
  const scan = await parquetScan({ file, metadata, columns: names, pruningFilter });
  const result: unknown[][] = columns.map(() => []);
  for (const { rowStart, rowEnd } of scan.ranges) {
    const keys = await scan.readColumn({ column: key, rowStart, rowEnd });
    const rows: number[] = [];
    for (let i = 0; i < keys.length; i++) if (keys[i] >= from && keys[i] <= to) rows.push(i);
    if (rows.length === 0) continue;
    const read = await Promise.all(
      columns.map((column) => (column === key ? keys : scan.readColumn({ column, rowStart, rowEnd }))),
    );
    for (const [c, values] of read.entries()) for (const i of rows) result[c].push(values[i]);
  }
  return result;
}

/** Numbers in one array that can be handed over without a copy. */
function compact(values: unknown[]): unknown[] | Float64Array {
  if (values.length === 0 || !values.every((value) => typeof value === 'number' || typeof value === 'bigint'))
    return values;
  return Float64Array.from(values, Number);
}
