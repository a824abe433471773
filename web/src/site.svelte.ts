/** What all pages share: where the reader is, the catalogue, and runs in progress as the server tells of them. */
import { type Catalogue, type Progress, progressSchema } from '../../src/explorer/catalogueSchema.ts';
import { fetchCatalogue } from './data/catalogue.ts';
import { type Place, parseHash } from './router.ts';

class Site {
  place: Place = $state.raw(parseHash(location.hash));
  catalogue: Catalogue | undefined = $state.raw();
  /** Why there is no catalogue. */
  error: string | undefined = $state();
  /** What each run in progress wrote last. */
  progress: Record<string, Progress> = $state({});
}

export const site = new Site();

/** Fetches the catalogue, again where it is there already. */
export async function loadCatalogue(): Promise<void> {
  try {
    site.catalogue = await fetchCatalogue();
    site.error = undefined;
  } catch (error) {
    site.error = (error as Error).message;
  }
}

/** Follows the address, and the runs in progress where a server tells of them. */
export async function start(): Promise<void> {
  addEventListener('hashchange', () => {
    site.place = parseHash(location.hash);
  });
  await loadCatalogue();
  if (!site.catalogue?.served) return;
  const events = new EventSource(new URL('api/progress', document.baseURI));
  events.addEventListener('changed', () => void loadCatalogue());
  events.addEventListener('progress', ({ data }: MessageEvent<string>) => {
    const told = progressSchema.safeParse(JSON.parse(data));
    if (told.success) site.progress[told.data.run] = told.data;
  });
}

/** The run that the page is about, or the first that can be read. */
export function runAtHand(): string | undefined {
  const { route } = site.place;
  if ('run' in route) return route.run;
  return site.catalogue?.runs.find((run) => !('error' in run))?.path;
}
