/** What directions serve, as the pages read it. It must not know how it is shown. */
import type { ListedRun } from '../../../src/explorer/catalogueSchema.ts';
import { DIRECTION_KINDS, type DirectionKind } from '../../../src/interpretation/atlas/shape.ts';
import {
  DIRECTION_COLUMNS,
  DIRECTION_EXAMPLE_COLUMNS,
  type Direction,
  type DirectionExample,
  directionExampleSchema,
  directionSchema,
} from '../../../src/runs/atlasSchema.ts';
import { DataError } from '../data/fetch.ts';
import { checkedRows } from '../data/parts.ts';
import { readColumns, readRows } from '../data/tables.ts';

/** All directions, in the order of the file. DataError where they cannot be read. */
export async function loadDirections(run: ListedRun): Promise<Direction[]> {
  const keys = Object.keys(DIRECTION_COLUMNS) as (keyof Direction)[];
  const columns = await readColumns(run, 'directions.parquet', DIRECTION_COLUMNS, keys);
  const rows = Array.from(columns.kind, (_, i) =>
    Object.fromEntries(keys.map((key) => [key, columns[key][i]])),
  );
  return checkedRows(directionSchema, rows, `${run.path}/directions.parquet`);
}

/** The examples of one direction, largest first. */
export async function loadDirectionExamples(
  run: ListedRun,
  kind: DirectionKind,
  index: number,
): Promise<DirectionExample[]> {
  const keys = Object.keys(DIRECTION_EXAMPLE_COLUMNS) as (keyof DirectionExample)[];
  const rows = await readRows(run, 'direction_examples.parquet', DIRECTION_EXAMPLE_COLUMNS, keys, {
    key: 'index',
    from: index,
    to: index,
  });
  return checkedRows(
    directionExampleSchema,
    rows.filter((row) => row.kind === kind),
    `${run.path}/direction_examples.parquet`,
  ).sort((a, b) => a.rank - b.rank);
}

/** The kind that an address names. DataError where there is none. */
export function kindOf(name: string): DirectionKind {
  const kind = DIRECTION_KINDS.find((one) => one === name);
  if (kind === undefined)
    throw new DataError(`there is no kind of direction ${name}; expected ${DIRECTION_KINDS.join(', ')}`);
  return kind;
}
