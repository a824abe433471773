/** What is known of latents beforehand: the tokens that each fires on, and how strongly at most. */
import type { ListedRun } from '../../../src/explorer/catalogueSchema.ts';
import { FEATURE_COLUMNS } from '../../../src/runs/columns.ts';
import { hasFile, readColumns } from '../data/tables.ts';

export interface Label {
  readonly topTokens: readonly string[];
  /** Its strongest firing on the training part; 0 where it never fired. */
  readonly strength: number;
}

const FILE = 'features.parquet';

/** By latent; nothing where the run has not come to its features yet. DataError where they cannot be read. */
export async function readLabels(run: ListedRun): Promise<ReadonlyMap<number, Label>> {
  if (!hasFile(run, FILE)) return new Map();
  const keys = ['latent', 'topTokens', 'maxActivation'] as const;
  const { latent, topTokens, maxActivation } = await readColumns(run, FILE, FEATURE_COLUMNS, keys);
  return new Map(
    Array.from(latent, (j, i) => [j, { topTokens: topTokens[i], strength: maxActivation[i] }] as const),
  );
}
