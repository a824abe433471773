/** The tokens that latents fire on most, by which people know them. It must not know where they are shown. */
import type { ListedRun } from '../../../src/explorer/catalogueSchema.ts';
import { FEATURE_COLUMNS } from '../../../src/runs/columns.ts';
import { hasFile, readPlaces } from './tables.ts';

export type Labels = ReadonlyMap<number, readonly string[]>;

const FILE = 'features.parquet';

/** Of `latents`, those that the run has; of none where it has not come to its features. DataError where they cannot be read. */
export async function readLabels(run: ListedRun, latents: Iterable<number>): Promise<Labels> {
  const wanted = [...new Set(latents)].filter((latent) => latent >= 0 && latent < run.latents);
  if (!hasFile(run, FILE) || wanted.length === 0) return new Map();
  // A row for each latent, in order.
  const rows = await readPlaces(run, FILE, FEATURE_COLUMNS, ['topTokens'], wanted);
  return new Map(rows.map(({ topTokens }, i) => [wanted[i], topTokens]));
}
