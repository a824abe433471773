/** The explorer's server: what it gives by ranges, what it refuses, and that no address leads out of a run. */
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import type { Hono } from 'hono';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { catalogueSchema } from '../../src/explorer/catalogueSchema.ts';
import { createRun, RUN_FILES, writeEvaluation } from '../../src/runs/directory.ts';
import { explorerApp } from '../../src/server/app.ts';
import { POLICY } from '../../src/server/policy.ts';
import { syntheticEvaluation, syntheticRun } from '../report/syntheticRun.ts';

const SECRET = 'not for the network';
let root: string;
let app: Hono;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'monosem-server-'));
  const runs = join(root, 'runs');
  await createRun(join(runs, 'sweep', 'a b'), syntheticRun());
  await writeEvaluation(join(runs, 'sweep', 'a b'), syntheticEvaluation());
  await writeFile(join(runs, 'sweep', 'a b', RUN_FILES.features), '0123456789');
  await writeFile(join(runs, 'sweep', 'a b', 'secret.txt'), SECRET);
  await writeFile(join(root, 'secret.txt'), SECRET);
  await mkdir(join(root, 'pages'));
  await writeFile(join(root, 'pages', 'index.html'), '<p>the pages');
  await symlink(root, join(runs, 'link'));
  await symlink(join(root, 'secret.txt'), join(runs, 'sweep', 'a b', RUN_FILES.examples));
  app = explorerApp({ runs, notebook: join(root, 'notebook') }, join(root, 'pages'));
});
afterAll(() => rm(root, { recursive: true }));

const ask = (path: string, headers: Record<string, string> = {}) =>
  app.request(path, { headers: { host: 'localhost:4242', ...headers } });
const FEATURES = '/data/files/sweep/a%20b/features.parquet';

it('gives the pages, under a policy that lets nothing in from outside', async () => {
  const answer = await ask('/');
  expect(await answer.text()).toBe('<p>the pages');
  expect(answer.headers.get('content-security-policy')).toMatch(/^default-src 'none'; script-src 'self'/);
  expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
});

it('has the same policy as the pages bring where no server does', async () => {
  expect(await readFile('web/index.html', 'utf8')).toContain(`content="${POLICY}"`);
});

it('lists what there is', async () => {
  const catalogue = catalogueSchema.parse(await (await ask('/data/catalogue.json')).json());
  expect(catalogue.served).toBe(true);
  expect(catalogue.runs).toMatchObject([
    { path: 'sweep/a b', files: { 'features.parquet': 10 }, problems: [] },
  ]);
});

describe('files of a run', () => {
  it('come whole, or the part that is asked for', async () => {
    expect(await (await ask(FEATURES)).text()).toBe('0123456789');
    const part = await ask(FEATURES, { range: 'bytes=2-4' });
    expect(part.status).toBe(206);
    expect(part.headers.get('content-range')).toBe('bytes 2-4/10');
    expect(await part.text()).toBe('234');
    expect(await (await ask(FEATURES, { range: 'bytes=-3' })).text()).toBe('789');
    expect((await ask(FEATURES, { range: 'bytes=20-30' })).status).toBe(416);
  });

  it('are only those that the catalogue lists', async () => {
    for (const path of [
      '/data/files/sweep/a%20b/secret.txt',
      '/data/files/sweep/a%20b/examples.parquet',
      '/data/files/sweep/a%20b/../../../secret.txt',
      '/data/files/sweep/a%20b%2F..%2F..%2F..%2Fsecret.txt',
      '/data/files/..%2f..%2fsecret.txt',
      '/data/files/link/secret.txt',
      '/data/files//etc/passwd',
      '/data/files/%00',
      '/data/files/%E0%A4%A',
      '/data/posts/..%2F..%2Fsecret.json',
      '/../secret.txt',
      '/%2e%2e/secret.txt',
      '/..%5csecret.txt',
    ]) {
      const answer = await ask(path);
      expect([path, answer.status >= 400, (await answer.text()).includes(SECRET)]).toEqual([
        path,
        true,
        false,
      ]);
    }
  });

  it('cannot be left by any address', async () => {
    const part = fc.constantFrom(
      '..',
      '.',
      '%2e%2e',
      '..%2f',
      '%5c',
      'secret.txt',
      'sweep',
      'a%20b',
      'link',
      '~',
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(part, { maxLength: 8 }),
        fc.constantFrom('/data/files/', '/'),
        async (parts, from) => {
          const answer = await ask(from + parts.join('/'));
          expect(await answer.text()).not.toContain(SECRET);
        },
      ),
      { numRuns: 200 },
    );
  });
});

describe('requests that are refused', () => {
  it('those under the name of another host, which a name that points here would have', async () => {
    for (const host of ['evil.example', 'localhost.evil.example', '192.168.0.1:4242', ''])
      expect((await ask('/data/catalogue.json', { host })).status).toBe(403);
    for (const host of ['localhost', '127.0.0.1:4242', '[::1]:4242'])
      expect((await ask('/data/catalogue.json', { host })).status).toBe(200);
  });

  it('those that a page of another origin sends', async () => {
    for (const origin of ['http://evil.example', 'https://localhost:4242', 'http://localhost:1', 'null'])
      expect((await ask('/data/catalogue.json', { origin })).status).toBe(403);
    expect((await ask('/data/catalogue.json', { origin: 'http://localhost:4242' })).status).toBe(200);
  });
});

it('says what is wrong with a post', async () => {
  await mkdir(join(root, 'notebook'));
  await writeFile(join(root, 'notebook', 'bad.md'), 'no head');
  const answer = await ask('/data/posts/bad.json');
  expect(answer.status).toBe(400);
  expect(((await answer.json()) as { error: string }).error).toMatch(/bad\.md: no head; expected "title/);
});
