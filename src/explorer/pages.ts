/** Where the built pages are. */
import { fileURLToPath } from 'node:url';
import { InputError } from '../formats/errors.ts';
import { exists } from '../runs/directory.ts';

/** InputError where they have not been built. */
export async function pagesDirectory(): Promise<string> {
  // The same from src/ and from dist/.
  const directory = fileURLToPath(new URL('../../dist/web', import.meta.url));
  if (!(await exists(directory)))
    throw new InputError(`${directory}: the pages are not built; run: npm run build`);
  return directory;
}
