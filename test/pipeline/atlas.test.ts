/** The atlas of whole small runs: its files, the same bytes on any number of threads, what is left out, and refusals. */
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { writeActivations } from '../../src/activations/files/index.ts';
import { memorySource } from '../../src/activations/memory.ts';
import { sha256File } from '../../src/formats/hash.ts';
import { readParquet, writeParquet } from '../../src/formats/parquet.ts';
import { wordsOf } from '../../src/interpretation/atlas/wordsOf.ts';
import { createNativeBackend } from '../../src/kernels/native.ts';
import { atlasRun } from '../../src/pipeline/atlas.ts';
import { Stopwatch, silent } from '../../src/pipeline/reporter.ts';
import { finishRun, trainRun } from '../../src/pipeline/run.ts';
import type { Workbench } from '../../src/pipeline/subject.ts';
import {
  readAtlas,
  readAtlasRows,
  readDirectionExamples,
  readDirections,
  readWords,
} from '../../src/runs/atlas.ts';
import { parseConfig, type RunConfigInput } from '../../src/runs/config.ts';
import { exists, readRun, updateRun } from '../../src/runs/directory.ts';
import { readExamples, readFeatures } from '../../src/runs/tables.ts';
import { smallWorld, width } from '../dictionaries/families/smallWorld.ts';

const config = parseConfig({
  name: 'small',
  hook: 'blocks.1.hook_resid_post',
  corpus: { tokens: 3200, context: 32, validationFraction: 0.1, testFraction: 0.2 },
  dictionary: { latents: 96, k: 4 },
  training: { tokens: 6400, batch: 256, learningRate: 2e-3, windowRows: 1024 },
  evaluation: { resamples: 50, nulls: ['random'] },
  interpretation: { topExamples: 2, sampledExamples: 4 },
});
const FILES = [
  'atlas.json',
  'atlas.parquet',
  'words.parquet',
  'directions.parquet',
  'direction_examples.parquet',
];

let root: string;
let dir: string;
const bench = (threads = 2, more: Partial<Workbench> = {}): Workbench => ({
  backend: createNativeBackend({ threads }),
  reporter: silent,
  stopwatch: new Stopwatch(),
  ...more,
});
const hashes = (of: string) => Promise.all(FILES.map((file) => sha256File(join(of, file))));

async function wholeRun(input: RunConfigInput): Promise<string> {
  const of = parseConfig(input);
  const at = join(root, of.name);
  await trainRun(bench(), of, at, { resume: false });
  await finishRun(bench(), at);
  return at;
}

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'monosem-atlas-'));
  process.env.MONOSEM_CACHE = join(root, 'cache');
  dir = await wholeRun(config);
});
afterAll(async () => {
  createNativeBackend();
  delete process.env.MONOSEM_CACHE;
  await rm(root, { recursive: true });
});

it('is made with every run: where latents stand, and how many neurons serve', async () => {
  const atlas = (await readAtlas(dir))!;
  const rows = (await readAtlasRows(dir))!;
  const features = (await readFeatures(dir))!;
  expect(atlas).toMatchObject({ seed: 0, documents: 20, tokens: 20 * 31, leftOut: [] });
  expect(rows.map(({ latent }) => latent)).toEqual(features.map(({ latent }) => latent));
  for (const [j, row] of rows.entries()) {
    expect(Number.isFinite(row.x) && Number.isFinite(row.y)).toBe(true);
    expect(row.neighbours).toHaveLength(10);
    expect(row.neighbours).not.toContain(j);
    expect(row.neighbourCosines).toEqual([...row.neighbourCosines].sort((a, b) => b - a));
    expect(row.companions).not.toContain(j);
    for (const [i, other] of row.companions.entries()) {
      expect(row.companionLifts[i]).toBeGreaterThan(1);
      expect(row.companionCounts[i]).toBeLessThanOrEqual(atlas.tokens);
      expect(other).toBeLessThan(96);
    }
    expect(row.neurons).toHaveLength(10);
    expect(row.effectiveNeurons).toBeLessThanOrEqual(288);
  }
  expect(rows.some(({ companions }) => companions.length > 0)).toBe(true);
  const { median, random } = atlas.effectiveNeurons;
  expect(median.value).toBeGreaterThan(10);
  expect(random.mean.value).toBeGreaterThan(120);
  const firings = rows.flatMap(({ activationCounts }) => activationCounts).reduce((a, b) => a + b);
  expect(firings).toBeGreaterThan(3 * atlas.tokens);
  expect(firings).toBeLessThanOrEqual(4 * atlas.tokens);
  const { timing, memory } = await readRun(dir);
  expect(timing.atlas.wallSeconds).toBeGreaterThan(0);
  expect(memory!.atlas).toBeGreaterThan(0);
});

it('has a row for each direction, its examples with the token that it is about, and gaps that are differences', async () => {
  const atlas = (await readAtlas(dir))!;
  const directions = (await readDirections(dir))!;
  const examples = (await readDirectionExamples(dir))!;
  const alive = (await readFeatures(dir))!.filter(({ firings }) => firings > 0).length;
  expect(directions).toHaveLength(2 * 288 + alive);
  const effectiveOf = (kind: string) => {
    const values = directions.filter((one) => one.kind === kind && !Number.isNaN(one.effective));
    const sorted = values.map(({ effective }) => effective).sort((a, b) => a - b);
    return (sorted[Math.floor((sorted.length - 1) / 2)] + sorted[Math.ceil((sorted.length - 1) / 2)]) / 2;
  };
  for (const { kind, effective } of atlas.directions!.kinds) {
    expect(effective.value).toBeCloseTo(effectiveOf(kind), 10);
    expect(effective.low!).toBeLessThan(effective.value!);
  }
  for (const { of, less, effective } of atlas.directions!.gaps)
    expect(effective.value).toBeCloseTo(effectiveOf(of) - effectiveOf(less), 10);
  for (const { effective, effectiveLow, effectiveHigh, shares } of directions) {
    if (Number.isNaN(effective)) continue;
    expect(effectiveLow).toBeLessThanOrEqual(effective);
    expect(effectiveHigh).toBeGreaterThanOrEqual(effective);
    expect(shares.reduce((a, b) => a + b)).toBeLessThanOrEqual(1.0001);
  }
  expect(examples).toHaveLength(12 * directions.length);
  for (const [i, one] of examples.entries()) {
    const { kind, index } = directions[Math.floor(i / 12)];
    expect([one.kind, one.index, one.rank]).toEqual([kind, index, i % 12]);
    expect(one.activations[one.focus]).toBe(one.activation);
    expect(one.cluster).toBeGreaterThanOrEqual(-1);
    expect(one.cluster).toBeLessThan(96);
  }
});

it('finds by every word exactly the examples that hold it', async () => {
  const examples = (await readExamples(dir))!;
  const rows = (await readWords(dir))!;
  const held = new Map<string, number>();
  for (const { latent, tokens } of examples)
    for (const word of new Set(wordsOf(tokens.join('')).map((one) => one.word)))
      held.set(`${latent} ${word}`, (held.get(`${latent} ${word}`) ?? 0) + 1);
  expect(new Map(rows.map(({ latent, word, count }) => [`${latent} ${word}`, count]))).toEqual(held);
  expect((await readAtlas(dir))!.examples).toBe(examples.length);
  const words = rows.map(({ word }) => word);
  expect(words).toEqual([...words].sort());
  expect(rows.every(({ strength }) => strength >= 0 && strength <= 1)).toBe(true);
  // What a latent fires on most has the word with strength 1.
  const top = examples.find(({ kind, rank }) => kind === 'top' && rank === 0)!;
  expect(rows.some(({ latent, strength }) => latent === top.latent && strength > 0.999)).toBe(true);
});

it('comes to the same bytes on one thread, also after it was stopped', async () => {
  const expected = await hashes(dir);
  const again = join(root, 'again');
  await cp(dir, again, { recursive: true });
  for (const file of FILES) await rm(join(again, file));
  const stop = new AbortController();
  const reporter = {
    ...silent,
    begin: (name: string) => ({ update: () => name === 'map' && stop.abort(), end: () => {} }),
  };
  await expect(atlasRun(bench(1, { reporter, signal: stop.signal }), again)).rejects.toThrow(/abort/i);
  expect(await exists(join(again, 'atlas.json'))).toBe(false);
  await atlasRun(bench(1), again);
  expect(await hashes(again)).toEqual(expected);
});

it('leaves out directions of transcoders and crosscoders, and says why', async () => {
  const small = {
    ...config,
    corpus: { ...config.corpus, tokens: 1600 },
    training: { tokens: 1280, batch: 256 },
    evaluation: { resamples: 10, nulls: [] as string[] },
  };
  const target = { hook: 'blocks.1.hook_mlp_out' };
  const transcoder = { ...small, name: 'transcoder', hook: 'blocks.1.ln2.hook_normalized', target };
  const two = ['blocks.1.hook_resid_post', 'blocks.2.hook_resid_post'];
  const crosscoder = { ...small, name: 'crosscoder', hook: two };
  for (const [input, reason] of [
    [transcoder, /transcoder/],
    [crosscoder, /crosscoder/],
  ] as const) {
    const at = await wholeRun(input as never);
    const atlas = (await readAtlas(at))!;
    expect(atlas.directions).toBeNull();
    expect(atlas.leftOut).toEqual([{ part: 'directions', reason: expect.stringMatching(reason) }]);
    expect(await readDirections(at)).toBeUndefined();
    expect(await readAtlasRows(at)).toHaveLength(96);
    expect((await readWords(at))!.length).toBeGreaterThan(0);
  }
});

it('is made of a file of activations, whose tokens are numbers', async () => {
  const { activations } = smallWorld();
  const rows = activations.length / width;
  const tokens = Int32Array.from({ length: rows }, (_, r) => r % 7);
  const file = join(root, 'world.safetensors');
  await writeActivations(file, memorySource({ width, activations, tokens }));
  const at = await wholeRun({
    name: 'file',
    activations: file,
    corpus: { validationFraction: 0.1, testFraction: 0.1 },
    dictionary: { latents: 32, k: 4 },
    training: { tokens: 2560, batch: 256 },
    evaluation: { resamples: 10 },
    interpretation: { topExamples: 2, sampledExamples: 4 },
  });
  expect((await readAtlas(at))!.directions!.kinds[0]).toMatchObject({ kind: 'neuron', directions: width });
  expect((await readDirectionExamples(at))![0].tokens[0]).toMatch(/^#\d$/);
  expect(new Set((await readWords(at))!.map(({ word }) => word))).toEqual(
    new Set(['#', '0', '1', '2', '3', '4', '5', '6']),
  );
});

it('refuses a run that is not explained, and examples that are not its own', async () => {
  const bad = join(root, 'bad');
  await cp(dir, bad, { recursive: true });
  const path = join(bad, 'examples.parquet');
  const [example] = await readParquet(path);
  const write = (more: object) =>
    writeParquet(
      path,
      ['latent', 'tokens', 'activations'].map((name) => ({
        name,
        data: [{ ...example, ...more }, example].map((row) => (row as Record<string, unknown>)[name]),
        type: ({ latent: 'INT32', tokens: 'STRING[]', activations: 'FLOAT[]' } as const)[name as 'latent'],
      })),
    );
  await write({ latent: 96 });
  await expect(atlasRun(bench(), bad)).rejects.toThrow(/examples\.parquet, row 0: found latent 96/);
  await write({ latent: 5 });
  await expect(atlasRun(bench(), bad)).rejects.toThrow(/row 1: found latent 0 after 5/);
  await write({ activations: [1] });
  await expect(atlasRun(bench(), bad)).rejects.toThrow(/as many tokens as activations/);
  await cp(join(root, 'file', 'features.parquet'), join(bad, 'features.parquet'));
  await expect(atlasRun(bench(), bad)).rejects.toThrow(
    /features\.parquet: found 32 rows, expected latents 0 to 95/,
  );
  await rm(join(bad, 'features.parquet'));
  await expect(atlasRun(bench(), bad)).rejects.toThrow(/explain them first: monosem evaluate/);
  await updateRun(dir, { status: 'interrupted' });
  await expect(atlasRun(bench(), dir)).rejects.toThrow(/not explained yet/);
});
