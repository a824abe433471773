/** Writes and reads matches.json and matches.parquet; matchesSchema.ts says what is in them. It must not know how matches are found. */
import { join } from 'node:path';
import { writeFileAtomic } from '../formats/atomic.ts';
import { jsonText, readJson } from '../formats/json.ts';
import { validate } from '../formats/validate.ts';
import { exists, RUN_FILES } from './directory.ts';
import {
  MATCH_COLUMNS,
  type Match,
  matchesSchema,
  matchSchema,
  type StoredMatches,
} from './matchesSchema.ts';
import { readTable, writeTable } from './tables.ts';

/** Writes both: where matches.json is, all that it tells of is there. */
export async function writeMatches(
  directory: string,
  matches: StoredMatches,
  rows: readonly Match[],
): Promise<void> {
  const path = join(directory, RUN_FILES.matches);
  await writeTable(join(directory, RUN_FILES.latentMatches), matchSchema, MATCH_COLUMNS, rows);
  await writeFileAtomic(path, jsonText(validate(matchesSchema, matches, path)));
}

/** Reads both; undefined where the run has not been matched with any. */
export async function readMatches(
  directory: string,
): Promise<{ matches: StoredMatches; rows: Match[] } | undefined> {
  const path = join(directory, RUN_FILES.matches);
  if (!(await exists(path))) return undefined;
  const matches = validate(matchesSchema, await readJson(path), path);
  const rows = await readTable(join(directory, RUN_FILES.latentMatches), matchSchema, MATCH_COLUMNS);
  return { matches, rows: rows ?? [] };
}
