import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { cli, fakeTerminal, recorder } from './fakeTerminal.ts';
import { enterStories, leaveStories, small } from './stories.ts';

let root: string;
let config: string;
beforeAll(async () => {
  root = await enterStories();
  config = join(root, 'config.json');
  await writeFile(config, JSON.stringify(small(root)));
});
afterAll(() => leaveStories(root));

const status = async (run: string) => JSON.parse(await readFile(join(run, 'run.json'), 'utf8')).status;

test('a run stopped by Ctrl-C goes on to the same bytes as one that was not, and is not begun twice', async () => {
  const train = ['train', '--config', config, '--runs', root, '--json'];
  const err = recorder({ onText: (text) => text.startsWith('harvest:') && terminal.signals.emit('SIGINT') });
  const terminal = fakeTerminal({ err });
  const stopped = join(root, 'stopped');
  const interrupted = await cli([...train, '--name', 'stopped'], terminal);
  expect(interrupted).toMatchObject({ code: 130, out: '' });
  expect(interrupted.err).toContain(`monosem train --resume ${stopped}`);
  expect(await status(stopped)).toBe('interrupted');

  const again = await cli([...train, '--name', 'stopped']);
  expect(again).toMatchObject({ code: 1, out: '' });
  expect(again.err).toContain(`${stopped}: it exists already`);

  const resumed = await cli(['train', '--resume', stopped, '--json']);
  expect(resumed.code).toBe(0);
  expect(JSON.parse(resumed.out)).toMatchObject({ directory: stopped, evaluation: { format: 1 } });
  expect(await status(stopped)).toBe('complete');

  const whole = await cli([...train, '--name', 'whole', '--train-only']);
  expect(whole.code).toBe(0);
  expect(JSON.parse(whole.out)).toMatchObject({ training: { steps: 10, tokens: 640 } });
  const weights = (run: string) => readFile(join(root, run, 'sae', 'sae_weights.safetensors'));
  expect((await weights('stopped')).equals(await weights('whole'))).toBe(true);
});

test('monosem evaluate prints the table and the report; a harvest says where it is', async () => {
  const evaluated = await cli(['evaluate', join(root, 'stopped')]);
  expect(evaluated.code).toBe(0);
  expect(evaluated.out).toMatch(/explained variance +\S+ \[.*\]\n/);
  expect(evaluated.out).toContain(join(root, 'stopped', 'report.html'));

  const harvested = await cli(['harvest', '--config', config, '--json']);
  expect(harvested.code).toBe(0);
  const { directory, rows, modelGenerated } = JSON.parse(harvested.out);
  expect(directory.startsWith(join(root, 'cache'))).toBe(true);
  expect(rows).toBeGreaterThan(100);
  expect(modelGenerated).toBe(false);
});

test('monosem doctor says what there is', async () => {
  const { code, out } = await cli(['doctor', '--json']);
  expect(code).toBe(0);
  const found = JSON.parse(out);
  expect(found.cache.directory).toBe(join(root, 'cache'));
  expect(found.cache.bytes).toBeGreaterThan(0);
  expect(found.model.name).toBe('stories15M');
  expect((await cli(['doctor'])).out).toMatch(/^monosem +\d+\.\d+\.\d+\nNode +20/);
});
