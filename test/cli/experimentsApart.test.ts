/** Experiments in processes of their own, as they are built: what they find, and how they end. */
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { experimentOf } from '../../src/experiments/index.ts';
import { runExperiment } from '../../src/experiments/runExperiment.ts';
import { loadBackend } from '../../src/kernels/index.ts';
import { Stopwatch, silent } from '../../src/pipeline/reporter.ts';
import { readEntry } from '../../src/runs/entry.ts';

const built = new URL('../../dist/cli/experimentsApart.js', import.meta.url).href;
const { experimentsApart }: typeof import('../../src/cli/experimentsApart.ts') = await import(built);

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'monosem-apart-'));
});
afterAll(() => rm(root, { recursive: true }));

const bench = (more: object = {}) => ({
  backend: loadBackend({ threads: 2 }),
  reporter: silent,
  stopwatch: new Stopwatch(),
  ...more,
});
const where = (name: string) => ({ directory: join(root, name), seed: 2, quick: true });

describe('experiments apart', () => {
  test('find what one process finds with all threads, and are told in their order, with what is done', async () => {
    const names = ['capacity-allocation', 'compression-bits', 'magnitude'];
    const shares: number[] = [];
    const notes: string[] = [];
    const reporter = {
      begin: () => ({ update: (done: number, total: number) => shares.push(done / total), end: () => {} }),
      note: (line: string) => notes.push(line),
    };
    const entries = await experimentsApart(bench({ reporter }), names, where('apart'));
    expect(entries.map(({ experiment }) => experiment)).toEqual(names);
    expect(shares).toEqual([...shares].sort((a, b) => a - b));
    expect(shares.at(-1)).toBeCloseTo(1, 12);
    expect(notes.map((line) => line.replace(/: (held|did not hold|undecided) \(.*\)$/, '')).sort()).toEqual(
      names,
    );
    for (const [i, name] of names.entries()) {
      const { findings, figures } = await runExperiment(bench(), experimentOf(name), where('together'));
      expect(entries[i]).toMatchObject({ findings, figures, machine: { threads: 1 } });
      expect(await readEntry(join(root, 'apart', name))).toEqual(entries[i]);
    }
  });

  test('one that fails stops the others, and its error is told as it was', async () => {
    await writeFile(join(root, 'taken'), '');
    const failing = experimentsApart(bench(), ['phase-boundary', 'capacity-allocation'], where('taken'));
    await expect(failing).rejects.toThrow(/ENOTDIR|not a directory/);
    await expect(experimentsApart(bench(), ['nothing'], where('none'))).rejects.toMatchObject({
      name: 'InputError',
    });
  });

  test('a signal stops all, with its reason, and leaves no entry', async () => {
    const controller = new AbortController();
    const reason = new Error('enough');
    const reporter = { ...silent, begin: () => ({ update: () => controller.abort(reason), end: () => {} }) };
    const stopped = experimentsApart(
      bench({ reporter, signal: controller.signal }),
      ['phase-boundary', 'pairs'],
      where('stopped'),
    );
    await expect(stopped).rejects.toBe(reason);
    await expect(readdir(join(root, 'stopped'))).rejects.toThrow('ENOENT');
  });
});
