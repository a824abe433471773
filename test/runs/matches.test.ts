/** Matches with other runs come back as they were written, and what is torn is refused. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { readMatches, writeMatches } from '../../src/runs/matches.ts';
import type { Match, StoredMatches } from '../../src/runs/matchesSchema.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'monosem-matches-'));
});
afterEach(() => rm(directory, { recursive: true }));

const share = { value: 0.5, low: 0.4, high: 0.6 };
const matches: StoredMatches = {
  format: 1,
  seed: 0,
  level: 0.95,
  comparisons: [
    {
      name: 'other',
      created: '2026-01-01T00:00:00.000Z',
      latents: 2,
      threshold: 0.3,
      chance: 0.01,
      matched: share,
      cosine: share,
      nulls: [{ name: 'mixed', matched: share, cosine: { value: 0.2, low: null, high: null } }],
    },
  ],
};
const rows: Match[] = [
  { comparison: 0, latent: 0, other: 1, cosine: 0.25, mutual: true },
  { comparison: 0, latent: 1, other: -1, cosine: 0, mutual: false },
];

it('come back', async () => {
  expect(await readMatches(directory)).toBeUndefined();
  await writeMatches(directory, matches, rows);
  expect(await readMatches(directory)).toEqual({ matches, rows });
});

it('name the field that is not as it should be', async () => {
  await writeMatches(directory, matches, rows);
  await writeFile(join(directory, 'matches.json'), JSON.stringify({ ...matches, level: 2 }));
  await expect(readMatches(directory)).rejects.toThrow(/matches\.json.*level/s);
});
