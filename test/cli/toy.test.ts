/** `monosem toy`: what there is, one experiment from the command to its entry, and what is refused. */
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { EXPERIMENTS } from '../../src/experiments/index.ts';
import { readEntry } from '../../src/runs/entry.ts';
import { cli } from './fakeTerminal.ts';

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'monosem-toy-'));
});
afterAll(() => rm(root, { recursive: true }));

const quick = (name: string, directory: string, ...more: string[]) =>
  cli(['toy', name, '--quick', '--runs', join(root, directory), ...more]);

describe('monosem toy', () => {
  test('lists every experiment by name', async () => {
    const { code, out } = await cli(['toy']);
    expect(code).toBe(0);
    for (const { name, title } of EXPERIMENTS)
      expect(out).toMatch(new RegExp(`${name} +${title.replaceAll('|', '\\|')}`));
    expect(new Set(EXPERIMENTS.map(({ name }) => name)).size).toBe(EXPERIMENTS.length);
  });

  test('runs one, prints claim, findings and verdict, and leaves an entry with its pictures', async () => {
    const { code, out } = await quick('capacity-allocation', 'one');
    expect(code).toBe(0);
    expect(out).toMatch(/claim +A model deals out its dimensions/);
    expect(out).toMatch(
      /capacity in use, sum C \/ m, probability 0\.5 +1\.000 \[0\.99\d, 1\.00\d\] +at least 0\.98/,
    );
    const entry = await readEntry(join(root, 'one', 'capacity-allocation'));
    expect(out).toContain(`${entry.verdict} (`);
    expect(entry).toMatchObject({ experiment: 'capacity-allocation', quick: true, seed: 0, verdict: 'held' });
    for (const { svg, data } of entry.figures) {
      expect(svg).toMatch(/^<svg.*<circle.*<\/svg>$/s);
      expect(svg).not.toMatch(/<script|NaN|undefined/);
      expect(data.length).toBeGreaterThan(0);
    }
    expect(await readdir(join(root, 'one', 'capacity-allocation'))).toEqual(['entry.json']);
  });

  test('the same seed gives the same findings and pictures, another seed others', async () => {
    const findings = async (directory: string, seed: string) => {
      await quick('capacity-allocation', directory, '--seed', seed);
      const { findings, figures } = await readEntry(join(root, directory, 'capacity-allocation'));
      return JSON.stringify({ findings, figures });
    };
    const first = await findings('a', '3');
    expect(await findings('b', '3')).toBe(first);
    expect(await findings('c', '4')).not.toBe(first);
  });

  test('a wrong name is refused with the right ones, and --all with a name', async () => {
    const wrong = await cli(['toy', 'phase-boundry']);
    expect(wrong.code).toBe(2);
    expect(wrong.err).toContain(
      'there is no experiment phase-boundry; expected one of five-features, phase-boundary',
    );
    const both = await cli(['toy', 'pairs', '--all']);
    expect(both).toMatchObject({ code: 2 });
    expect(both.err).toContain('--all runs every experiment');
  });
});
