import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { cli } from './fakeTerminal.ts';
import { enterStories, leaveStories, small } from './stories.ts';

let root: string;
let config: string;
beforeAll(async () => {
  root = await enterStories();
  config = join(root, 'config.json');
  await writeFile(config, JSON.stringify(small(root)));
});
afterAll(() => leaveStories(root));

test('monosem cost forecasts, and checks its forecast against a run', async () => {
  const forecast = await cli(['cost', '--config', config]);
  expect(forecast.code).toBe(0);
  expect(forecast.out).toMatch(/^phase +alone +as busy as now +CPU time +operations +moved\nmodel /);
  expect(forecast.out).toMatch(/\nmemory +\S+ MB at the peak/);
  expect(forecast.out).toMatch(/\nin the cache +corpus\n/);
  await cli(['train', '--config', config, '--name', 'fact', '--runs', root]);
  const checked = await cli(['cost', '--check', join(root, 'fact'), '--json']);
  expect(checked.code).toBe(0);
  const { phases, disk, memory } = JSON.parse(checked.out);
  expect(phases.training.forecast).toBeGreaterThan(0);
  expect(phases.training.fact).toBeGreaterThan(0);
  expect(memory.fact).toBeGreaterThan(1e8);
  expect(Math.abs(disk.error)).toBeLessThan(0.5);
}, 240_000);

test('a check takes its configuration from the run alone', async () => {
  const both = await cli(['cost', '--check', join(root, 'fact'), '--latents', '96']);
  expect(both.code).toBe(2);
  expect(both.err).toContain('--check');
});

test.each(['cost', 'harvest'])('%s refuses a file of activations, which has no model', async (command) => {
  const file = join(root, 'file.json');
  await writeFile(file, JSON.stringify({ name: 'file', activations: 'activations.npy' }));
  const refused = await cli([command, '--config', file]);
  expect(refused).toMatchObject({ code: 1, out: '' });
  expect(refused.err).toContain('activations: found activations.npy, expected a model');
});

test('only commands that read files of activations offer them', async () => {
  for (const [command, offered] of [
    ['train', true],
    ['sweep', true],
    ['harvest', false],
    ['cost', false],
  ] as const) {
    expect((await cli([command, '--help'])).out.includes('--activations <path>')).toBe(offered);
  }
});
