/** The lab of whole small runs of stories15M. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createNativeBackend } from '../../src/kernels/native.ts';
import { loadModel } from '../../src/models/registry.ts';
import { sampleTokens } from '../../src/models/sampling.ts';
import { type Lab, openLab } from '../../src/pipeline/lab.ts';
import { Stopwatch, silent } from '../../src/pipeline/reporter.ts';
import { trainRun } from '../../src/pipeline/run.ts';
import { parseConfig } from '../../src/runs/config.ts';
import { readRun, updateRun } from '../../src/runs/directory.ts';

const config = parseConfig({
  name: 'small',
  hook: 'blocks.1.hook_resid_post',
  precision: 'fp32',
  corpus: { tokens: 3200, context: 32, validationFraction: 0.1, testFraction: 0.2 },
  dictionary: { latents: 96, k: 4 },
  training: { tokens: 6400, batch: 256, learningRate: 2e-3, windowRows: 1024 },
  evaluation: { nulls: 'none' },
});
const text = 'Once upon a time, there was a <b>"cat" & a';

let root: string;
let dir: string;
const backend = (threads = 2) => createNativeBackend({ threads });
let lab: Lab;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'monosem-lab-'));
  process.env.MONOSEM_CACHE = join(root, 'cache');
  dir = join(root, 'small');
  await trainRun({ backend: backend(), reporter: silent, stopwatch: new Stopwatch() }, config, dir, {
    resume: false,
  });
  lab = await openLab({ backend: backend() }, dir);
});
afterAll(async () => {
  createNativeBackend();
  delete process.env.MONOSEM_CACHE;
  await rm(root, { recursive: true });
});

describe('the lab of a run', () => {
  it('reads a text, and minds that a latent that fires is taken out', async () => {
    const { tokens, next } = await lab.read(text);
    expect(tokens.map((token) => token.text).join('')).toBe(`<s> ${text}`);
    expect(tokens.slice(1).every(({ active }) => active > 0 && active <= 4)).toBe(true);
    const [{ latent }] = tokens.at(-1)!.latents;
    const effect = await lab.effect(text, [{ latent, kind: 'ablate' }]);
    expect(effect.kl).toBeGreaterThan(1e-4);
    expect(effect.tokens.map(({ id }) => id)).toContain(next[0].id);
    expect(effect.tokens.find(({ id }) => id === next[0].id)!.before).toBeCloseTo(next[0].probability, 6);
    expect((await lab.effect(text, [{ latent, kind: 'scale', value: 1 }])).kl).toBe(0);
  });

  it('writes what the sampler writes where nothing is edited', async () => {
    const { model } = await loadModel(config.model, backend());
    const drawn = await sampleTokens(model, { sequences: 1, length: 25, temperature: 0.8, seed: 5 });
    const { plain, steered } = await lab.continue('', [], { tokens: 24, temperature: 0.8, seed: 5 });
    expect(plain.tokens.map(({ id }) => id)).toEqual([...drawn.subarray(1)]);
    expect(steered).toEqual(plain);
  });

  it('comes to the same on one thread and on two', async () => {
    const [{ latent }] = (await lab.read(text)).tokens.at(-1)!.latents;
    const edits = [{ latent, kind: 'add', value: 8 }] as const;
    const options = { tokens: 20, temperature: 1, seed: 1 };
    const answers = async (threads: number) => {
      const own = await openLab({ backend: backend(threads) }, dir);
      return [await own.read(text), await own.effect(text, edits), await own.continue(text, edits, options)];
    };
    const two = await answers(2);
    expect(await answers(1)).toEqual(two);
    const { plain, steered } = two[2] as Awaited<ReturnType<Lab['continue']>>;
    expect(steered.text).not.toBe(plain.text);
  });
});

describe('no lab is opened for', () => {
  const refused = async (change: object, message: RegExp) => {
    const { config: own } = await readRun(dir);
    await updateRun(dir, { config: { ...own, ...change } });
    await expect(openLab({ backend: backend() }, dir)).rejects.toThrow(message);
    await updateRun(dir, { config: own });
  };
  it('a file of activations', () =>
    refused({ activations: 'some.npy' }, /reads a file of activations, some.npy/));
  it('a crosscoder', () =>
    refused({ hook: ['blocks.1.hook_resid_post', 'blocks.2.hook_resid_post'] }, /reads 2 hook points/));
  it('a dictionary of another width', () =>
    refused({ hook: 'blocks.1.mlp.hook_post' }, /is 288 wide, blocks.1.mlp.hook_post of stories15M is 768/));
  it('a transcoder against the current', () =>
    refused({ target: { hook: 'blocks.0.hook_mlp_out', skip: false } }, /comes after blocks.0.hook_mlp_out/));
  it('a run that is still training', async () => {
    await rm(join(dir, 'sae'), { recursive: true });
    await expect(openLab({ backend: backend() }, dir)).rejects.toThrow(/training has not finished/);
  });
});
