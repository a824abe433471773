/** The order of the table that an address describes, for pages that step through it. It must not know how the table is drawn. */
import type { ListedRun } from '../../../src/explorer/catalogueSchema.ts';
import { readJudged, readLatents } from './latents.ts';
import { readPlacesOnMap } from './mapPlaces.ts';
import { parseQuery, searchLatents } from './search.ts';
import { rowsOf, type View } from './view.ts';

/** The latents that `view` shows, in its order. DataError where what it needs cannot be read. */
export async function latentsInOrder(run: ListedRun, view: View): Promise<Float64Array> {
  const latents = await readLatents(run);
  const [judged, matches, places] = await Promise.all([
    readJudged(run, latents),
    searchLatents(run, latents, parseQuery(view.query)),
    view.box && readPlacesOnMap(run, latents),
  ]);
  return Float64Array.from(rowsOf(view, latents, judged, matches, places), (row) => latents.latent[row]);
}
