/** Fetches what a question needs of a Parquet file in few large pieces rather than many small ones. It must not know what is asked. */
import type { AsyncBuffer, FileMetaData } from 'hyparquet';
import type { Range } from './rowGroups.ts';

export interface Span {
  readonly start: number;
  readonly end: number;
}

/** A piece is no larger, in bytes; and no more pieces than these are kept. */
const [LARGEST, KEPT] = [2 ** 22, 8];

/** `file`, with pieces of it that are fetched before they are asked for. */
export function withAhead(file: AsyncBuffer): AsyncBuffer & { ahead(spans: readonly Span[]): void } {
  const pieces: (Span & { bytes: Promise<ArrayBuffer> })[] = [];
  const holding = (start: number, end: number) =>
    pieces.find((piece) => piece.start <= start && end <= piece.end);
  return {
    byteLength: file.byteLength,
    async slice(start, end = file.byteLength) {
      const piece = start < 0 ? undefined : holding(start, end);
      if (piece === undefined) return file.slice(start, end);
      return (await piece.bytes).slice(start - piece.start, end - piece.start);
    },
    ahead(spans) {
      for (const { start, end } of spans) {
        if (holding(start, end)) continue;
        const bytes = Promise.resolve(file.slice(start, end));
        const piece = { start, end, bytes };
        pieces.push(piece);
        if (pieces.length > KEPT) pieces.shift();
        // Whoever asks for it is told of the failure; the next one tries again.
        bytes.catch(() => {
          const at = pieces.indexOf(piece);
          if (at >= 0) pieces.splice(at, 1);
        });
      }
    },
  };
}

/**
 * Where the columns `names` of the rows in `ranges` lie in the file, in pieces that go on without a gap. Row groups in which more
 * lies between the columns than in them are left out.
 */
export function spansOf(metadata: FileMetaData, names: readonly string[], ranges: readonly Range[]): Span[] {
  const spans: Span[] = [];
  let first = 0;
  for (const group of metadata.row_groups) {
    const end = first + Number(group.num_rows);
    const wanted = ranges.some(({ rowStart, rowEnd }) => rowStart < end && rowEnd > first);
    first = end;
    if (!wanted) continue;
    const chunks = group.columns.flatMap(({ meta_data: data }) =>
      data && names.includes(data.path_in_schema[0])
        ? [
            {
              start: Number(data.dictionary_page_offset ?? data.data_page_offset),
              length: Number(data.total_compressed_size),
            },
          ]
        : [],
    );
    if (chunks.length === 0) continue;
    const from = Math.min(...chunks.map(({ start }) => start));
    const to = Math.max(...chunks.map(({ start, length }) => start + length));
    if (to - from > 2 * chunks.reduce((sum, { length }) => sum + length, 0)) continue;
    const last = spans.at(-1);
    // Columns that are not wanted may lie between one group and the next.
    if (last && from - last.end < (to - from) / 2 && from >= last.end && to - last.start <= LARGEST)
      spans[spans.length - 1] = { start: last.start, end: to };
    else spans.push({ start: from, end: to });
  }
  return spans;
}
