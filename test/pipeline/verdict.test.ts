/** The verdict on a whole small run of stories15M: its files, the same bytes on any number of threads, refusals. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { sha256File } from '../../src/formats/hash.ts';
import { createNativeBackend } from '../../src/kernels/native.ts';
import { quantile } from '../../src/math/statistics.ts';
import { Stopwatch, silent } from '../../src/pipeline/reporter.ts';
import { finishRun, trainRun } from '../../src/pipeline/run.ts';
import type { Workbench } from '../../src/pipeline/subject.ts';
import { judgeRun } from '../../src/pipeline/verdict.ts';
import { readComposition } from '../../src/runs/composition.ts';
import { parseConfig } from '../../src/runs/config.ts';
import { exists, readRun, updateRun } from '../../src/runs/directory.ts';
import { readEvidence, readLatentEvidence } from '../../src/runs/evidence.ts';
import { EVIDENCE_MEASURES, EVIDENCE_QUANTILES } from '../../src/runs/evidenceSchema.ts';

const config = parseConfig({
  name: 'judged',
  hook: 'blocks.1.hook_resid_post',
  corpus: { tokens: 3200, context: 32, validationFraction: 0.1, testFraction: 0.2 },
  dictionary: { latents: 96, k: 4 },
  training: { tokens: 6400, batch: 256, learningRate: 2e-3, windowRows: 1024 },
  evaluation: { resamples: 100, nulls: ['random', 'frozen-decoder', 'reinitialised'] },
  interpretation: { topExamples: 1, sampledExamples: 1 },
});

let root: string;
let dir: string;
/** Text that is not the run's own. */
let other: string;
const bench = (threads = 2, more: Partial<Workbench> = {}): Workbench => ({
  backend: createNativeBackend({ threads }),
  reporter: silent,
  stopwatch: new Stopwatch(),
  ...more,
});

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'monosem-verdict-'));
  process.env.MONOSEM_CACHE = join(root, 'cache');
  dir = join(root, 'judged');
  other = join(root, 'other.txt');
  const line = (i: number) =>
    `The ${['cat', 'dog', 'bird'][i % 3]} saw ${i} big red balls and ran to the park with Tim.`;
  await writeFile(other, Array.from({ length: 120 }, (_, i) => line(i)).join('\n'));
  await trainRun(bench(), config, dir, { resume: false });
});
afterAll(async () => {
  createNativeBackend();
  delete process.env.MONOSEM_CACHE;
  await rm(root, { recursive: true });
});

it('refuses a run that is not evaluated, then judges it', async () => {
  await expect(judgeRun(bench(), dir, 0.1)).rejects.toThrow(/evaluate it first: monosem evaluate/);
  await finishRun(bench(), dir);
  const stop = new AbortController();
  stop.abort();
  expect(await judgeRun(bench(2, { signal: stop.signal }), dir, 0.1)).toBeUndefined();
  expect(await readEvidence(dir)).toBeUndefined();

  await expect(judgeRun(bench(), dir, 0.1, 'nowhere')).rejects.toThrow(/corpus nowhere: no such file/);
  await expect(judgeRun(bench(), dir, 0.1, 'self')).rejects.toThrow(/it is the run's own; name another/);
  const summary = (await judgeRun(bench(), dir, 0.1, other))!;
  expect(summary).toEqual(await readEvidence(dir));
  expect(summary.dictionaries.map(({ name }) => name)).toEqual([
    'dictionary',
    'random',
    'frozen-decoder',
    'reinitialised',
  ]);
  for (const one of summary.dictionaries) {
    expect(one.latents).toBe(96);
    expect(one.supported + one.unsupported + one.undecided).toBe(96);
    expect(one.supportedShare.value).toBeCloseTo(one.supported / 96, 12);
    expect(one.gap === undefined).toBe(one.name === 'dictionary');
    expect(Object.keys(one.distributions!)).toEqual(
      expect.arrayContaining(['consensus', 'agreement', 'share']),
    );
    expect('ablated' in one.distributions!).toBe(one.name === 'dictionary');
  }
  const latents = (await readLatentEvidence(dir))!;
  expect(latents).toHaveLength(96);
  for (const measure of EVIDENCE_MEASURES) {
    const values = latents.map((one) => one[measure]).filter((value) => !Number.isNaN(value));
    const told = summary.dictionaries[0].distributions![measure]!;
    expect(told.latents).toBe(values.length);
    expect(told.quantiles).toEqual(EVIDENCE_QUANTILES.map((p) => quantile(values, p)));
  }
  const known = latents.filter(({ probability }) => !Number.isNaN(probability));
  expect(known).toHaveLength(summary.dictionaries[0].judged);
  expect(known.length).toBeGreaterThan(20);
  for (const one of known) {
    expect(one.probability).toBeGreaterThanOrEqual(0);
    expect(one.probability).toBeLessThanOrEqual(1);
    expect(one.consensusLow).toBeLessThanOrEqual(one.consensus);
    expect(one.agreement).toBeGreaterThanOrEqual(0);
    expect(one.sharePercentile).toBeGreaterThanOrEqual(0);
  }
  const classes = summary.classes.map(({ latents: count }) => count);
  expect(classes.reduce((a, b) => a + b)).toBe(96);
  for (const { class: name, latents: count, supported } of summary.classes) {
    const own = latents.filter((one) => one.class === name);
    expect(own).toHaveLength(count);
    expect(own.filter(({ verdict }) => verdict === 'supported')).toHaveLength(supported);
  }
  expect(summary.otherCorpus!.name).toBe('other.txt');
  for (const { name, distributions } of summary.dictionaries)
    expect(distributions!.transfer, name).toBeDefined();
  expect((await readComposition(dir))!.composition.latents).toHaveLength(96);
  expect(known.filter(({ ablated }) => !Number.isNaN(ablated)).length).toBeGreaterThan(10);
  expect(await readFile(join(dir, 'report.html'), 'utf8')).toContain('id="evidence"');
});

it('comes to the same bytes on another number of threads, and keeps no checkpoints of companions', async () => {
  const before = await Promise.all(
    ['evidence.json', 'evidence.parquet'].map((file) => sha256File(join(dir, file))),
  );
  await rm(join(dir, 'companions'), { recursive: true });
  await rm(join(dir, 'nulls', 'reinitialised', 'companions'), { recursive: true });
  await judgeRun(bench(1), dir, 0.1, other);
  const after = await Promise.all(
    ['evidence.json', 'evidence.parquet'].map((file) => sha256File(join(dir, file))),
  );
  expect(after).toEqual(before);
  expect(await exists(join(dir, 'companions', 'seeds-1', 'sae'))).toBe(true);
  expect(await exists(join(dir, 'companions', 'seeds-1', 'checkpoints'))).toBe(false);
});

it('refuses what is no autoencoder of one hook point', async () => {
  const run = await readRun(dir);
  const two = ['blocks.1.hook_resid_post', 'blocks.2.hook_resid_post'];
  await updateRun(dir, { config: { ...run.config, hook: two } });
  await expect(judgeRun(bench(), dir, 0.1)).rejects.toThrow(/autoencoders of one hook point/);
  await updateRun(dir, { config: run.config });
});
