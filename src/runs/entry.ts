/** entry.json on disk: written whole, and read with every field checked. It must not know what is in it. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomic } from '../formats/atomic.ts';
import { jsonText, readJson } from '../formats/json.ts';
import { validate } from '../formats/validate.ts';
import { type Entry, entrySchema } from './entrySchema.ts';

export const ENTRY_FILE = 'entry.json';

/** Writes `directory/entry.json`, in the place of one that is there. */
export async function writeEntry(directory: string, entry: Entry): Promise<void> {
  const path = join(directory, ENTRY_FILE);
  const text = jsonText(validate(entrySchema, entry, path));
  await mkdir(directory, { recursive: true });
  await writeFileAtomic(path, text);
}

/** Reads `directory/entry.json`. InputError names the file, and the field that is not as it should be. */
export async function readEntry(directory: string): Promise<Entry> {
  const path = join(directory, ENTRY_FILE);
  return validate(entrySchema, await readJson(path), path);
}
