/** Where the latents of a table stand on the map of the run. It must not know how the map is drawn. */
import type { ListedRun } from '../../../src/explorer/catalogueSchema.ts';
import { ATLAS_COLUMNS } from '../../../src/runs/atlasSchema.ts';
import { readColumns } from '../data/tables.ts';
import type { Latents } from './latents.ts';
import type { Places } from './view.ts';

export async function readPlacesOnMap(run: ListedRun, latents: Latents): Promise<Places> {
  const read = await readColumns(run, 'atlas.parquet', ATLAS_COLUMNS, ['latent', 'x', 'y']);
  const places = {
    x: new Float64Array(latents.count).fill(Number.NaN),
    y: new Float64Array(latents.count).fill(Number.NaN),
  };
  for (let i = 0; i < read.latent.length; i++) {
    const row = latents.rowOf.get(read.latent[i]);
    if (row === undefined) continue;
    places.x[row] = read.x[i];
    places.y[row] = read.y[i];
  }
  return places;
}
