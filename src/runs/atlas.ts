/** Writes and reads the files of the atlas of a run; atlasSchema.ts says what is in them. It must not know how any of it was computed. */
import { join } from 'node:path';
import { writeFileAtomic } from '../formats/atomic.ts';
import { jsonText, readJson } from '../formats/json.ts';
import { writeParquetGroups } from '../formats/parquet.ts';
import { validate } from '../formats/validate.ts';
import type { WordRows } from '../interpretation/atlas/wordIndex.ts';
import {
  ATLAS_COLUMNS,
  type Atlas,
  type AtlasRow,
  atlasRowSchema,
  atlasSchema,
  DIRECTION_COLUMNS,
  DIRECTION_EXAMPLE_COLUMNS,
  type Direction,
  type DirectionExample,
  directionExampleSchema,
  directionSchema,
  WORD_COLUMNS,
  type WordRow,
  wordRowSchema,
} from './atlasSchema.ts';
import { exists, RUN_FILES } from './directory.ts';
import { readTable, writeTable } from './tables.ts';

/** Rows of a row group where a page wants one latent, or one direction, at a time: some 200 kB. */
const GROUP_ROWS = 1024;

/** Writes words.parquet, a row group for each of `groups`, as they come: millions of rows, so columns rather than objects. */
export async function writeWords(directory: string, groups: Iterable<WordRows>): Promise<void> {
  const columns = Object.values(WORD_COLUMNS).map(({ column: name, type }) => ({ name, type }));
  function* values() {
    for (const { word, latent, strength, count } of groups) yield [word, latent, strength, count];
  }
  await writeParquetGroups(join(directory, RUN_FILES.words), columns, values());
}

/** Reads words.parquet; undefined where the run has not come to it. */
export async function readWords(directory: string): Promise<WordRow[] | undefined> {
  return readTable(join(directory, RUN_FILES.words), wordRowSchema, WORD_COLUMNS);
}

/** What atlas.json tells of, but for the words; without `directions` where they could not be made. */
export interface AtlasTables {
  readonly rows: Iterable<AtlasRow>;
  readonly directions?: {
    readonly directions: Iterable<Direction>;
    readonly examples: Iterable<DirectionExample>;
  };
}

/** Writes the tables, then atlas.json: where it is, all of them are. */
export async function writeAtlas(directory: string, atlas: Atlas, tables: AtlasTables): Promise<void> {
  await writeTables(directory, tables);
  const path = join(directory, RUN_FILES.atlas);
  await writeFileAtomic(path, jsonText(validate(atlasSchema, atlas, path)));
}

/** Writes atlas.parquet, and directions.parquet and direction_examples.parquet. */
export async function writeTables(directory: string, { rows, directions }: AtlasTables): Promise<void> {
  const at = (file: keyof typeof RUN_FILES) => join(directory, RUN_FILES[file]);
  await writeTable(at('latentAtlas'), atlasRowSchema, ATLAS_COLUMNS, rows, GROUP_ROWS);
  if (!directions) return;
  await writeTable(at('directions'), directionSchema, DIRECTION_COLUMNS, directions.directions);
  const examples = [directionExampleSchema, DIRECTION_EXAMPLE_COLUMNS, directions.examples] as const;
  await writeTable(at('directionExamples'), ...examples, GROUP_ROWS);
}

/** Reads atlas.json; undefined where the run has not come to it. */
export async function readAtlas(directory: string): Promise<Atlas | undefined> {
  const path = join(directory, RUN_FILES.atlas);
  return (await exists(path)) ? validate(atlasSchema, await readJson(path), path) : undefined;
}

/** Reads atlas.parquet; undefined where the run has not come to it. */
export async function readAtlasRows(directory: string): Promise<AtlasRow[] | undefined> {
  return readTable(join(directory, RUN_FILES.latentAtlas), atlasRowSchema, ATLAS_COLUMNS);
}

/** Reads directions.parquet; undefined where there is none. */
export async function readDirections(directory: string): Promise<Direction[] | undefined> {
  return readTable(join(directory, RUN_FILES.directions), directionSchema, DIRECTION_COLUMNS);
}

/** Reads direction_examples.parquet; undefined where there is none. */
export async function readDirectionExamples(directory: string): Promise<DirectionExample[] | undefined> {
  const path = join(directory, RUN_FILES.directionExamples);
  return readTable(path, directionExampleSchema, DIRECTION_EXAMPLE_COLUMNS);
}
