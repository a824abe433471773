/** The static copy: all that the catalogue lists is there, and where it cannot be finished nothing is. */
import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { catalogueSchema, postSchema } from '../../src/explorer/catalogueSchema.ts';
import { publishSite } from '../../src/explorer/publish.ts';
import { createRun, RUN_FILES, writeEvaluation } from '../../src/runs/directory.ts';
import { writeEntry } from '../../src/runs/entry.ts';
import { syntheticEvaluation, syntheticRun } from '../report/syntheticRun.ts';

let root: string;
let out: string;
const runs = () => join(root, 'runs');
const sources = () => ({ runs: runs(), notebook: join(root, 'notebook') });
const pages = () => join(root, 'pages');

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'monosem-publish-'));
  out = join(root, 'public', 'site');
  await createRun(join(runs(), 'one'), syntheticRun(64));
  await writeEvaluation(join(runs(), 'one'), syntheticEvaluation());
  await writeFile(join(runs(), 'one', 'secret.txt'), 'not for others');
  // Names that mean something in addresses.
  await createRun(join(runs(), 'sweep #1', '50% ? & b'), syntheticRun(64));
  await mkdir(join(runs(), 'damaged'));
  await writeFile(join(runs(), 'damaged', RUN_FILES.run), '{"name": 7}');
  await writeEntry(join(runs(), 'toy', 'pairs'), {
    format: 1,
    experiment: 'pairs',
    title: 'Pairs',
    claim: 'a claim',
    prediction: 'a prediction',
    source: 'a source',
    findings: [],
    figures: [],
    verdict: 'held',
    because: 'of that',
    quick: true,
    seed: 0,
    created: '2026-01-01T00:00:00.000Z',
    seconds: 1.5,
    versions: { monosem: '0.1.0', node: '20.0.0' },
    machine: { cpu: 'a processor', backend: 'reference', instructionSet: 'javascript', threads: 1 },
  });
  await mkdir(join(root, 'notebook'));
  await writeFile(
    join(root, 'notebook', 'one.md'),
    '---\ntitle: One\ndate: 2026-01-31\nsummary: short\n---\nText.\n',
  );
  await mkdir(join(pages(), 'assets'), { recursive: true });
  await writeFile(join(pages(), 'index.html'), '<!doctype html>');
  await writeFile(join(pages(), 'assets', 'index.js'), '1');
});
afterEach(() => rm(root, { recursive: true }));

async function filesBelow(directory: string): Promise<string[]> {
  const found = await readdir(directory, { withFileTypes: true, recursive: true });
  return found
    .filter((one) => one.isFile())
    .map((one) => join(one.parentPath, one.name).slice(directory.length + 1))
    .sort();
}

it('has every file that the catalogue lists, of its size, and none besides', async () => {
  const published = await publishSite(sources(), pages(), out);
  const text = await readFile(join(out, 'data', 'catalogue.json'), 'utf8');
  const catalogue = catalogueSchema.parse(JSON.parse(text));
  expect(catalogue.served).toBe(false);
  const expected = [
    'assets/index.js',
    'data/catalogue.json',
    'data/files/toy/pairs/entry.json',
    'data/posts/one.json',
    'feed.xml',
    'index.html',
  ];
  for (const run of catalogue.runs) {
    if ('error' in run) continue;
    for (const [file, size] of Object.entries(run.files)) {
      const copy = `data/files/${run.path}/${file}`;
      expect((await stat(join(out, copy))).size).toBe(size);
      expect(await readFile(join(out, copy))).toEqual(await readFile(join(runs(), run.path, file)));
      expected.push(copy);
    }
  }
  expect(expected).toContain('data/files/sweep #1/50% ? & b/run.json');
  expect(await filesBelow(out)).toEqual(expected.sort());
  expect(
    postSchema.parse(JSON.parse(await readFile(join(out, 'data/posts/one.json'), 'utf8'))).html,
  ).toContain('Text.');
  expect(await readFile(join(out, 'feed.xml'), 'utf8')).toContain('./#/blog/one');
  expect(published).toMatchObject({ runs: 2, entries: 1, posts: 1, broken: [{ path: 'damaged' }] });
  let bytes = 0;
  for (const file of expected) bytes += (await stat(join(out, file))).size;
  expect(published.bytes).toBe(bytes);
});

it('copies nothing that a link in a run points to', async () => {
  await writeFile(join(root, 'private'), 'mine');
  await symlink(join(root, 'private'), join(runs(), 'one', RUN_FILES.report));
  await publishSite(sources(), pages(), out);
  expect((await filesBelow(out)).filter((file) => file.endsWith(RUN_FILES.report))).toEqual([]);
});

it('lists what a run has when it is copied, not what it had before', async () => {
  const metrics = join(runs(), 'one', RUN_FILES.metrics);
  await writeFile(metrics, 'short');
  let calls = 0;
  await publishSite(sources(), pages(), out, {
    update() {
      if (calls++ > 0) return;
      // The run goes on, and one of its files goes away.
      void writeFile(metrics, 'a good deal longer');
      void rm(join(runs(), 'one', RUN_FILES.evaluation));
    },
  });
  const { runs: listed } = catalogueSchema.parse(
    JSON.parse(await readFile(join(out, 'data', 'catalogue.json'), 'utf8')),
  );
  const one = listed.find(({ path }) => path === 'one')! as { files: Record<string, number> };
  for (const [file, size] of Object.entries(one.files))
    expect((await stat(join(out, 'data', 'files', 'one', file))).size).toBe(size);
});

it('leaves nothing behind where the disk is full, or it is stopped', async () => {
  const failing = (error: Error) =>
    publishSite(sources(), pages(), out, {
      update(done) {
        if (done === 2) throw error;
      },
    });
  const full = Object.assign(new Error('ENOSPC: no space left on device, write'), {
    code: 'ENOSPC',
    syscall: 'write',
  });
  await expect(failing(full)).rejects.toThrow(`cannot write ${out}: the disk is full`);
  await expect(failing(new RangeError('stop'))).rejects.toThrow('stop');
  expect(await readdir(join(root, 'public'))).toEqual([]);
});

it('refuses what is there; with replace it takes the place of a site, and of nothing else', async () => {
  await publishSite(sources(), pages(), out);
  await expect(publishSite(sources(), pages(), out)).rejects.toThrow(/site: it exists already/);
  await rm(join(runs(), 'one'), { recursive: true });
  await publishSite(sources(), pages(), out, { replace: true });
  expect((await filesBelow(out)).filter((file) => file.includes('files/one/'))).toEqual([]);
  expect(await readdir(join(root, 'public'))).toEqual(['site']);

  const home = join(root, 'home');
  await mkdir(home);
  await writeFile(join(home, 'thesis.tex'), 'years of work');
  await expect(publishSite(sources(), pages(), home, { replace: true })).rejects.toThrow(
    /home: not a published site/,
  );
  expect(await readdir(home)).toEqual(['thesis.tex']);
  for (const inside of [join(runs(), 'site'), root, runs()])
    await expect(publishSite(sources(), pages(), inside, { replace: true })).rejects.toThrow(
      /one within the other/,
    );
});

it('a replacement that fails leaves the site as it was', async () => {
  await publishSite(sources(), pages(), out);
  const before = await filesBelow(out);
  await expect(
    publishSite(sources(), pages(), out, {
      replace: true,
      update() {
        throw new RangeError('stop');
      },
    }),
  ).rejects.toThrow('stop');
  expect(await filesBelow(out)).toEqual(before);
  expect(await readdir(join(root, 'public'))).toEqual(['site']);
});

it('killed on the way, it has left no site', async () => {
  const module = new URL('../../dist/explorer/publish.js', import.meta.url).href;
  const script = `
    import { publishSite } from ${JSON.stringify(module)};
    const [runs, notebook, pages, out] = process.argv.slice(1);
    await publishSite({ runs, notebook }, pages, out, {
      update(done) { if (done === 2) process.kill(process.pid, 'SIGKILL'); },
    });
    process.stdout.write('done');`;
  const child = spawn(process.execPath, [
    '--input-type=module',
    '-e',
    script,
    runs(),
    sources().notebook,
    pages(),
    out,
  ]);
  const signal = await new Promise((resolve) => child.once('exit', (_, signal) => resolve(signal)));
  expect(signal).toBe('SIGKILL');
  await expect(stat(out)).rejects.toThrow(/ENOENT/);
  // What is left has a name that says what it is, and the next one is not in its way.
  for (const name of await readdir(join(root, 'public'))) expect(name).toMatch(/^\.site\..*\.tmp$/);
  await publishSite(sources(), pages(), out);
  expect((await stat(join(out, 'index.html'))).isFile()).toBe(true);
});
