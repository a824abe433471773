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

interface Table {
  readonly file: AsyncBuffer;
  readonly metadata: FileMetaData;
  readonly columns: Map<string, Promise<unknown[]>>;
}

const tables = new Map<string, Promise<Table>>();

addEventListener('message', async ({ data: question }: MessageEvent<Question>) => {
  const { id, address, size, columns, where } = question;
  try {
    const table = await open(address, size);
    const values = where ? await matching(table, columns, where) : await whole(table, columns);
    post({ id, values: values.map(compact) });
  } catch (error) {
    post({ id, error: error instanceof Error ? error.message : String(error) });
  }
});

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
  return { file, metadata: await parquetMetadataAsync(file), columns: new Map() };
}

/** All rows of some columns. */
function whole(table: Table, columns: readonly string[]): Promise<unknown[][]> {
  return Promise.all(
    columns.map((column) => {
      const known = table.columns.get(column) ?? readWhole(table, column);
      table.columns.set(column, known);
      known.catch(() => table.columns.delete(column));
      return known;
    }),
  );
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
    for (const [c, column] of columns.entries()) {
      const read = column === key ? keys : await scan.readColumn({ column, rowStart, rowEnd });
      for (const i of rows) result[c].push(read[i]);
    }
  }
  return result;
}

/** Numbers in one array that can be handed over without a copy. */
function compact(values: unknown[]): unknown[] | Float64Array {
  if (values.length === 0 || !values.every((value) => typeof value === 'number' || typeof value === 'bigint'))
    return values;
  return Float64Array.from(values, Number);
}
