/** What no fixture of the other peers shows, against their formulas. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Dictionary, foldScale } from '../../../src/dictionaries/dictionary.ts';
import { transpose } from '../../../src/dictionaries/interop/folding.ts';
import { readDictionary } from '../../../src/dictionaries/interop/index.ts';
import { writeNpz } from '../../../src/formats/npz.ts';
import { type Tensor, writeSafetensors } from '../../../src/formats/safetensors.ts';
import { temporary } from '../../temporary.ts';
import { expectSame, normalRows, outputs, randomDictionary, withoutInputBias } from './helpers.ts';
import { type Saved, writeTorchFile } from './torchFile.ts';

const [D, F] = [8, 24];
const x = normalRows(30, D);
const f32 = (shape: number[], data: ArrayLike<number>): Tensor => ({
  dtype: 'F32',
  shape,
  data: Float32Array.from(data),
});
const i32 = (value: number): Tensor => ({ dtype: 'I32', shape: [], data: Int32Array.of(value) });
const f0 = (value: number) => f32([], [value]);
const threshold = (value: number): Dictionary['selection'] => ({
  kind: 'threshold',
  threshold: new Float32Array(F).fill(value),
});

async function expectOpens(path: string, expected: Dictionary, tolerance = 2e-5) {
  const opened = await readDictionary(path);
  const wanted = await outputs(expected, x);
  expect(wanted.latents.some((value) => value !== 0)).toBe(true);
  expectSame(await outputs(opened.dictionary, x), wanted, tolerance);
  return opened;
}

/** The two `nn.Linear`s of dictionary_learning and OpenAI. */
const linear = (dictionary: Dictionary) => ({
  'encoder.weight': f32([F, D], dictionary.encoderWeight),
  'decoder.weight': f32([D, F], transpose(dictionary.decoderWeight, F, D)),
});

describe('dictionary_learning', () => {
  async function saved(dictClass: string, state: Saved, { file = 'ae.pt', trainer = {} } = {}) {
    const dir = await temporary();
    const config = {
      trainer: {
        dict_class: dictClass,
        lm_name: 'org/m',
        layer: 2,
        submodule_name: 'resid_post_layer_2',
        ...trainer,
      },
    };
    await writeFile(join(dir, 'config.json'), JSON.stringify(config));
    await mkdir(join(dir, 'checkpoints'));
    await writeTorchFile(join(dir, file), state);
    return join(dir, file);
  }
  const batch = (dictionary: Dictionary, at: number) => ({
    ...linear(dictionary),
    'encoder.bias': f32([F], dictionary.encoderBias),
    b_dec: f32([D], dictionary.decoderBias),
    k: i32(3),
    threshold: f0(at),
  });

  it('AutoEncoderNew subtracts nothing from its input', async () => {
    const dictionary = withoutInputBias(randomDictionary(threshold(0)));
    const state = {
      ...linear(dictionary),
      'encoder.bias': f32([F], dictionary.encoderBias),
      'decoder.bias': f32([D], dictionary.decoderBias),
    };
    const { metadata } = await expectOpens(await saved('AutoEncoderNew', state), dictionary);
    expect(metadata).toMatchObject({ model_name: 'm', hook_name: 'blocks.2.hook_resid_post' });
  });

  it('a threshold of -1 lets every positive pre-activation through, and says so', async () => {
    const dictionary = randomDictionary(threshold(0));
    const { notes } = await expectOpens(await saved('BatchTopKSAE', batch(dictionary, -1)), dictionary);
    expect(notes.join()).toMatch(/never set \(-1\)/);
  });

  it('a checkpoint finds its config.json one directory up', async () => {
    const dictionary = randomDictionary(threshold(0.4));
    const file = await saved('BatchTopKSAE', batch(dictionary, 0.4), { file: 'checkpoints/ae_100.pt' });
    expect((await expectOpens(file, dictionary)).notes).toEqual([]);
  });

  it.each([
    ['whose activations were divided by norm_factor', { norm_factor: 3.5 }, 3.5],
    ['whose were not', {}, 1],
  ])('a backup %s', async (_, extra, factor) => {
    const dictionary = randomDictionary(threshold(0.4));
    const backup = {
      step: 100,
      ae: batch(dictionary, 0.4),
      optimizer: { state: {} },
      config: { lr: 0.1 },
      ...extra,
    };
    await expectOpens(await saved('BatchTopKSAE', backup), foldScale(dictionary, 1 / factor), 1e-4);
  });

  it('another class is refused by name', async () => {
    const file = await saved('CrossCoder', linear(randomDictionary(threshold(0))));
    await expect(readDictionary(file)).rejects.toThrow(
      /trainer\.dict_class is "CrossCoder"; expected one of AutoEncoder,/,
    );
  });
});

describe('openai', () => {
  const state = (dictionary: Dictionary) => ({
    ...linear(dictionary),
    pre_bias: f32([D], dictionary.decoderBias),
    latent_bias: f32([F], dictionary.encoderBias),
    latents_activation_frequency: f32([F], new Float32Array(F)),
    latents_mean_square: f32([F], new Float32Array(F)),
    stats_last_nonzero: { dtype: 'I64', shape: [F], data: new BigInt64Array(F) } satisfies Tensor,
  });
  const file = async (content: Saved) => {
    const path = join(await temporary(), 'autoencoder.pt');
    await writeTorchFile(path, content);
    return path;
  };

  it('ReLU', async () => {
    const dictionary = randomDictionary(threshold(0));
    const { format, architecture } = await expectOpens(
      await file({ ...state(dictionary), activation: 'ReLU' }),
      dictionary,
    );
    expect([format, architecture]).toEqual(['openai', 'ReLU']);
  });

  it('TopK reads layer-normalised activations', async () => {
    const dictionary = randomDictionary({ kind: 'topk', k: 5 }, { normalisation: 'layerNorm' });
    const activation_state_dict = { k: 5, postact_fn: 'ReLU' };
    await expectOpens(
      await file({ ...state(dictionary), activation: 'TopK', activation_state_dict }),
      dictionary,
    );
  });

  it.each([
    [
      { activation: 'TopK', activation_state_dict: { k: 5, postact_fn: 'Identity' } },
      /postact_fn is "Identity"/,
    ],
    [
      { activation: 'TopK', activation_state_dict: { k: 99, postact_fn: 'ReLU' } },
      /activation_state_dict\.k is 99/,
    ],
    [{ activation: 'Identity' }, /activation is "Identity"/],
  ])('%j is refused', async (extra, message) => {
    const content = { ...state(randomDictionary(threshold(0))), ...extra } as Saved;
    await expect(readDictionary(await file(content))).rejects.toThrow(message);
  });
});

describe('sparsify', () => {
  async function saved(dictionary: Dictionary, config: object) {
    const dir = await temporary();
    await writeFile(join(dir, 'cfg.json'), JSON.stringify({ d_in: D, ...config }));
    await writeSafetensors(join(dir, 'sae.safetensors'), {
      'encoder.weight': f32([F, D], dictionary.encoderWeight),
      'encoder.bias': f32([F], dictionary.encoderBias),
      W_dec: f32([F, D], dictionary.decoderWeight),
      b_dec: f32([D], dictionary.decoderBias),
    });
    return dir;
  }

  it('groupmax, with num_latents from expansion_factor', async () => {
    const dictionary = randomDictionary({ kind: 'groupMax', k: 6 });
    const config = {
      activation: 'groupmax',
      k: 6,
      num_latents: 0,
      expansion_factor: 3,
      normalize_decoder: true,
    };
    expect((await expectOpens(await saved(dictionary, config), dictionary)).architecture).toBe('groupmax');
  });

  it('signed, of old versions, is TopK by magnitude', async () => {
    const dictionary = randomDictionary({ kind: 'absTopK', k: 5 });
    await expectOpens(await saved(dictionary, { k: 5, signed: true, expansion_factor: 3 }), dictionary);
  });

  it.each([
    [{ k: 25, expansion_factor: 3 }, /k is 25; expected a whole number from 1 to the 24/],
    [{ k: 5, activation: 'groupmax', expansion_factor: 3 }, /k is 5; groupmax needs one that divides the 24/],
    [{ k: 5, expansion_factor: 3, matching_pursuit: true }, /matching_pursuit is true/],
    [{ k: 5, num_latents: 1e12 }, /encoder\.weight has shape \[24,8\]; expected \[1000000000000,8\]/],
    [{ k: 5, expansion_factor: 3, skip_connection: true }, /no tensor W_skip/],
  ])('%j is refused', async (config, message) => {
    const dir = await saved(randomDictionary({ kind: 'topk', k: 5 }), config);
    await expect(readDictionary(dir)).rejects.toThrow(message);
  });
});

describe('Gemma Scope', () => {
  const dictionary = withoutInputBias(randomDictionary(threshold(0.3), { outputWidth: 5 }));
  const rest = {
    b_enc: f32([F], dictionary.encoderBias),
    b_dec: f32([5], dictionary.decoderBias),
    threshold: f32([F], new Float32Array(F).fill(0.3)),
  };
  const encoder = f32([D, F], transpose(dictionary.encoderWeight, F, D));
  const decoder = f32([F, 5], dictionary.decoderWeight);

  it('a transcoder, with lower-case names too', async () => {
    const dir = await temporary();
    await writeNpz(join(dir, 'params.npz'), { ...rest, w_enc: encoder, w_dec: decoder });
    await expectOpens(dir, dictionary);
  });

  it('the dictionary of embeddings reads what the model multiplies by sqrt(d_in)', async () => {
    const dir = join(await temporary(), 'embedding', 'width_4k');
    await mkdir(dir, { recursive: true });
    await writeNpz(join(dir, 'params.npz'), { ...rest, W_enc: encoder, W_dec: decoder });
    const opened = await readDictionary(dir);
    const plain = await outputs(dictionary, x);
    const scaled = await outputs(
      opened.dictionary,
      x.map((value) => value * Math.sqrt(D)),
    );
    const reconstruction = plain.reconstruction.map((value) => value * Math.sqrt(D));
    expectSame(scaled, { ...plain, reconstruction }, 5e-5);
    expect(opened.notes.join()).toContain('sqrt(d_in)');
  });

  it('Gemma Scope 2, with a skip path', async () => {
    const skip = Float32Array.from({ length: 5 * D }, (_, i) => Math.sin(i));
    const file = join(await temporary(), 'params.safetensors');
    const affine_skip_connection = f32([D, 5], transpose(skip, 5, D));
    await writeSafetensors(file, { ...rest, w_enc: encoder, w_dec: decoder, affine_skip_connection });
    const { format, architecture } = await expectOpens(file, { ...dictionary, skip });
    expect([format, architecture]).toEqual(['gemma-scope', 'jumprelu, skip']);
  });
});

describe('circuit-tracer', () => {
  const dictionary = withoutInputBias(randomDictionary(threshold(0)));
  const tensors = {
    W_enc: f32([F, D], dictionary.encoderWeight),
    b_enc: f32([F], dictionary.encoderBias),
    W_dec: f32([F, D], dictionary.decoderWeight),
    b_dec: f32([D], dictionary.decoderBias),
  };
  const skip = Float32Array.from({ length: D * D }, (_, i) => Math.sin(i));
  const file = async (content: Record<string, Tensor>) => {
    const path = join(await temporary(), 'layer_3.safetensors');
    await writeSafetensors(path, content);
    return path;
  };

  it('a transcoder of one layer, ReLU unless the file says more', async () => {
    expect((await expectOpens(await file(tensors), dictionary)).notes.join()).toContain('read as ReLU');
    const jump = { ...tensors, 'activation_function.threshold': f32([F], new Float32Array(F).fill(0.3)) };
    await expectOpens(await file(jump), { ...dictionary, selection: threshold(0.3) });
    await expectOpens(await file({ ...tensors, k: i32(3) }), {
      ...dictionary,
      selection: { kind: 'topk', k: 3 },
    });
    await expectOpens(await file({ ...tensors, W_skip: f32([D, D], skip) }), { ...dictionary, skip });
  });

  it('a threshold below 0, which would let negative latents through, is refused', async () => {
    const jump = { ...tensors, 'activation_function.threshold': f32([F], new Float32Array(F).fill(-0.3)) };
    await expect(readDictionary(await file(jump))).rejects.toThrow(/activation_function\.threshold is -0\.3/);
  });

  it('a layer of a cross-layer transcoder writes the sum over its output layers, and says so', async () => {
    const dir = await temporary();
    await writeSafetensors(join(dir, 'W_enc_4.safetensors'), {
      W_enc_4: tensors.W_enc,
      b_enc_4: tensors.b_enc,
      b_dec_4: tensors.b_dec,
      threshold_4: f32([F], new Float32Array(F).fill(0.2)),
    });
    const rows = Array.from({ length: F }, (_, j) => [
      ...dictionary.decoderWeight.subarray(j * D, (j + 1) * D),
    ]);
    const twoLayers = rows.flatMap((row) => [
      ...row.map((value) => value / 4),
      ...row.map((value) => (3 * value) / 4),
    ]);
    await writeSafetensors(join(dir, 'W_dec_4.safetensors'), { W_dec_4: f32([F, 2, D], twoLayers) });
    const wanted = { ...dictionary, selection: threshold(0.2) };
    const { notes } = await expectOpens(join(dir, 'W_enc_4.safetensors'), wanted);
    expect(notes.join()).toMatch(/sum of the rows for the 2 layers/);
    await expect(readDictionary(dir)).rejects.toThrow(/several files of weights.*name one of them/);
  });
});
