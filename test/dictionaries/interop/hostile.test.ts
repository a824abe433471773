/** Damaged and hostile files end in an InputError that names the file and what in it is wrong, before memory is taken. */
import { copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readDictionary } from '../../../src/dictionaries/interop/index.ts';
import { InputError } from '../../../src/formats/errors.ts';
import { readSafetensors, type Tensor, writeSafetensors } from '../../../src/formats/safetensors.ts';
import { temporary } from '../../temporary.ts';
import { FIXTURES } from './helpers.ts';

let dir: string;
beforeAll(async () => {
  dir = await temporary();
});
afterAll(() => rm(dir, { recursive: true }));

const source = (...parts: string[]) => join(FIXTURES, ...parts);

async function withConfig(
  kind: string,
  change: (config: Record<string, unknown>) => unknown,
): Promise<string> {
  const config = JSON.parse(await readFile(source('saelens', kind, 'cfg.json'), 'utf8'));
  await copyFile(source('saelens', kind, 'sae_weights.safetensors'), join(dir, 'sae_weights.safetensors'));
  await writeFile(join(dir, 'cfg.json'), JSON.stringify(change(config)));
  return dir;
}

describe('cfg.json', () => {
  it.each([
    ['d_in', 17, /W_dec has shape \[48,16\]; expected \[48,17\]/],
    ['d_sae', 1e12, /W_dec has shape \[48,16\]; expected \[1000000000000,16\]/],
    ['d_sae', 1e300, /d_sae: found 1e\+300/],
    ['d_sae', -1, /d_sae: found -1/],
    ['d_sae', '48', /d_sae: found "48"/],
    ['d_in', undefined, /d_in is missing/],
    ['k', 49, /k is 49; expected a whole number from 1 to the 48/],
    ['k', 2.5, /k is 2.5/],
    ['k', undefined, /k is missing/],
    [
      'architecture',
      'phase_multiplexed',
      /architecture is "phase_multiplexed"; expected one of standard, topk/,
    ],
    ['architecture', 'jumprelu', /no tensor threshold; .*The tensors are: /],
    ['architecture', 'gated', /tensor "b_enc" is not known here/],
    ['architecture', '__proto__', /architecture is "__proto__"/],
    ['architecture', 'constructor', /architecture is "constructor"/],
    ['normalize_activations', 'covariance_whitening', /normalize_activations: found "covariance_whitening"/],
    ['reshape_activations', 'hook_q', /reshape_activations: found "hook_q"/],
    ['apply_b_dec_to_input', 'yes', /apply_b_dec_to_input: found "yes"/],
    ['metadata', 3, /metadata: found 3/],
  ])('%s: %j', async (key, value, message) => {
    const reading = readDictionary(await withConfig('topk', (config) => ({ ...config, [key]: value })));
    await expect(reading).rejects.toThrow(InputError);
    await expect(reading).rejects.toThrow(message);
    await expect(reading).rejects.toThrow(dir);
  });

  it.each([
    ['no JSON', '{"d_in": ', /not JSON/],
    ['no object', '[1]', /expected one JSON object/],
    ['a key twice', '{"d_in": 16, "d_in": 17}', /"d_in" is given twice/],
    ['nesting without end', '['.repeat(100_000), /nested deeper/],
  ])('%s', async (_, text, message) => {
    await withConfig('topk', (config) => config);
    await writeFile(join(dir, 'cfg.json'), text);
    await expect(readDictionary(dir)).rejects.toThrow(message);
  });

  it.each(['topk', 'gated', 'jumprelu', 'standard_layer_norm'])(
    'any change of %s is read or refused, and never anything else',
    async (kind) => {
      const config = JSON.parse(await readFile(source('saelens', kind, 'cfg.json'), 'utf8'));
      const names = [
        ...Object.keys(config),
        'd_out',
        'activation_fn',
        'activation_fn_kwargs',
        'hook_name',
        'sae_lens_version',
      ];
      const values = fc.oneof(
        fc.jsonValue({ maxDepth: 2 }),
        fc.constantFrom(
          'standard',
          'topk',
          'gated',
          'matching_pursuit',
          'batchtopk',
          'transcoder',
          'temporal',
          '5.0.0',
        ),
        fc.constantFrom(0, -1, 16, 48, 1e9, 2 ** 53, 1e308),
      );
      await fc.assert(
        fc.asyncProperty(
          fc.dictionary(fc.constantFrom(...names), values, { maxKeys: 3 }),
          async (changes) => {
            const path = await withConfig(kind, (before) => ({ ...(before as object), ...changes }));
            try {
              const { dictionary } = await readDictionary(path);
              expect(dictionary.decoderWeight.length).toBe(dictionary.latents * dictionary.outputWidth);
            } catch (error) {
              expect(error).toBeInstanceOf(InputError);
              expect((error as Error).message).toContain(dir);
            }
          },
        ),
        { numRuns: 150, seed: 7 },
      );
    },
  );
});

describe('tensors', () => {
  async function withTensor(change: (tensors: Map<string, Tensor>) => void): Promise<string> {
    await withConfig('jumprelu', (config) => config);
    const tensors = await readSafetensors(source('saelens', 'jumprelu', 'sae_weights.safetensors'));
    change(tensors);
    await writeSafetensors(join(dir, 'sae_weights.safetensors'), Object.fromEntries(tensors));
    return dir;
  }
  const replaced = (name: string, change: (tensor: Tensor) => Tensor) => (tensors: Map<string, Tensor>) =>
    void tensors.set(name, change(tensors.get(name)!));
  const spoiled = (value: number) => (tensor: Tensor) => {
    (tensor.data as Float32Array)[5] = value;
    return tensor;
  };

  it.each([
    ['NaN', replaced('W_enc', spoiled(Number.NaN)), /W_enc has NaN at element 5/],
    [
      'infinity',
      replaced('threshold', spoiled(Number.POSITIVE_INFINITY)),
      /threshold has Infinity at element 5/,
    ],
    [
      'a transposed decoder',
      replaced('W_dec', (t) => ({ ...t, shape: [16, 48] })),
      /W_dec has shape \[16,48\]; expected \[48,16\]/,
    ],
    ['a missing bias', (tensors: Map<string, Tensor>) => void tensors.delete('b_enc'), /no tensor b_enc/],
    [
      'whole numbers',
      replaced('b_enc', () => ({ dtype: 'I32', shape: [48], data: new Int32Array(48) })),
      /b_enc is I32; expected F32/,
    ],
    [
      'doubles that no float holds',
      replaced('b_enc', () => ({ dtype: 'F64', shape: [48], data: new Float64Array(48).fill(1e300) })),
      /b_enc has 1e\+300 at element 0/,
    ],
    [
      'a tensor more',
      (tensors: Map<string, Tensor>) => void tensors.set('W_gate', tensors.get('b_enc')!),
      /tensor "W_gate" is not known here/,
    ],
  ])('%s', async (_, change, message) => {
    const reading = readDictionary(await withTensor(change));
    await expect(reading).rejects.toThrow(InputError);
    await expect(reading).rejects.toThrow(message);
    await expect(reading).rejects.toThrow('sae_weights.safetensors');
  });
});

describe('paths', () => {
  it.each([
    ['nothing', 'nowhere', /no such file/],
    ['an empty directory', 'empty', /nothing to read; expected a directory with cfg\.json/],
    ['a file of another kind', 'notes.txt', /not a file of weights/],
    ['a safetensors file of something else', 'other.safetensors', /its tensors \(x\) are those of no format/],
    ['weights without their configuration', 'alone', /cannot read .*cfg\.json/],
  ])('%s', async (_, name, message) => {
    await mkdir(join(dir, 'empty'), { recursive: true });
    await mkdir(join(dir, 'alone'), { recursive: true });
    await writeFile(join(dir, 'notes.txt'), 'hello');
    await writeSafetensors(join(dir, 'other.safetensors'), {
      x: { dtype: 'F32', shape: [1], data: new Float32Array(1) },
    });
    await copyFile(
      source('saelens', 'topk', 'sae_weights.safetensors'),
      join(dir, 'alone', 'sae_weights.safetensors'),
    );
    const reading = readDictionary(join(dir, name));
    await expect(reading).rejects.toThrow(InputError);
    await expect(reading).rejects.toThrow(message);
  });
});
