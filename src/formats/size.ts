/** How much room files take. It must not know what they hold. */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** Bytes of the file at `path`, or of all files below the directory; 0 where there is nothing. */
export async function bytesAt(path: string): Promise<number> {
  const found = await stat(path).catch(() => undefined);
  if (!found?.isDirectory()) return found?.size ?? 0;
  const entries = await readdir(path, { withFileTypes: true, recursive: true }).catch(() => []);
  const sizes = entries
    .filter((entry) => entry.isFile())
    .map(async (entry) => (await stat(join(entry.parentPath, entry.name)).catch(() => ({ size: 0 }))).size);
  return (await Promise.all(sizes)).reduce((a, b) => a + b, 0);
}
