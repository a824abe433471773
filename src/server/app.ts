/**
 * The explorer's server as an application of requests and answers: the pages, the catalogue, files of runs by ranges, runs in
 * progress. Only names that the catalogue lists reach the disk, so that no path leads out of a run. It must not know of ports.
 */
import { serveStatic } from '@hono/node-server/serve-static';
import { Hono, type MiddlewareHandler } from 'hono';
import { streamSSE } from 'hono/streaming';
import { makeCatalogue, type Sources } from '../explorer/catalogue.ts';
import { FEED_FILE, FEED_TYPE, feedOf } from '../explorer/feed.ts';
import { listPosts, readPost } from '../explorer/posts.ts';
import { PublicFiles } from '../explorer/publicFiles.ts';
import { scan } from '../explorer/scan.ts';
import { InputError } from '../formats/errors.ts';
import { RUN_FILES } from '../runs/directory.ts';
import { labRoutes } from './lab.ts';
import { followRuns } from './live.ts';
import { POLICY } from './policy.ts';

/** Hosts under which a server on the loopback interface is reached. */
const LOOPBACK = ['localhost', '127.0.0.1', '[::1]'];

/** `pages` is the directory with the built pages. */
export function explorerApp(sources: Sources, pages: string): Hono {
  const app = new Hono();
  const files = new PublicFiles(sources.runs);
  app.use(fromHere);
  app.use(async (c, next) => {
    await next();
    c.header('X-Content-Type-Options', 'nosniff');
    c.header('Referrer-Policy', 'no-referrer');
    c.header('Cross-Origin-Resource-Policy', 'same-origin');
    // The report brings a policy of its own.
    if (!c.req.path.endsWith(`/${RUN_FILES.report}`))
      c.header('Content-Security-Policy', `${POLICY}; frame-ancestors 'none'`);
  });
  app.onError((error, c) => {
    if (error instanceof InputError) return c.json({ error: error.message }, 400);
    console.error(error);
    return c.json({ error: 'the server failed; its terminal says why' }, 500);
  });
  app.notFound((c) => c.json({ error: `there is nothing at ${c.req.path}` }, 404));

  app.get('/data/*', async (c, next) => {
    await next();
    // A run may go on while it is looked at.
    c.header('Cache-Control', 'no-store');
  });
  app.get('/data/catalogue.json', async (c) => c.json(await makeCatalogue(sources, true)));
  app.get('/data/posts/:name{[a-z0-9-]+\\.json}', async (c) =>
    c.json(await readPost(sources.notebook, c.req.param('name').slice(0, -'.json'.length))),
  );
  app.get('/data/files/*', async (c, next) => {
    const path = await files.find(decoded(c.req.path.slice('/data/files/'.length)));
    return path === undefined ? c.notFound() : serveStatic({ path })(c, next);
  });
  app.get(`/${FEED_FILE}`, async (c) =>
    c.body(feedOf(await listPosts(sources.notebook)), 200, { 'Content-Type': FEED_TYPE }),
  );
  app.get('/api/progress', (c) =>
    streamSSE(c, async (stream) => {
      const ended = new AbortController();
      stream.onAbort(() => ended.abort());
      for await (const { event, data } of followRuns(sources.runs, ended.signal))
        await stream.writeSSE({ event, data: JSON.stringify(data) });
    }),
  );
  app.route(
    '/api/lab',
    labRoutes(async (run) => {
      const found = (await scan(sources.runs)).runs.find(({ path }) => path === run);
      if (found === undefined) throw new InputError(`run: there is no run ${run} here`);
      // Only who asks waits for all that computes.
      const { loadBackend } = await import('../kernels/index.ts');
      const { openLab } = await import('../pipeline/lab.ts');
      return openLab({ backend: loadBackend() }, found.directory);
    }),
  );
  app.get('*', serveStatic({ root: pages }));
  return app;
}

/**
 * Lets through only what this machine's own pages ask: a page of another site that is open in the same browser can send requests
 * here (it names another origin), or have its name point here (it names another host).
 */
const fromHere: MiddlewareHandler = async (c, next) => {
  const host = c.req.header('host') ?? '';
  if (!LOOPBACK.includes(host.replace(/:\d+$/, '')))
    return c.json({ error: `the host ${host} is not this machine; open http://localhost` }, 403);
  const origin = c.req.header('origin');
  if (origin !== undefined && origin !== `http://${host}`)
    return c.json({ error: `requests from ${origin} are refused` }, 403);
  return next();
};

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return '';
  }
}
