/** The version of this package. It must not know who shows it. */
import { readFile } from 'node:fs/promises';

/** The version in package.json. */
export async function monosemVersion(): Promise<string> {
  const text = await readFile(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
