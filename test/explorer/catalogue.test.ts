/** The catalogue of a directory: what is found, where one stops looking, and that a broken run is listed with the reason. */
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { makeCatalogue } from '../../src/explorer/catalogue.ts';
import { catalogueSchema } from '../../src/explorer/catalogueSchema.ts';
import { scan } from '../../src/explorer/scan.ts';
import { createRun, writeEvaluation } from '../../src/runs/directory.ts';
import { syntheticEvaluation, syntheticRun } from '../report/syntheticRun.ts';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'monosem-catalogue-'));
});
afterEach(() => rm(root, { recursive: true }));

const catalogue = async () => {
  const made = await makeCatalogue({ runs: root, notebook: join(root, 'notebook') }, false);
  // What is written is what the page reads.
  expect(catalogueSchema.parse(JSON.parse(JSON.stringify(made)))).toEqual(JSON.parse(JSON.stringify(made)));
  return made;
};

it('finds runs and those of sweeps, but nothing inside a run, hidden, or behind a link', async () => {
  await createRun(join(root, 'one'), syntheticRun());
  await createRun(join(root, 'sweep', 'arm'), syntheticRun());
  await createRun(join(root, 'one', 'nulls', 'reinitialised'), syntheticRun());
  await createRun(join(root, '.half'), syntheticRun());
  await symlink(root, join(root, 'loop'));
  expect((await scan(root)).runs.map(({ path }) => path)).toEqual(['one', 'sweep/arm']);
});

it('knows a run that is itself the directory by its name', async () => {
  await createRun(join(root, 'one'), syntheticRun());
  expect((await scan(join(root, 'one'))).runs.map(({ path }) => path)).toEqual(['one']);
});

it('gives headline numbers with their intervals and best nulls', async () => {
  await createRun(join(root, 'one'), syntheticRun());
  const evaluation = syntheticEvaluation();
  await writeEvaluation(join(root, 'one'), evaluation);
  const [run] = (await catalogue()).runs;
  const { value, low, high } = evaluation.metrics.explainedVariance;
  expect(run).toMatchObject({ path: 'one', problems: [] });
  expect('headlines' in run && run.headlines[0]).toMatchObject({
    metric: 'explainedVariance',
    measured: { value, low, high },
  });
});

it('lists what cannot be read with the reason', async () => {
  await mkdir(join(root, 'damaged'));
  await writeFile(join(root, 'damaged', 'run.json'), '{"format": 1, "name": 7}');
  await createRun(join(root, 'half'), syntheticRun());
  await writeFile(join(root, 'half', 'evaluation.json'), '[]');
  await mkdir(join(root, 'toy'));
  await writeFile(join(root, 'toy', 'entry.json'), '{');
  const { runs, entries } = await catalogue();
  expect(runs).toMatchObject([
    { path: 'damaged', error: expect.stringMatching(/run\.json:\n.*name: found 7, expected/s) },
    { path: 'half', problems: [expect.stringMatching(/evaluation\.json/)] },
  ]);
  expect(entries).toMatchObject([{ path: 'toy', error: expect.stringMatching(/entry\.json: not JSON/) }]);
});

it('refuses a directory that is not there', async () => {
  await expect(scan(join(root, 'nowhere'))).rejects.toThrow(/cannot read .*nowhere: there is no such file/);
});
