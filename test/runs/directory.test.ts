import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { InputError } from '../../src/formats/errors.ts';
import {
  appendMetrics,
  createRun,
  listRuns,
  readEvaluation,
  readMetrics,
  readRun,
  truncateMetrics,
  updateRun,
  writeEvaluation,
} from '../../src/runs/directory.ts';
import { type Evaluation, type MetricsLine, type Run, storedInterval } from '../../src/runs/schema.ts';
import { syntheticEvaluation, syntheticRun } from '../report/syntheticRun.ts';

let root: string;
let directory: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'monosem-runs-'));
  directory = join(root, 'runs', 'one');
});

afterEach(() => rm(root, { recursive: true, force: true }));

function begunRun(): Run {
  const { model, corpus, activations, training, ...begun } = syntheticRun();
  return { ...begun, status: 'running', timing: {}, flops: {} };
}

function line(step: number): MetricsLine {
  return {
    step,
    tokens: step * 4096,
    loss: 0.5,
    fvu: 0.25,
    auxLoss: 0,
    l0: 32,
    dead: 3,
    gradientNorm: 0.1,
    learningRate: 1e-3,
  };
}

describe('run.json', () => {
  it('comes back as it was written', async () => {
    await createRun(directory, syntheticRun());
    expect(await readRun(directory)).toEqual(syntheticRun());
    expect(await readdir(directory)).toEqual(['run.json']);
  });

  it('is never written over by another run', async () => {
    await createRun(directory, syntheticRun());
    await expect(createRun(directory, begunRun())).rejects.toThrow(/exists already/);
    expect((await readRun(directory)).status).toBe('complete');
  });

  it('leaves no directory behind where it is refused', async () => {
    const bad = { ...syntheticRun(), seed: -1 };
    await expect(createRun(directory, bad)).rejects.toThrow(/run\.json: seed: found -1/);
    expect(await readdir(root)).toEqual([]);
  });

  it('gains phases and replaces the rest when updated', async () => {
    await createRun(directory, begunRun());
    await updateRun(directory, {
      timing: { harvest: { wallSeconds: 1, cpuSeconds: 2 } },
      flops: { harvest: 3 },
    });
    const { model, corpus, activations, training } = syntheticRun();
    const run = await updateRun(directory, {
      status: 'complete',
      model,
      corpus,
      activations,
      training,
      timing: { training: { wallSeconds: 4, cpuSeconds: 5 } },
    });
    expect(run).toEqual(await readRun(directory));
    expect(run.timing).toEqual({
      harvest: { wallSeconds: 1, cpuSeconds: 2 },
      training: { wallSeconds: 4, cpuSeconds: 5 },
    });
    expect(run.flops).toEqual({ harvest: 3 });
    expect(run.training).toEqual(training);
  });

  it('keeps what it was when an update is refused', async () => {
    await createRun(directory, begunRun());
    const before = await readFile(join(directory, 'run.json'), 'utf8');
    await expect(updateRun(directory, { status: 'complete' })).rejects.toThrow(
      /model: missing, though the run is complete/,
    );
    expect(await readFile(join(directory, 'run.json'), 'utf8')).toBe(before);
  });

  it('keeps keys of a newer version through an update', async () => {
    await createRun(directory, begunRun());
    const path = join(directory, 'run.json');
    await writeFile(path, JSON.stringify({ ...begunRun(), verdicts: 7 }));
    await updateRun(directory, { status: 'interrupted' });
    expect(JSON.parse(await readFile(path, 'utf8'))).toMatchObject({ verdicts: 7, status: 'interrupted' });
  });

  it.each([
    ['cut short', '{"format": 1, "na', /run\.json: not JSON/],
    [
      'of another format',
      JSON.stringify({ ...syntheticRun(), format: 2 }),
      /run\.json: format: found 2, expected 1/,
    ],
    [
      'without a status',
      JSON.stringify({ ...syntheticRun(), status: undefined }),
      /run\.json: status is missing/,
    ],
    [
      'with a wrong hash',
      JSON.stringify({ ...syntheticRun(), model: { name: 'm', sha256: 'abc', source: '' } }),
      /run\.json: model\.sha256: found "abc", expected a SHA-256/,
    ],
    ['that is a list', '[]', /run\.json: found \[\], expected object/],
  ])('%s is refused by name', async (_, text, message) => {
    await mkdir(directory, { recursive: true });
    await writeFile(join(directory, 'run.json'), text);
    const reading = readRun(directory);
    await expect(reading).rejects.toThrow(InputError);
    await expect(reading).rejects.toThrow(message);
  });

  it('that is not there is named', async () => {
    await expect(readRun(directory)).rejects.toThrow(/cannot read .*run\.json: there is no such file/);
  });
});

describe('metrics.jsonl', () => {
  beforeEach(() => createRun(directory, begunRun()));

  it('comes back line by line; none where nothing was logged', async () => {
    expect(await readMetrics(directory)).toEqual([]);
    const lines = [line(0), { ...line(10), validationFvu: 0.3 }];
    for (const one of lines) await appendMetrics(directory, one);
    expect(await readMetrics(directory)).toEqual(lines);
  });

  it('refuses a loss that is not a number rather than writing null', async () => {
    await expect(appendMetrics(directory, { ...line(0), loss: Number.NaN })).rejects.toThrow(
      /loss: found NaN/,
    );
    expect(await readMetrics(directory)).toEqual([]);
  });

  it('is cut back to a checkpoint with the bytes it had then', async () => {
    for (const step of [0, 10]) await appendMetrics(directory, line(step));
    const path = join(directory, 'metrics.jsonl');
    const before = await readFile(path, 'utf8');
    await appendMetrics(directory, line(20));
    await writeFile(path, `${await readFile(path, 'utf8')}{"step": 30, "to`);
    await truncateMetrics(directory, 10);
    expect(await readFile(path, 'utf8')).toBe(before);
  });

  it('has nothing to cut where nothing was logged', async () => {
    await truncateMetrics(directory, 10);
    expect(await readdir(directory)).toEqual(['run.json']);
  });

  it('names the line that is not as it should be', async () => {
    await appendMetrics(directory, line(0));
    const path = join(directory, 'metrics.jsonl');
    await writeFile(path, `${await readFile(path, 'utf8')}{"step": 10}\n`);
    await expect(readMetrics(directory)).rejects.toThrow(/metrics\.jsonl, line 2:\s+tokens is missing/);
  });
});

describe('evaluation.json', () => {
  beforeEach(() => createRun(directory, begunRun()));

  it('comes back as it was written; undefined before', async () => {
    expect(await readEvaluation(directory)).toBeUndefined();
    await writeEvaluation(directory, syntheticEvaluation());
    expect(await readEvaluation(directory)).toEqual(syntheticEvaluation());
  });

  const good = syntheticEvaluation();
  const fvu = good.metrics.fvu;
  it.each<[string, Partial<Evaluation>, RegExp]>([
    [
      'an interval upside down',
      { metrics: { fvu: { ...fvu, low: 1, high: 0 } } },
      /metrics\.fvu: low 1 is above high 0/,
    ],
    [
      'half an interval',
      { metrics: { fvu: { ...fvu, low: null } } },
      /metrics\.fvu: one end of the interval is null/,
    ],
    [
      'a null whose interval is half',
      { metrics: { fvu: { ...fvu, nulls: [{ ...fvu.nulls[0], high: null }] } } },
      /metrics\.fvu\.nulls\[0\]: one end of the interval is null/,
    ],
    [
      'a number that is not',
      { metrics: { fvu: { ...fvu, value: Number.NaN } } },
      /metrics\.fvu\.value: found NaN/,
    ],
    [
      'counts that do not fit the edges',
      { density: { edges: [0, 1, 2], dictionaries: [{ name: 'd', counts: [1], silent: 0 }] } },
      /density\.dictionaries\[0\]\.counts: d has 1 counts, expected 2 for 3 edges/,
    ],
    [
      'edges out of order',
      { density: { edges: [1, 0], dictionaries: [{ name: 'd', counts: [1], silent: 0 }] } },
      /density\.edges: expected edges in ascending order/,
    ],
  ])('refuses %s', async (_, patch, message) => {
    await expect(writeEvaluation(directory, { ...good, ...patch })).rejects.toThrow(message);
    expect(await readEvaluation(directory)).toBeUndefined();
  });
});

describe('storedInterval', () => {
  it('turns what is not finite into null, both ends together', () => {
    expect(storedInterval({ value: 1, low: 0, high: 2 })).toEqual({ value: 1, low: 0, high: 2 });
    expect(storedInterval({ value: 1, low: Number.NaN, high: 2 })).toEqual({
      value: 1,
      low: null,
      high: null,
    });
    expect(storedInterval({ value: Number.POSITIVE_INFINITY, low: 0, high: 2 })).toEqual({
      value: null,
      low: 0,
      high: 2,
    });
  });
});

describe('listRuns', () => {
  it('gives the runs by name, a damaged one with what is wrong, and nothing else', async () => {
    const runs = join(root, 'runs');
    await createRun(join(runs, 'b'), syntheticRun());
    await createRun(join(runs, 'a'), syntheticRun());
    await mkdir(join(runs, 'c'));
    await writeFile(join(runs, 'c', 'run.json'), '{');
    await mkdir(join(runs, 'not-a-run'));
    await mkdir(join(runs, '.a.0123.tmp'));
    await writeFile(join(runs, '.a.0123.tmp', 'run.json'), '{}');
    await writeFile(join(runs, 'a-file'), '');
    const listed = await listRuns(runs);
    expect(listed.map((one) => one.directory)).toEqual(['a', 'b', 'c'].map((name) => join(runs, name)));
    expect(listed[0]).toHaveProperty('run.status', 'complete');
    expect(listed[2]).toHaveProperty('error', expect.stringMatching(/c.run\.json: not JSON/));
  });

  it('names a directory that is not there', async () => {
    await expect(listRuns(join(root, 'none'))).rejects.toThrow(/cannot read .*none: there is no such/);
  });
});
