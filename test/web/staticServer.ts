/** A plain file server with ranges, below a path such as `/some/where/`: what a host of static sites is. It knows nothing of monosem. */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';

const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.xml': 'application/xml',
  '.wasm': 'application/wasm',
};

export async function serveFiles(directory: string, below: string) {
  const server = createServer(async ({ url = '', headers }, response) => {
    const path = decodeURIComponent(url.split('?')[0]);
    const file = join(directory, path.slice(below.length), path.endsWith('/') ? 'index.html' : '');
    const found = path.startsWith(below) && (await stat(file).catch(() => undefined));
    if (found === false || !found?.isFile()) return response.writeHead(404).end();
    const type = {
      'Content-Type': TYPES[extname(file)] ?? 'application/octet-stream',
      'Accept-Ranges': 'bytes',
    };
    const [, first, last] = /^bytes=(\d+)-(\d*)$/.exec(headers.range ?? '') ?? [];
    if (first === undefined) {
      response.writeHead(200, { ...type, 'Content-Length': found.size });
      return createReadStream(file).pipe(response);
    }
    const [start, end] = [Number(first), Math.min(found.size - 1, Number(last || found.size))];
    const range = {
      'Content-Range': `bytes ${start}-${end}/${found.size}`,
      'Content-Length': end - start + 1,
    };
    response.writeHead(206, { ...type, ...range });
    return createReadStream(file, { start, end }).pipe(response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}${below}`,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
