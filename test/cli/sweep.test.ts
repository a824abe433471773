import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sweepTable } from '../../src/cli/sweepTable.ts';
import { cli, fakeTerminal, recorder } from './fakeTerminal.ts';
import { enterStories, leaveStories, small } from './stories.ts';

let root: string;
let grid: string;
beforeAll(async () => {
  root = await enterStories();
  grid = join(root, 'grid.json');
  const base = { ...small(root), dictionary: { latents: 48 } };
  await writeFile(grid, JSON.stringify({ name: 'small', base, grid: { 'dictionary.k': [2, 4] } }));
});
afterAll(() => leaveStories(root));

test('a sweep stopped by Ctrl-C goes on; the table has a row for each arm; other commands read the arms', async () => {
  const err = recorder({ onText: (text) => text.startsWith('harvest:') && terminal.signals.emit('SIGINT') });
  const terminal = fakeTerminal({ err });
  const stopped = await cli(['sweep', grid, '--seeds', '0,1', '--runs', root], terminal);
  expect(stopped).toMatchObject({ code: 130, out: '' });
  expect(stopped.err).toMatch(/4 arms in 1 pass; about \d.* of memory/);
  expect(stopped.err).toContain(`monosem sweep --resume ${join(root, 'small')}`);

  const again = await cli(['sweep', grid, '--runs', root]);
  expect(again).toMatchObject({ code: 1, out: '' });
  expect(again.err).toContain('it exists already');

  const resumed = await cli(['sweep', '--resume', join(root, 'small')]);
  expect(resumed.code).toBe(0);
  for (const arm of ['k2-seed0', 'k2-seed1', 'k4-seed0', 'k4-seed1'])
    expect(resumed.out).toMatch(new RegExp(`${arm} +48 +k \\d +\\d\\.\\d \\[.*evaluated`));
  expect(resumed.out).toMatch(/k +k2-seed1 +k4-seed1 +\d\.\d\d/);

  const summary = await cli(['sweep', '--resume', join(root, 'small'), '--json']);
  expect(JSON.parse(summary.out).arms).toHaveLength(4);
  const run = await cli(['run', join(root, 'small', 'k4-seed1')]);
  expect(run.code).toBe(0);
  expect(run.out).toMatch(/status +evaluated/);
  const config = JSON.parse(await readFile(join(root, 'small', 'k4-seed1', 'run.json'), 'utf8')).config;
  expect(config).toMatchObject({ seed: 1, dictionary: { latents: 48, k: 4 } });
});

describe('the table', () => {
  const interval = (value: number) => ({ value, low: value, high: value, n: 9, nulls: [] });
  const arm = (name: string, more: object) => ({
    name,
    site: 'blocks.0.hook_resid_post',
    status: 'complete' as const,
    latents: 64,
    knob: { name: 'k' as const, asked: 8 },
    offK: false,
    ...more,
  });

  test('warns of a knob that is stuck and of an L0 that is off k, and says who stopped whom', () => {
    const stop = { step: 10, fvu: 0.5, l0: 8, by: 'a', byFvu: 0.2, byL0: 8 };
    const text = sweepTable({
      directory: 'runs/s',
      name: 's',
      arms: [
        arm('a', { metrics: { l0: interval(12), explainedVariance: interval(0.8) }, offK: true }),
        arm('b', { status: 'stopped', stopped: stop }),
      ],
      elasticities: [{ knob: 'k', from: 'a', to: 'c', value: 0.05, stuck: true }],
    });
    expect(text).toContain('a and c: the knob no longer moves L0');
    expect(text).toContain('Warning: a: L0 on the test split is more than 10 % off its k.');
    expect(text).toContain('stopped at step 10 by a: FVU 0.500 against 0.200');
    const calm = sweepTable({ directory: 'runs/s', name: 's', arms: [arm('a', {})], elasticities: [] });
    expect(calm).not.toContain('Warning');
  });
});
