/** entry.json, on both ways. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readEntry, writeEntry } from '../../src/runs/entry.ts';
import type { Entry } from '../../src/runs/entrySchema.ts';

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'monosem-entry-'));
});
afterAll(() => rm(dir, { recursive: true }));

const entry: Entry = {
  format: 1,
  experiment: 'pairs',
  title: 'Pairs',
  claim: 'a claim',
  prediction: 'a prediction',
  source: 'a source',
  findings: [{ name: 'x', value: 1, low: null, high: null, n: 1, predicted: { low: 0 } }],
  figures: [{ name: 'one', caption: 'a picture', data: [{ x: 1, y: null, line: 'a' }], svg: '<svg></svg>' }],
  verdict: 'undecided',
  because: 'of that',
  quick: true,
  seed: 0,
  created: '2026-01-01T00:00:00.000Z',
  seconds: 1.5,
  versions: { monosem: '0.1.0', node: '20.0.0' },
  machine: { cpu: 'a processor', backend: 'reference', instructionSet: 'javascript', threads: 1 },
};

it('comes back as it was written', async () => {
  await writeEntry(join(dir, 'pairs'), entry);
  expect(await readEntry(join(dir, 'pairs'))).toEqual(entry);
});

it('is refused by file and field, before it is written and after', async () => {
  const wrong = { ...entry, verdict: 'perhaps' as never };
  await expect(writeEntry(join(dir, 'wrong'), wrong)).rejects.toThrow(/entry\.json: verdict/);
  const path = join(dir, 'pairs', 'entry.json');
  const text = await readFile(path, 'utf8');
  await writeFile(path, text.replace('"seed": 0', '"seed": -1'));
  await expect(readEntry(join(dir, 'pairs'))).rejects.toThrow(/entry\.json: seed/);
});
