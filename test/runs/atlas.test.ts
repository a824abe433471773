/** The explorer's tables: they come back as they were written, with the columns that pages are told of, and refuse what is torn. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { readParquet, writeParquet } from '../../src/formats/parquet.ts';
import {
  readAtlas,
  readAtlasRows,
  readDirectionExamples,
  readDirections,
  readWords,
  writeAtlas,
  writeWords,
} from '../../src/runs/atlas.ts';
import type { Atlas, AtlasRow, Direction, DirectionExample } from '../../src/runs/atlasSchema.ts';
import { exists } from '../../src/runs/directory.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'monosem-atlas-'));
});
afterEach(() => rm(directory, { recursive: true }));

const interval = { value: 2, low: 1, high: 3 };
const atlas: Atlas = {
  format: 1,
  seed: 0,
  split: 'test',
  documents: 3,
  tokens: 30,
  examples: 5,
  level: 0.95,
  parameters: {
    map: { neighbours: 15, epochs: 100, minDistance: 0.1 },
    listed: 10,
    companionLevel: 0.05,
    shareFloor: 0.01,
    groups: 3,
    directionExamples: 12,
  },
  effectiveNeurons: { median: interval, random: { mean: interval, low: 1, high: 4 } },
  directions: {
    kinds: [{ kind: 'neuron', directions: 2, effective: interval }],
    gaps: [{ of: 'neuron', less: 'rotation', effective: { value: 0.5, low: null, high: null } }],
  },
  leftOut: [],
};

function row(latent: number, more: Partial<AtlasRow> = {}): AtlasRow {
  return {
    latent,
    x: 1.5,
    y: -0.25,
    neighbours: [3, 1],
    neighbourCosines: [0.75, -0.5],
    companions: [2],
    companionLifts: [12.5],
    companionCounts: [40],
    neurons: [0, 5],
    neuronWeights: [-0.5, 0.25],
    effectiveNeurons: 100.1,
    activationCounts: new Array(20).fill(7),
    ...more,
  };
}

const nowhere = row(1, { x: NaN, y: NaN, neighbours: [], neighbourCosines: [], effectiveNeurons: NaN });

const direction: Direction = {
  kind: 'neuron',
  index: 4,
  effective: 12.1,
  effectiveLow: 11,
  effectiveHigh: 13.2,
  features: 9,
  latents: [7, 8],
  shares: [0.5, 0.25],
};

const example: DirectionExample = {
  kind: 'latent',
  index: 4,
  cluster: -1,
  rank: 0,
  activation: -2.5,
  document: 1,
  sequence: 2,
  position: 3,
  tokens: ['<script>', '\u0000'],
  activations: [0.5, -2.5],
  focus: 1,
};

it('all tables come back as they were written; undefined before', async () => {
  for (const read of [readAtlas, readAtlasRows, readDirections, readDirectionExamples, readWords])
    expect(await read(directory)).toBeUndefined();
  const silent = {
    ...direction,
    effective: NaN,
    effectiveLow: NaN,
    effectiveHigh: NaN,
    latents: [],
    shares: [],
  };
  await writeAtlas(directory, atlas, {
    rows: [row(0), nowhere],
    directions: { directions: [direction, silent], examples: [example] },
  });
  expect(await readAtlas(directory)).toEqual(atlas);
  expect(await readAtlasRows(directory)).toEqual([row(0), nowhere]);
  expect(await readDirections(directory)).toEqual([direction, silent]);
  expect(await readDirectionExamples(directory)).toEqual([example]);
  await writeWords(directory, [
    {
      word: ['a', 'b'],
      latent: Int32Array.of(1, 0),
      strength: Float32Array.of(1, 0),
      count: Int32Array.of(2, 1),
    },
  ]);
  expect(await readWords(directory)).toEqual([
    { word: 'a', latent: 1, strength: 1, count: 2 },
    { word: 'b', latent: 0, strength: 0, count: 1 },
  ]);
});

it('has the columns that pages are told of, and no tables of directions where there are none', async () => {
  const directions = { directions: [direction], examples: [example] };
  await writeAtlas(directory, atlas, { rows: [row(0)], directions });
  const columnsOf = async (name: string) => Object.keys((await readParquet(join(directory, name)))[0]);
  expect(await columnsOf('atlas.parquet')).toEqual(
    ['latent', 'x', 'y', 'neighbours', 'neighbour_cosines', 'companions', 'companion_lifts'].concat([
      'companion_counts',
      'neurons',
      'neuron_weights',
      'effective_neurons',
      'activation_counts',
    ]),
  );
  expect(await columnsOf('directions.parquet')).toEqual([
    'kind',
    'index',
    'effective',
    'effective_low',
    'effective_high',
    'features',
    'latents',
    'shares',
  ]);
  expect(await columnsOf('direction_examples.parquet')).toEqual(
    ['kind', 'index', 'cluster', 'rank', 'activation', 'document', 'sequence', 'position', 'tokens'].concat([
      'activations',
      'focus',
    ]),
  );
  const other = join(directory, 'other');
  await expect(writeAtlas(other, atlas, { rows: [row(0)] })).rejects.toThrow(/other/);
  await rm(join(directory, 'directions.parquet'));
  await rm(join(directory, 'direction_examples.parquet'));
  await writeAtlas(directory, { ...atlas, directions: null }, { rows: [row(0)] });
  expect(await exists(join(directory, 'directions.parquet'))).toBe(false);
});

it('refuses rows whose lists do not go together, and leaves nothing behind', async () => {
  const refused = (bad: Partial<AtlasRow>, message: RegExp) =>
    expect(writeAtlas(directory, atlas, { rows: [row(0), row(1, bad)] })).rejects.toThrow(message);
  await refused({ neighbourCosines: [1] }, /atlas\.parquet, row 1.*neighbourCosines/s);
  await refused({ companionCounts: [] }, /companionCounts/);
  await refused({ neuronWeights: [1, 2, 3] }, /neuronWeights/);
  await refused({ activationCounts: [1] }, /activationCounts/);
  await refused({ neighbours: [-1, 2] }, /neighbours/);
  expect(await exists(join(directory, 'atlas.parquet'))).toBe(false);
  expect(await readAtlas(directory)).toBeUndefined();
  const write = (bad: DirectionExample) =>
    writeAtlas(directory, atlas, { rows: [], directions: { directions: [], examples: [bad] } });
  await expect(write({ ...example, focus: 2 })).rejects.toThrow(/focus.*found 2/s);
  await expect(write({ ...example, activations: [1] })).rejects.toThrow(/activations/);
});

it('names what is wrong with files from elsewhere', async () => {
  await writeFile(join(directory, 'atlas.json'), '{"format": 2}');
  await expect(readAtlas(directory)).rejects.toThrow(/atlas\.json.*format/s);
  const words = (strength: number) =>
    writeParquet(join(directory, 'words.parquet'), [
      { name: 'word', data: ['a'] },
      { name: 'latent', data: Int32Array.of(0) },
      { name: 'strength', data: Float32Array.of(strength) },
      { name: 'count', data: Int32Array.of(1) },
    ]);
  await words(7);
  await expect(readWords(directory)).rejects.toThrow(/words\.parquet, row 0.*strength/s);
  await words(0.5);
  expect(await readWords(directory)).toHaveLength(1);
  await writeFile(join(directory, 'words.parquet'), 'PAR1 and then nothing');
  await expect(readWords(directory)).rejects.toThrow(/words\.parquet.*cannot be read/s);
});
