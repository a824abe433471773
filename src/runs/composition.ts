/** composition.json and composition.parquet of a run directory, written and read. It must not know what is in them. */
import { join } from 'node:path';
import { writeFileAtomic } from '../formats/atomic.ts';
import { jsonText, readJson } from '../formats/json.ts';
import { validate } from '../formats/validate.ts';
import {
  compositionEdgeSchema,
  compositionSchema,
  EDGE_COLUMNS,
  type StoredComposition,
  type StoredEdge,
} from './compositionSchema.ts';
import { exists, RUN_FILES } from './directory.ts';
import { readTable, writeTable } from './tables.ts';

/** Writes composition.json and composition.parquet, a row for each edge. */
export async function writeComposition(
  directory: string,
  composition: StoredComposition,
  edges: readonly StoredEdge[],
): Promise<void> {
  const path = join(directory, RUN_FILES.composition);
  await writeTable(join(directory, RUN_FILES.compositionEdges), compositionEdgeSchema, EDGE_COLUMNS, edges);
  await writeFileAtomic(path, jsonText(validate(compositionSchema, composition, path)));
}

/** Reads both; undefined where the run has not come to them. */
export async function readComposition(
  directory: string,
): Promise<{ composition: StoredComposition; edges: StoredEdge[] } | undefined> {
  const path = join(directory, RUN_FILES.composition);
  if (!(await exists(path))) return undefined;
  const composition = validate(compositionSchema, await readJson(path), path);
  const edges = await readTable(
    join(directory, RUN_FILES.compositionEdges),
    compositionEdgeSchema,
    EDGE_COLUMNS,
  );
  return edges && { composition, edges };
}
