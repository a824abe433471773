import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { cli } from './fakeTerminal.ts';

let root: string;
let config: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'monosem-cost-'));
  vi.stubEnv('MONOSEM_CACHE', join(root, 'cache'));
  const corpus = join(root, 'stories.jsonl');
  const stories = Array.from(
    { length: 24 },
    (_, i) => `Tom had ${i} red balls. He went to the park to play.`,
  );
  await writeFile(corpus, stories.map((text) => `${JSON.stringify({ text })}\n`).join(''));
  config = join(root, 'config.json');
  const content = {
    corpus: { name: corpus, context: 16 },
    dictionary: { latents: 48, k: 4 },
    training: { tokens: 640, batch: 64 },
    evaluation: { resamples: 20, nulls: false },
  };
  await writeFile(config, JSON.stringify(content));
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await rm(root, { recursive: true });
});

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
