/** The catalogue: what there is to look at. Fetched once, and again when a run changes. */
import {
  type Broken,
  type Catalogue,
  catalogueSchema,
  type ListedRun,
} from '../../../src/explorer/catalogueSchema.ts';
import { DataError, fetchJson } from './fetch.ts';

export function fetchCatalogue(): Promise<Catalogue> {
  return fetchJson(catalogueSchema, new URL('data/catalogue.json', document.baseURI).href, 'catalogue.json');
}

export function isBroken<T extends object>(listed: T | Broken): listed is Broken {
  return 'error' in listed;
}

/** The run at `path`. DataError where it is not there or cannot be read. */
export function runAt(catalogue: Catalogue, path: string): ListedRun {
  const found = catalogue.runs.find((run) => run.path === path);
  if (found === undefined) throw new DataError(`there is no run ${path} here`);
  if (isBroken(found)) throw new DataError(found.error);
  return found;
}
