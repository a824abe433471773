import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { readParquet } from '../../src/formats/parquet.ts';
import { recordComposition } from '../../src/pipeline/composition.ts';
import { readComposition, writeComposition } from '../../src/runs/composition.ts';
import type { StoredComposition, StoredEdge } from '../../src/runs/compositionSchema.ts';
import { analyse, handMade, pairedGroups } from '../evaluation/composition/handmade.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'monosem-composition-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const composition: StoredComposition = {
  format: 1,
  rows: 4096,
  parameters: { level: 0.05, seed: 3, wider: false },
  counts: {
    dead: 1,
    rare: 0,
    dense: 0,
    manifold: 0,
    composed: 1,
    absorber: 0,
    duplicate: 0,
    split: 0,
    atom: 1,
  },
  tested: { composed: 4, absorbs: 2, duplicate: 0, split: 0, manifold: 0, hedges: 0 },
  atoms: [0, -1],
  latents: [
    { class: 'atom', firings: 30, explained: 1 },
    { class: 'composed', firings: 40, explained: 0.9921875 },
    { class: 'dead', firings: 0, explained: null },
  ],
};
const edges: StoredEdge[] = [
  { kind: 'composed', from: 1, to: 0, atom: 0, strength: 0.9, pValue: 1e-300, qValue: 4e-300 },
  { kind: 'composed', from: 1, to: -1, atom: 1, strength: 0.9, pValue: 1e-300, qValue: 4e-300 },
];

it('comes back as it was written; undefined before', async () => {
  expect(await readComposition(directory)).toBeUndefined();
  await writeComposition(directory, composition, edges);
  expect(await readComposition(directory)).toEqual({ composition, edges });
});

it('may have no edges', async () => {
  await writeComposition(directory, composition, []);
  expect((await readComposition(directory))?.edges).toEqual([]);
});

it('is a plain table for other readers', async () => {
  await writeComposition(directory, composition, edges);
  const table = await readParquet(join(directory, 'composition.parquet'));
  expect(Object.keys(table[0])).toEqual([
    'kind',
    'from_latent',
    'to_latent',
    'atom',
    'strength',
    'p_value',
    'q_value',
  ]);
});

it('counts that are not those of the classes are refused, written or read', async () => {
  const wrong = { ...composition, counts: { ...composition.counts, atom: 2 } };
  const refusal = /counts.atom.* found 2, but 1 latents are of this class/s;
  await expect(writeComposition(directory, wrong, edges)).rejects.toThrow(refusal);
  await writeComposition(directory, composition, edges);
  await writeFile(join(directory, 'composition.json'), JSON.stringify(wrong));
  await expect(readComposition(directory)).rejects.toThrow(refusal);
});

it('an edge that is none is refused by its row', async () => {
  const wrong = [{ ...edges[0], qValue: 1.5 }];
  await expect(writeComposition(directory, composition, wrong)).rejects.toThrow(
    /composition.parquet, row 0.*qValue/s,
  );
});

it('holds the graph of a dictionary by hand', async () => {
  const { decoder, codes } = pairedGroups(4, [[0, 0]], 0.6, 1000);
  const graph = await analyse(await handMade(decoder, codes));
  await recordComposition(directory, graph, { seed: 1, wider: false });
  const stored = await readComposition(directory);
  expect(stored?.composition.counts).toEqual(graph.counts);
  expect(stored?.composition.latents.map((latent) => latent.class)).toEqual(
    graph.nodes.map((node) => node.class),
  );
  const composedOf = stored?.edges
    .filter(({ kind }) => kind === 'composed')
    .map(({ from, to }) => [from, to]);
  expect(composedOf).toEqual([
    [8, 0],
    [8, 4],
  ]);
});
