/**
 * Addresses of pages: what stands after `#`, so that any file host can serve them. A part of a path is encoded, so a run's own `/`
 * is no boundary. It must not know what pages look like.
 */

export type Route =
  | { page: 'home' | 'playground' | 'notebook' | 'blog' }
  | { page: 'run' | 'features' | 'map' | 'neurons' | 'lab'; run: string }
  | { page: 'feature'; run: string; latent: number }
  | { page: 'direction'; run: string; kind: string; index: number }
  | { page: 'compare'; run: string; other: string }
  | { page: 'entry'; entry: string }
  | { page: 'post'; slug: string }
  | { page: 'unknown'; address: string };

export interface Place {
  readonly route: Route;
  readonly query: URLSearchParams;
}

/** Where `location.hash` leads. */
export function parseHash(hash: string): Place {
  const [path, query = ''] = hash.replace(/^#\/?/, '').split('?', 2);
  return { route: routeOf(path), query: new URLSearchParams(query) };
}

function routeOf(path: string): Route {
  const unknown: Route = { page: 'unknown', address: path };
  let parts: string[];
  try {
    parts = path.split('/').filter(Boolean).map(decodeURIComponent);
  } catch {
    return unknown;
  }
  const [first, second, third, fourth, fifth] = parts;
  if (first === undefined) return { page: 'home' };
  if (first === 'playground' && second === undefined) return { page: 'playground' };
  if (first === 'notebook')
    return second === undefined ? { page: 'notebook' } : { page: 'entry', entry: second };
  if (first === 'blog') return second === undefined ? { page: 'blog' } : { page: 'post', slug: second };
  if (first !== 'run' || second === undefined) return unknown;
  if (third === undefined) return { page: 'run', run: second };
  if (third === 'features' || third === 'map' || third === 'lab') return { page: third, run: second };
  if (third === 'feature' && /^\d{1,9}$/.test(fourth ?? ''))
    return { page: 'feature', run: second, latent: Number(fourth) };
  if (third === 'neurons') {
    if (fourth === undefined) return { page: 'neurons', run: second };
    if (/^\d{1,9}$/.test(fifth ?? ''))
      return { page: 'direction', run: second, kind: fourth, index: Number(fifth) };
  }
  if (third === 'compare' && fourth !== undefined) return { page: 'compare', run: second, other: fourth };
  return unknown;
}

/** The address of a page, with what stands after `?` where given. */
export function hashOf(route: Route, query?: URLSearchParams | Record<string, string>): string {
  const asked = query === undefined ? '' : new URLSearchParams(query).toString();
  return `#/${pathOf(route)}${asked === '' ? '' : `?${asked}`}`;
}

/**
 * Puts how a page is looked at into its address, in the place of what stood there: a slider would leave hundreds of places in the history.
 * It does nothing once the reader has gone to another page.
 */
export function rewriteQuery(route: Route, query: URLSearchParams | Record<string, string>): void {
  if (hashOf(parseHash(location.hash).route) !== hashOf(route)) return;
  history.replaceState(history.state, '', hashOf(route, query));
}

/** What a page is about, apart from the latent or direction of it that it shows: a page is made anew for another. */
export function subjectOf(route: Route): string {
  const { page } = route;
  if ('run' in route) return hashOf({ page: 'run', run: route.run }, { page });
  return hashOf(route);
}

function pathOf(route: Route): string {
  const of = (...parts: (string | number)[]) => parts.map((part) => encodeURIComponent(part)).join('/');
  switch (route.page) {
    case 'home':
      return '';
    case 'run':
      return of('run', route.run);
    case 'features':
    case 'map':
    case 'neurons':
    case 'lab':
      return of('run', route.run, route.page);
    case 'feature':
      return of('run', route.run, 'feature', route.latent);
    case 'direction':
      return of('run', route.run, 'neurons', route.kind, route.index);
    case 'compare':
      return of('run', route.run, 'compare', route.other);
    case 'entry':
      return of('notebook', route.entry);
    case 'post':
      return of('blog', route.slug);
    case 'unknown':
      return route.address;
    default:
      return of(route.page);
  }
}
