/** SAELens' files as monosem writes them, its refusals, and the scale of activations folded into a dictionary. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { type Dictionary, decode, encode, foldScale } from '../../src/dictionaries/dictionary.ts';
import { readSaelens, writeSaelens } from '../../src/dictionaries/interop/saelens.ts';
import { readSafetensors } from '../../src/formats/safetensors.ts';
import { createReferenceBackend } from '../../src/kernels/reference.ts';
import { Random } from '../../src/math/random.ts';
import { temporary } from '../temporary.ts';
import { FIXTURES } from './interop/helpers.ts';

const metadata = {
  model_name: 'm',
  hook_name: 'blocks.0.hook_resid_post',
  context_size: 8,
  prepend_bos: true,
};

it.each(['topk', 'jumprelu', 'standard', 'standard_layer_norm', 'standard_no_b_dec_input'])(
  'SAELens %s comes back from our file with the same bytes',
  async (name) => {
    const { dictionary } = await readSaelens(join(FIXTURES, 'saelens', name));
    const dir = await temporary();
    await writeSaelens(dir, dictionary, metadata, {
      frequency: new Float64Array(dictionary.latents).fill(0.01),
    });
    const back = await readSaelens(dir);
    expect(back.dictionary).toEqual(dictionary);
    expect(back.metadata).toMatchObject(metadata);
    const weights = (from: string) => readSafetensors(join(from, 'sae_weights.safetensors'));
    expect(await weights(dir)).toEqual(await weights(join(FIXTURES, 'saelens', name)));
    const sparsity = (await readSafetensors(join(dir, 'sparsity.safetensors'))).get('sparsity')!;
    expect(sparsity.data[0]).toBeCloseTo(-2, 5);
  },
);

it('says which version the layout is of, without which SAELens would drop the metadata', async () => {
  const { dictionary } = await readSaelens(join(FIXTURES, 'saelens', 'topk'));
  const dir = await temporary();
  await writeSaelens(dir, dictionary, metadata);
  const config = JSON.parse(await readFile(join(dir, 'cfg.json'), 'utf8'));
  expect(config.metadata.sae_lens_version).toMatch(/^6\./);
});

it('folds the scale of normalised activations into the weights', async () => {
  const backend = createReferenceBackend();
  const random = new Random(3);
  const normal = (n: number) => {
    const values = new Float32Array(n);
    random.fillNormal(values, 1);
    return values;
  };
  const [width, latents, rows, scale] = [6, 20, 9, 0.21];
  const shared = {
    width,
    outputWidth: width,
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
    const trained: Dictionary = { ...shared, inputBias: shared.decoderBias, selection };
    const folded = foldScale(trained, scale);
    const small = x.map((value) => value * scale);
    const expected = await decode(backend, trained, await encode(backend, trained, small, rows), small);
    const found = await decode(backend, folded, await encode(backend, folded, x, rows), x);
    for (const [i, value] of found.entries()) expect(value).toBeCloseTo(expected[i] / scale, 3);
  }
});

it.each([
  ['topk', false, 6],
  ['topk', true, 9],
  ['absTopK', false, 6],
  ['absTopK', true, 9],
  ['groupMax', false, 6],
] as const)(
  'keeps what SAELens has no architecture for: %s, skip %s, output %i',
  async (kind, skip, outputWidth) => {
    const random = new Random(5);
    const normal = (n: number) => {
      const values = new Float32Array(n);
      random.fillNormal(values, 1);
      return values;
    };
    const decoderBias = normal(outputWidth);
    const dictionary: Dictionary = {
      width: 6,
      outputWidth,
      latents: 12,
      encoderWeight: normal(72),
      encoderBias: normal(12),
      decoderWeight: normal(12 * outputWidth),
      decoderBias,
      ...(outputWidth === 6 && { inputBias: decoderBias }),
      ...(skip && { skip: normal(6 * outputWidth) }),
      selection: { kind, k: 4 },
    };
    const dir = await temporary();
    const own = { ...metadata, ...(outputWidth !== 6 && { hook_name_out: 'blocks.0.hook_mlp_out' }) };
    if (kind !== 'topk' || outputWidth !== 6)
      await expect(writeSaelens(dir, dictionary, own)).rejects.toThrow(/SAELens .* has no/);
    await writeSaelens(dir, dictionary, own, { own: true });
    expect((await readSaelens(dir)).dictionary).toEqual(dictionary);
  },
);
