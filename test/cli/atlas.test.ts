/** `monosem atlas`: what is refused, and what is said of one. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { atlasText } from '../../src/cli/atlasText.ts';
import type { Atlas } from '../../src/runs/atlasSchema.ts';
import { cli } from './fakeTerminal.ts';

const interval = (value: number) => ({ value, low: value - 1, high: value + 1 });
const atlas: Atlas = {
  format: 1,
  seed: 0,
  split: 'test',
  documents: 12,
  tokens: 3456,
  examples: 789,
  level: 0.95,
  parameters: {
    map: { neighbours: 15, epochs: 100, minDistance: 0.1 },
    listed: 10,
    companionLevel: 0.05,
    shareFloor: 0.01,
    groups: 12,
    directionExamples: 12,
  },
  effectiveNeurons: { median: interval(130), random: { mean: interval(139), low: 125, high: 153 } },
  directions: {
    kinds: [
      { kind: 'neuron', directions: 288, effective: interval(60) },
      { kind: 'rotation', directions: 288, effective: interval(70) },
    ],
    gaps: [{ of: 'neuron', less: 'rotation', effective: interval(-10) }],
  },
  leftOut: [],
};

test('a run that is not there is a failure that names it', async () => {
  const root = await mkdtemp(join(tmpdir(), 'monosem-atlas-'));
  const { code, err } = await cli(['atlas', join(root, 'nothing')]);
  expect(code).toBe(1);
  expect(err).toContain(join(root, 'nothing', 'run.json'));
  await rm(root, { recursive: true });
});

test('the table has neurons beside their null, and says how far apart they are', () => {
  const text = atlasText('runs/x', atlas);
  expect(text).toMatch(/neurons +288 +60\.0 \[59\.0, 61\.0\]/);
  expect(text).toMatch(/null: axes of a random basis +288 +70\.0 \[69\.0, 71\.0\] +−10\.0 \[−11\.0, −9\.0\]/);
  expect(text).toContain('over 130.0 [129.0, 131.0] neurons');
  expect(text).toContain('12 test documents, 3,456 tokens; words of 789 examples');
});

test('what was left out is said, with the reason', () => {
  const leftOut = [{ part: 'directions', reason: 'a transcoder does not reconstruct what it reads' }];
  const text = atlasText('runs/x', { ...atlas, directions: null, leftOut });
  expect(text).toContain('No directions: a transcoder does not reconstruct what it reads.');
  expect(text).not.toContain('null: axes');
});
