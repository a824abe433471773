/** `monosem verdict`: what is refused, and the table. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { verdictText } from '../../src/cli/verdictText.ts';
import type { EvidenceSummary, JudgedDictionary } from '../../src/runs/evidenceSchema.ts';
import { cli } from './fakeTerminal.ts';

test('a rate that is none is a usage error, and a run that is not there a failure that names it', async () => {
  for (const level of ['0', '1', 'much']) {
    const { code, err } = await cli(['verdict', 'runs/x', '--level', level]);
    expect(code).toBe(2);
    expect(err).toContain('expected a rate between 0 and 1');
  }
  const root = await mkdtemp(join(tmpdir(), 'monosem-verdict-'));
  const { code, err } = await cli(['verdict', join(root, 'nothing')]);
  expect(code).toBe(1);
  expect(err).toContain(join(root, 'nothing', 'run.json'));
  await rm(root, { recursive: true });
});

const interval = (value: number) => ({ value, low: value - 0.01, high: value + 0.01 });

function judged(name: string, supported: number, own?: number): JudgedDictionary {
  const share = supported / 100;
  return {
    name,
    latents: 100,
    judged: 90,
    supported,
    unsupported: 10,
    undecided: 90 - supported,
    supportedShare: interval(share),
    probability: interval(share),
    ...(own !== undefined && {
      gap: { supportedShare: interval(own / 100 - share), probability: interval(own / 100 - share) },
    }),
  };
}

function summary(...dictionaries: JudgedDictionary[]): EvidenceSummary {
  return {
    format: 1,
    level: 0.1,
    split: 'test',
    documents: 7,
    tokens: 1234,
    dictionaries,
    classes: [
      { class: 'atom', latents: 100, supported: 40, unsupported: 10, undecided: 50, probability: null },
    ],
  };
}

test('the table says what the nulls leave of it', () => {
  const text = verdictText(
    'runs/x',
    summary(judged('dictionary', 40), judged('random', 2, 40), judged('ica', 5, 40)),
  );
  expect(text).toMatch(/this dictionary +100 +90 +40 +10 +50 +0\.400 \[0\.390, 0\.410\]/);
  expect(text).toMatch(/null: random +100 +90 +2 .* 0\.380 \[0\.370, 0\.390\]/);
  expect(text).toContain('More latents are supported than in any null.');
  expect(text).toMatch(/atom +100 +40 +10 +50 +unknown/);
  const level = verdictText('runs/x', summary(judged('dictionary', 40), judged('shuffled', 41, 40)));
  expect(level).toContain('As many latents are supported in shuffled: this is no evidence of true features.');
  expect(verdictText('runs/x', summary(judged('dictionary', 40)))).toContain('No nulls:');
  expect(verdictText('runs/x', summary(judged('dictionary', 0), judged('random', 0, 0)))).toContain(
    'No latent is supported.',
  );
});

test('where other text was read, what latents and those of nulls come to there', () => {
  const spread = (median: number) => ({
    distributions: {
      transfer: { latents: 80, quantiles: Array.from({ length: 21 }, (_, i) => median + (i - 10) / 100) },
    },
  });
  const text = verdictText('runs/x', {
    ...summary(
      { ...judged('dictionary', 40), ...spread(-0.0292) },
      { ...judged('random', 2, 40), ...spread(-0.00001) },
      judged('ica', 5, 40),
    ),
    otherCorpus: { name: 'books', sha256: '', tokens: 31301 },
  });
  expect(text).toContain(
    'In other text (books, 31,301 tokens) the share that a latent explains of what others leave it changes by −0.029, ' +
      'median over 80 that fire there; of nulls: random 0.000.',
  );
});
