/** `monosem publish`: what it says, and what it refuses. */
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createRun } from '../../src/runs/directory.ts';
import { syntheticRun } from '../report/syntheticRun.ts';
import { cli } from './fakeTerminal.ts';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'monosem-publish-cli-'));
  await createRun(join(root, 'runs', 'one'), syntheticRun(64));
  await mkdir(join(root, 'runs', 'damaged'));
  await writeFile(join(root, 'runs', 'damaged', 'run.json'), '{}');
});
afterEach(() => rm(root, { recursive: true }));

const publish = (...more: string[]) =>
  cli(['publish', join(root, 'runs'), join(root, 'site'), '--notebook', join(root, 'notebook'), ...more]);

test('sums up what was written, lists what is broken, and shows how far it has come', async () => {
  const { code, out, err } = await publish();
  expect(code).toBe(0);
  expect(out).toMatch(/cannot be read, and is listed so: damaged: .*run\.json/);
  expect(out).toMatch(/site: [\d.]+ [kM]B; runs 1, experiments 0, posts 0$/m);
  expect(err).toMatch(/copying: \d+ files in/);
  expect(await readdir(join(root, 'site'))).toEqual(['assets', 'data', 'feed.xml', 'icon.svg', 'index.html']);
});

test('refuses a directory that is there, unless it is to be replaced; prints JSON', async () => {
  await publish();
  const again = await publish();
  expect([again.code, again.err]).toEqual([1, expect.stringMatching(/site: it exists already/)]);
  const { code, out } = await publish('--replace', '--json');
  expect(code).toBe(0);
  expect(JSON.parse(out)).toMatchObject({ runs: 1, broken: [{ path: 'damaged' }] });
});

test('refuses runs that are not there, and leaves nothing', async () => {
  await rm(join(root, 'runs'), { recursive: true });
  const { code, err } = await publish();
  expect([code, err]).toEqual([1, expect.stringMatching(/cannot read .*runs: there is no such file/)]);
  expect(await readdir(root)).toEqual([]);
});
