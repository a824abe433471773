import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readDictionary } from '../../src/dictionaries/interop/index.ts';
import { createRun } from '../../src/runs/directory.ts';
import { expectSame, FIXTURES, golden, outputs } from '../dictionaries/interop/helpers.ts';
import { syntheticRun, writeSyntheticRun } from '../report/syntheticRun.ts';
import { cli } from './fakeTerminal.ts';

let root: string;
let run: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'monosem-convert-'));
  run = join(root, 'run');
  await writeSyntheticRun(run, { latents: 48 });
  await cp(join(FIXTURES, 'saelens', 'topk'), join(run, 'sae'), { recursive: true });
});
afterAll(() => rm(root, { recursive: true }));

const fixture = (name: string) => join(FIXTURES, name);

describe('between formats', () => {
  test.each([
    [
      'dictionary_learning/gated',
      'saelens',
      /dictionary-learning, GatedAutoEncoder/,
      /thresholds 0\.\d+ to \d/,
    ],
    ['dictionary_learning/topk', 'sparsify', /dictionary-learning, AutoEncoderTopK/, /TopK, k = 6/],
    ['sparsify/layers.1', 'saelens', /sparsify, topk/, /TopK, k = 6/],
    ['saelens/jumprelu', 'gemma-scope', /saelens, jumprelu/, /threshold/],
    ['gemma_scope/layer_1/width_48/average_l0_6', 'saelens', /gemma-scope, jumprelu/, /threshold/],
  ])(
    '%s to %s says what was read and written, and computes the same',
    async (name, to, format, selection) => {
      const out = join(root, `${name.replaceAll('/', '-')}-${to}`);
      const { code, out: text, err } = await cli(['convert', fixture(name), out, '--to', to]);
      expect({ code, err }).toEqual({ code: 0, err: '' });
      expect(text).toMatch(format);
      expect(text).toMatch(selection);
      expect(text).toMatch(/widths +16 in, 48 latents, 16 out/);
      expect(text).toContain(`${out}: `);
      const expected = await golden(name);
      expectSame(await outputs((await readDictionary(out)).dictionary, expected.x), expected, 2e-5);
    },
  );

  test('--json prints one document', async () => {
    const out = join(root, 'json');
    const { out: text } = await cli([
      'convert',
      fixture('sparsify/layers.1'),
      out,
      '--to',
      'sparsify',
      '--json',
    ]);
    expect(JSON.parse(text)).toMatchObject({
      read: {
        format: 'sparsify',
        architecture: 'topk',
        width: 16,
        latents: 48,
        selection: 'TopK, k = 6',
        notes: [],
      },
      written: { path: out, format: 'sparsify', files: ['cfg.json', 'sae.safetensors'] },
    });
  });

  test('a run directory stands for its dictionary', async () => {
    const { code, out } = await cli(['convert', run, join(root, 'of-run'), '--to', 'sparsify']);
    expect(code).toBe(0);
    expect(out).toMatch(/saelens, topk/);
  });
});

describe('refusals exit with 1, without a stack, and leave nothing', () => {
  test.each([
    ['a selection that the format lacks', 'saelens/topk', 'gemma-scope', 'Gemma Scope has no selection topk'],
    [
      'a skip path that the format lacks',
      'sparsify/layers.1.mlp',
      'saelens',
      'no transcoder with selection topk',
    ],
    ['what is no dictionary', 'saelens', 'saelens', 'nothing to read'],
    ['what is not there', 'nowhere', 'saelens', 'no such file'],
    ['dashboards without a run', 'saelens/topk', 'neuronpedia', 'there is no run.json'],
  ])('%s', async (_, name, to, message) => {
    const out = join(root, 'refused');
    const { code, out: text, err } = await cli(['convert', fixture(name), out, '--to', to]);
    expect({ code, text }).toEqual({ code: 1, text: '' });
    expect(err).toContain(message);
    expect(err).not.toContain('    at ');
    expect(await readdir(root)).not.toContain('refused');
  });

  test('a directory that is there already', async () => {
    const { code, err } = await cli(['convert', fixture('saelens/topk'), run, '--to', 'saelens']);
    expect(code).toBe(1);
    expect(err).toContain('it exists already');
  });
});

describe('neuronpedia', () => {
  test('dashboards of all latents, in the same bytes each time', async () => {
    const [first, second] = ['dash-1', 'dash-2'].map((name) => join(root, name));
    expect((await cli(['convert', run, first, '--to', 'neuronpedia'])).code).toBe(0);
    await cli(['convert', run, second, '--to', 'neuronpedia']);
    expect(await readdir(first)).toEqual(['batch-0.json']);
    const text = await readFile(join(first, 'batch-0.json'), 'utf8');
    expect(await readFile(join(second, 'batch-0.json'), 'utf8')).toBe(text);
    const batch = JSON.parse(text);
    expect(batch).toMatchObject({ model_id: 'stories15M', layer: 3, sae_set: 'stories-mid' });
    expect(batch.features.map((one: { feature_index: number }) => one.feature_index)).toEqual(
      Array.from({ length: 48 }, (_, j) => j),
    );
  });

  test('a run that is not explained says what to do', async () => {
    const bare = join(root, 'bare');
    await createRun(bare, { ...syntheticRun(), status: 'interrupted' });
    await cp(join(FIXTURES, 'saelens', 'topk'), join(bare, 'sae'), { recursive: true });
    const { code, err } = await cli(['convert', bare, join(root, 'none'), '--to', 'neuronpedia']);
    expect(code).toBe(1);
    expect(err).toContain(`monosem evaluate ${bare}`);
  });

  test("control characters of a file's metadata do not reach the terminal", async () => {
    const evil = join(root, 'evil');
    await cp(fixture('saelens/topk'), evil, { recursive: true });
    const config = JSON.parse(await readFile(join(evil, 'cfg.json'), 'utf8'));
    config.metadata.model_name = '\u001b[2Jmodel';
    await writeFile(join(evil, 'cfg.json'), JSON.stringify(config));
    const { out } = await cli(['convert', evil, join(root, 'evil-out'), '--to', 'saelens']);
    expect(out).toContain('model');
    expect(out).not.toContain('\u001b');
  });
});
