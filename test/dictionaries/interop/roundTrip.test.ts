/** What is written comes back with the same outputs and is written with the same bytes; what cannot be said is refused. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Dictionary } from '../../../src/dictionaries/dictionary.ts';
import {
  readDictionary,
  type WritableFormat,
  writeDictionary,
} from '../../../src/dictionaries/interop/index.ts';
import { InputError } from '../../../src/formats/errors.ts';
import { temporary } from '../../temporary.ts';
import { expectSame, normalRows, outputs, randomDictionary, withoutInputBias } from './helpers.ts';

const LATENTS = 24;
const thresholds = Float32Array.from({ length: LATENTS }, (_, j) => 0.1 + 0.02 * j);
const skip = Float32Array.from({ length: 64 }, (_, i) => Math.sin(i));
const otherBias = Float32Array.from({ length: 8 }, (_, i) => Math.cos(i));
const withUnitRows = (dictionary: Dictionary): Dictionary => {
  const rows = dictionary.decoderWeight.map((value, i, all) => {
    const start = i - (i % dictionary.outputWidth);
    return value / Math.hypot(...all.subarray(start, start + dictionary.outputWidth));
  });
  return { ...dictionary, decoderWeight: rows, encoderWeight: rows };
};

const KINDS = {
  topk: randomDictionary({ kind: 'topk', k: 4 }),
  absTopK: randomDictionary({ kind: 'absTopK', k: 4 }),
  groupMax: randomDictionary({ kind: 'groupMax', k: 6 }),
  relu: randomDictionary({ kind: 'threshold', threshold: new Float32Array(LATENTS) }),
  jumprelu: randomDictionary({ kind: 'threshold', threshold: thresholds }),
  pursuit: withUnitRows(randomDictionary({ kind: 'pursuit', most: 5, residual: 0.1 })),
  'pursuit with repeats': withUnitRows(
    randomDictionary({ kind: 'pursuit', most: 9, residual: 0, mayRepeat: true }),
  ),
  'topk without input bias': withoutInputBias(randomDictionary({ kind: 'topk', k: 4 })),
  'jumprelu with another input bias': randomDictionary(
    { kind: 'threshold', threshold: thresholds },
    { inputBias: otherBias },
  ),
  'relu transcoder': withoutInputBias(
    randomDictionary({ kind: 'threshold', threshold: new Float32Array(LATENTS) }, { outputWidth: 5 }),
  ),
  'jumprelu transcoder': withoutInputBias(
    randomDictionary({ kind: 'threshold', threshold: thresholds }, { outputWidth: 5 }),
  ),
  'skip relu': withoutInputBias(
    randomDictionary({ kind: 'threshold', threshold: new Float32Array(LATENTS) }, { skip }),
  ),
  'skip jumprelu': withoutInputBias(randomDictionary({ kind: 'threshold', threshold: thresholds }, { skip })),
  'skip topk': withoutInputBias(randomDictionary({ kind: 'topk', k: 4 }, { skip })),
  'topk transcoder': withoutInputBias(randomDictionary({ kind: 'topk', k: 4 }, { outputWidth: 5 })),
  'layer norm': randomDictionary({ kind: 'topk', k: 4 }, { normalisation: 'layerNorm' }),
  'constant norm': randomDictionary(
    { kind: 'threshold', threshold: thresholds },
    { normalisation: 'constantNorm' },
  ),
} satisfies Record<string, Dictionary>;

type Kind = keyof typeof KINDS;

/** The architecture that each kind is written as, or what the refusal says. */
const EXPECTED: Record<WritableFormat, Record<Kind, string | RegExp>> = {
  saelens: {
    topk: 'topk',
    absTopK: /SAELens 6\.18\.0 has no architecture with selection absTopK/,
    groupMax: /no architecture with selection groupMax/,
    relu: 'standard',
    jumprelu: 'jumprelu',
    pursuit: 'matching_pursuit',
    'pursuit with repeats': 'matching_pursuit',
    'topk without input bias': 'topk',
    'jumprelu with another input bias': 'jumprelu',
    'relu transcoder': 'transcoder',
    'jumprelu transcoder': 'jumprelu_transcoder',
    'skip relu': 'skip_transcoder',
    'skip jumprelu': 'jumprelu_skip_transcoder',
    'skip topk': /no transcoder with selection topk/,
    'topk transcoder': /no transcoder with selection topk/,
    'layer norm': 'topk',
    'constant norm': 'jumprelu',
  },
  sparsify: {
    topk: 'topk',
    absTopK: /sparsify has no selection absTopK/,
    groupMax: 'groupmax',
    relu: /no selection threshold/,
    jumprelu: /no selection threshold/,
    pursuit: /no selection pursuit/,
    'pursuit with repeats': /no selection pursuit/,
    'topk without input bias': 'topk, transcode',
    'jumprelu with another input bias': /no selection threshold/,
    'relu transcoder': /no selection threshold/,
    'jumprelu transcoder': /no selection threshold/,
    'skip relu': /no selection threshold/,
    'skip jumprelu': /no selection threshold/,
    'skip topk': 'topk, transcode, skip',
    'topk transcoder': /one width for input and output; found 8 and 5/,
    'layer norm': /no normalisation layerNorm/,
    'constant norm': /no selection threshold/,
  },
  'gemma-scope': {
    topk: /Gemma Scope has no selection topk/,
    absTopK: /no selection absTopK/,
    groupMax: /no selection groupMax/,
    relu: 'jumprelu',
    jumprelu: 'jumprelu',
    pursuit: /no selection pursuit/,
    'pursuit with repeats': /no selection pursuit/,
    'topk without input bias': /no selection topk/,
    'jumprelu with another input bias': 'jumprelu',
    'relu transcoder': 'jumprelu',
    'jumprelu transcoder': 'jumprelu',
    'skip relu': /no skip path/,
    'skip jumprelu': /no skip path/,
    'skip topk': /no selection topk/,
    'topk transcoder': /no selection topk/,
    'layer norm': /no selection topk/,
    'constant norm': /no normalisation constantNorm/,
  },
};

const metadata = { model_name: 'stories15M', hook_name: 'blocks.3.hook_resid_post' };

async function bytesIn(dir: string): Promise<Map<string, string>> {
  const names = (await readdir(dir)).sort();
  return new Map(
    await Promise.all(names.map(async (name) => [name, await readFile(join(dir, name), 'hex')] as const)),
  );
}

describe.each(Object.keys(EXPECTED) as WritableFormat[])('%s', (format) => {
  it.each(Object.keys(KINDS) as Kind[])('%s', async (kind) => {
    const dictionary: Dictionary = KINDS[kind];
    const expected = EXPECTED[format][kind];
    const [first, second] = [await temporary(), await temporary()];
    const writing = writeDictionary(first, format, dictionary, metadata);
    if (expected instanceof RegExp) {
      await expect(writing).rejects.toThrow(InputError);
      await expect(writing).rejects.toThrow(expected);
      expect(await readdir(first)).toEqual([]);
      return;
    }
    await writing;
    const opened = await readDictionary(first);
    expect(opened).toMatchObject({ format, architecture: expected });
    if (format === 'saelens') expect(opened.metadata).toMatchObject(metadata);
    const x = normalRows(40, dictionary.width);
    const before = await outputs(dictionary, x);
    expect(before.latents.some((value) => value !== 0)).toBe(true);
    expectSame(await outputs(opened.dictionary, x), before, 2e-5);
    await writeDictionary(second, format, dictionary, metadata);
    expect(await bytesIn(second)).toEqual(await bytesIn(first));
  });
});

it('SAELens needs metadata to tell an autoencoder without input bias from a transcoder of one width', async () => {
  const dir = await temporary();
  const out = { ...metadata, hook_name_out: 'blocks.3.hook_mlp_out' };
  await writeDictionary(dir, 'saelens', withoutInputBias(KINDS.jumprelu), out);
  expect((await readDictionary(dir)).architecture).toBe('jumprelu_transcoder');
});

it('SAELens has no matching pursuit with a bias at one end only', async () => {
  const writing = writeDictionary(await temporary(), 'saelens', withoutInputBias(KINDS.pursuit), {});
  await expect(writing).rejects.toThrow(/matching_pursuit whose input bias is not its b_dec/);
});
