/** Dictionaries against files and outputs of SAELens 6.18, and our own files read back. */
import { copyFile, mkdir, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Dictionary, decode, encode, foldScale } from '../../src/dictionaries/dictionary.ts';
import { readSaelens, writeSaelens } from '../../src/dictionaries/interop/saelens.ts';
import { readSafetensors } from '../../src/formats/safetensors.ts';
import type { SparseRows } from '../../src/kernels/backend.ts';
import { createNativeBackend } from '../../src/kernels/native.ts';
import { createReferenceBackend } from '../../src/kernels/reference.ts';
import { Random } from '../../src/math/random.ts';

const fixtures = new URL('../fixtures/saelens/', import.meta.url).pathname;
const backends = [createReferenceBackend(), createNativeBackend()];
const metadata = {
  model_name: 'm',
  hook_name: 'blocks.0.hook_resid_post',
  context_size: 8,
  prepend_bos: true,
};

const floats = (values: ArrayLike<number>) => Float32Array.from(values);

function dense(codes: SparseRows, latents: number): Float32Array {
  const out = new Float32Array(codes.rows * latents);
  for (let r = 0; r < codes.rows; r++) {
    for (let e = codes.offsets[r]; e < codes.offsets[r + 1]; e++)
      out[r * latents + codes.indices[e]] = codes.values[e];
  }
  return out;
}

function expectWithin(found: Float32Array, expected: ArrayLike<number>, tolerance: number) {
  expect(found.length).toBe(expected.length);
  const worst = found.reduce((max, value, i) => Math.max(max, Math.abs(value - expected[i])), 0);
  expect(worst).toBeLessThan(tolerance);
}

describe.each(['topk', 'jumprelu', 'batchtopk_training_exported'])('SAELens %s', (name) => {
  it.each(backends)('gives its latents and reconstruction on the $name backend', async (backend) => {
    const { dictionary } = await readSaelens(join(fixtures, name));
    const golden = await readSafetensors(join(fixtures, name, 'golden.safetensors'));
    const x = golden.get('x')!.data as Float32Array;
    const codes = await encode(backend, dictionary, x, 20);
    expectWithin(dense(codes, dictionary.latents), golden.get('latents')!.data as Float32Array, 1e-5);
    const output = await decode(backend, dictionary, codes);
    expectWithin(output, golden.get('reconstruction')!.data as Float32Array, 1e-5);
  });

  it('comes back from our file with the same bytes', async () => {
    const { dictionary } = await readSaelens(join(fixtures, name));
    const dir = await mkdtemp(join(tmpdir(), 'monosem-'));
    await writeSaelens(dir, dictionary, metadata, new Float64Array(dictionary.latents).fill(0.01));
    expect((await readSaelens(dir)).dictionary).toEqual(dictionary);
    const sparsity = (await readSafetensors(join(dir, 'sparsity.safetensors'))).get('sparsity')!;
    expect(sparsity.data[0]).toBeCloseTo(-2, 5);
  });
});

it('folds the scale of normalised activations into the weights', async () => {
  const [backend] = backends;
  const random = new Random(3);
  const normal = (n: number) => {
    const values = new Float32Array(n);
    random.fillNormal(values, 1);
    return values;
  };
  const [width, latents, rows, scale] = [6, 20, 9, 0.21];
  const shared = {
    width,
    latents,
    encoderWeight: normal(latents * width),
    encoderBias: normal(latents),
    decoderWeight: normal(latents * width),
    decoderBias: normal(width),
  };
  const x = normal(rows * width);
  for (const selection of [
    { kind: 'topk', k: 3 },
    { kind: 'threshold', threshold: normal(latents).map(Math.abs) },
  ] satisfies Dictionary['selection'][]) {
    const trained: Dictionary = { ...shared, selection };
    const folded = foldScale(trained, scale);
    const small = x.map((value) => value * scale);
    const expected = await decode(backend, trained, await encode(backend, trained, small, rows));
    const found = await decode(backend, folded, await encode(backend, folded, x, rows));
    expectWithin(found, floats(expected.map((value) => value / scale)), 1e-4);
  }
});

describe('refusals', () => {
  const damaged = async (change: (config: Record<string, unknown>) => object) => {
    const dir = await mkdtemp(join(tmpdir(), 'monosem-'));
    await mkdir(dir, { recursive: true });
    await copyFile(join(fixtures, 'topk', 'sae_weights.safetensors'), join(dir, 'sae_weights.safetensors'));
    const config = JSON.parse(await readFile(join(fixtures, 'topk', 'cfg.json'), 'utf8'));
    await writeFile(join(dir, 'cfg.json'), JSON.stringify(change(config)));
    return dir;
  };

  it.each([
    ['an architecture that it does not know', { architecture: 'gated' }, /architecture/],
    [
      'a normalisation that it would have to undo',
      { normalize_activations: 'layer_norm' },
      /normalize_activations/,
    ],
    ['rescaled selection', { rescale_acts_by_decoder_norm: true }, /rescale_acts_by_decoder_norm/],
    ['k above the number of latents', { k: 49 }, /k is 49.*48/],
    ['a width that the weights do not have', { d_in: 17 }, /W_enc has shape \[16,48\].*\[17,48\]/],
  ])('names %s', async (_, change, message) => {
    const dir = await damaged((config) => ({ ...config, ...change }));
    await expect(readSaelens(dir)).rejects.toThrow(message);
  });
});
