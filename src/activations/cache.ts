/** Where files that can be made again are kept between runs. It must not know what they hold. */

import { resolve } from 'node:path';
import envPaths from 'env-paths';

/**
 * The user's cache directory: `MONOSEM_CACHE` where it is set, else where the platform keeps such files
 * (`~/.cache/monosem` on Linux). It may not exist yet.
 */
export function cacheDirectory(): string {
  const chosen = process.env.MONOSEM_CACHE;
  return chosen ? resolve(chosen) : envPaths('monosem', { suffix: '' }).cache;
}
