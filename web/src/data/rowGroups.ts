/** Which row groups of a Parquet file can hold a value, by the bounds that the file gives. It must not know what is looked for. */
import type { FileMetaData } from 'hyparquet';

export interface Range {
  readonly rowStart: number;
  readonly rowEnd: number;
}

/**
 * The rows of the groups in which `column` may have a value from `from` to `to`; a group without bounds may. Texts are compared by
 * code units, as the writer of the files does, so that groups are passed over for words of any script.
 */
export function rangesWithin(
  metadata: FileMetaData,
  column: string,
  from: number | string,
  to: number | string,
): Range[] {
  const ranges: Range[] = [];
  let rowStart = 0;
  for (const { columns, num_rows: rows } of metadata.row_groups) {
    const rowEnd = rowStart + Number(rows);
    const chunk = columns.find(({ meta_data: data }) => data?.path_in_schema[0] === column);
    const { min_value: least, max_value: most } = chunk?.meta_data?.statistics ?? {};
    const comparable = typeof least === typeof from && typeof most === typeof to;
    if (!comparable || (least! <= to && most! >= from)) ranges.push({ rowStart, rowEnd });
    rowStart = rowEnd;
  }
  return ranges;
}
