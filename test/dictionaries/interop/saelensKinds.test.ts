/** What no fixture of SAELens shows, against its own formulas written out slowly over dense latents. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readSaelens } from '../../../src/dictionaries/interop/saelens.ts';
import { type Tensor, writeSafetensors } from '../../../src/formats/safetensors.ts';
import { Random } from '../../../src/math/random.ts';
import { temporary } from '../../temporary.ts';
import { expectSame, normalRows, type Outputs, outputs } from './helpers.ts';

const [D, F, ROWS] = [6, 20, 30];
const x = normalRows(ROWS, D);

type Named = Record<string, Float32Array>;

/** Random values for the tensors of these sizes. */
function random(sizes: Record<string, number>, seed = 1): Named {
  const stream = new Random(seed, 'saelens');
  return Object.fromEntries(
    Object.entries(sizes).map(([name, count]) => {
      const values = new Float32Array(count);
      stream.fillNormal(values, name.startsWith('b_') ? 0.2 : 0.7);
      return [name, values];
    }),
  );
}

const standard = (outputWidth = D) => ({
  W_enc: D * F,
  b_enc: F,
  W_dec: F * outputWidth,
  b_dec: outputWidth,
});

interface Saved {
  readonly config: Record<string, unknown>;
  readonly tensors: Named;
  readonly outputWidth?: number;
  readonly extra?: Record<string, Tensor>;
}

async function save({ config, tensors, outputWidth = D, extra = {} }: Saved): Promise<string> {
  const shapes: Record<string, number[]> = {
    W_enc: [D, F],
    W_dec: [F, outputWidth],
    b_dec: [outputWidth],
    W_skip: [outputWidth, D],
  };
  const dir = await temporary();
  const stored = Object.entries(tensors).map(([name, data]): [string, Tensor] => [
    name,
    { dtype: 'F32', shape: shapes[name] ?? [F], data },
  ]);
  await writeSafetensors(join(dir, 'sae_weights.safetensors'), { ...Object.fromEntries(stored), ...extra });
  const metadata = { sae_lens_version: '6.18.0' };
  await writeFile(
    join(dir, 'cfg.json'),
    JSON.stringify({ d_in: D, d_sae: F, ...('old' in config ? {} : { metadata }), ...config }),
  );
  return dir;
}

/** `z` of each row from its pre-activations, and `z W_dec + b_dec`. */
function slow(
  { W_enc, b_enc, W_dec, b_dec }: Named,
  latents: (pre: number[]) => number[],
  { center = b_dec, input = x, outputWidth = D, scale = (_: number): number => 1 } = {},
): Outputs {
  const out = { latents: new Float32Array(ROWS * F), reconstruction: new Float32Array(ROWS * outputWidth) };
  for (let r = 0; r < ROWS; r++) {
    const pre = Array.from({ length: F }, (_, j) => {
      let sum = b_enc[j];
      for (let i = 0; i < D; i++) sum += (input[r * D + i] - (center[i] ?? 0)) * W_enc[i * F + j];
      return sum;
    });
    const z = latents(pre);
    out.latents.set(z, r * F);
    for (let o = 0; o < outputWidth; o++) {
      let sum = b_dec[o];
      for (let j = 0; j < F; j++) sum += (z[j] * W_dec[j * outputWidth + o]) / scale(j);
      out.reconstruction[r * outputWidth + o] = sum;
    }
  }
  return out;
}

const relu = (pre: number[]) => pre.map((value) => Math.max(0, value));
const norm = (m: Float32Array, row: number, width = D) =>
  Math.hypot(...m.subarray(row * width, (row + 1) * width));
const zeros = new Float32Array(D);

async function expectReads(saved: Saved, expected: Outputs, tolerance = 2e-5) {
  const { dictionary } = await readSaelens(await save(saved));
  expect(expected.latents.some((value) => value !== 0)).toBe(true);
  expectSame(await outputs(dictionary, x), expected, tolerance);
}

const f64 = (value: number): Tensor => ({ dtype: 'F64', shape: [], data: Float64Array.of(value) });

describe('training checkpoints', () => {
  it.each(['batchtopk', 'matryoshka_batchtopk'])(
    '%s takes its double topk_threshold',
    async (architecture) => {
      const tensors = random(standard());
      const norms = Array.from({ length: F }, (_, j) => norm(tensors.W_dec, j));
      await expectReads(
        { config: { architecture, k: 2.5 }, tensors, extra: { topk_threshold: f64(0.8) } },
        slow(tensors, (pre) => pre.map((value, j) => (value * norms[j] > 0.8 ? value * norms[j] : 0)), {
          scale: (j) => norms[j],
        }),
      );
    },
  );

  it('batchtopk without rescaling', async () => {
    const tensors = random(standard());
    await expectReads(
      {
        config: { architecture: 'batchtopk', k: 2, rescale_acts_by_decoder_norm: false },
        tensors,
        extra: { topk_threshold: f64(0.8) },
      },
      slow(tensors, (pre) => pre.map((value) => (value > 0.8 ? value : 0))),
    );
  });

  it('jumprelu with log_threshold', async () => {
    const tensors = { ...random(standard()), log_threshold: new Float32Array(F).fill(-0.4) };
    await expectReads(
      { config: { architecture: 'jumprelu' }, tensors },
      slow(tensors, (pre) => pre.map((value) => (value > Math.exp(-0.4) ? value : 0))),
    );
  });

  it('jumprelu with a threshold below 0 is a ReLU there', async () => {
    const tensors = { ...random(standard()), threshold: new Float32Array(F).fill(-0.4) };
    await expectReads({ config: { architecture: 'jumprelu' }, tensors }, slow(tensors, relu));
  });
});

it('gated, for any r_mag', async () => {
  const tensors = random({ W_enc: D * F, b_gate: F, b_mag: F, r_mag: F, W_dec: F * D, b_dec: D }, 4);
  const { b_gate, b_mag, r_mag } = tensors;
  await expectReads(
    { config: { architecture: 'gated' }, tensors },
    slow({ ...tensors, b_enc: new Float32Array(F) }, (pre) =>
      pre.map((u, j) => (u + b_gate[j] > 0 ? Math.max(0, Math.exp(r_mag[j]) * u + b_mag[j]) : 0)),
    ),
  );
});

describe('transcoders', () => {
  const outputWidth = 9;
  it.each([
    ['transcoder', false, false],
    ['skip_transcoder', true, false],
    ['jumprelu_transcoder', false, true],
    ['jumprelu_skip_transcoder', true, true],
  ])('%s', async (architecture, skip, jump) => {
    const tensors = random({
      ...standard(outputWidth),
      ...(skip && { W_skip: outputWidth * D }),
      ...(jump && { threshold: F }),
    });
    const gate = (value: number, j: number) =>
      value > (jump ? Math.max(0, tensors.threshold[j]) : 0) ? value : 0;
    const expected = slow(tensors, (pre) => pre.map(gate), { center: zeros, outputWidth });
    if (skip) {
      for (let r = 0; r < ROWS; r++)
        for (let o = 0; o < outputWidth; o++)
          for (let i = 0; i < D; i++)
            expected.reconstruction[r * outputWidth + o] += x[r * D + i] * tensors.W_skip[o * D + i];
    }
    const config = { architecture, d_out: outputWidth, apply_b_dec_to_input: false };
    await expectReads({ config, tensors, outputWidth }, expected);
  });
});

/** SAELens' loop, dense: a row is done after the round that changes no support or leaves a small residual. */
function slowPursuit(
  { W_dec, b_dec }: Named,
  { least = 1e-2, most = D, stopOnRepeat = true, tied = true } = {},
): Outputs {
  const out = { latents: new Float32Array(ROWS * F), reconstruction: new Float32Array(ROWS * D) };
  for (let r = 0; r < ROWS; r++) {
    const start = Array.from({ length: D }, (_, i) => x[r * D + i] - (tied ? b_dec[i] : 0));
    const residual = [...start];
    const z = out.latents.subarray(r * F, (r + 1) * F);
    for (let round = 0, done = false; round < most && !done; round++) {
      const products = Array.from({ length: F }, (_, j) =>
        Math.max(
          0,
          residual.reduce((sum, value, i) => sum + value * W_dec[j * D + i], 0),
        ),
      );
      const value = Math.max(...products);
      const j = products.indexOf(value);
      const before = z.filter((one) => one !== 0).length;
      z[j] += value;
      for (let i = 0; i < D; i++) residual[i] -= value * W_dec[j * D + i];
      done =
        (stopOnRepeat && z.filter((one) => one !== 0).length === before) || Math.hypot(...residual) < least;
    }
    for (let i = 0; i < D; i++) out.reconstruction[r * D + i] = x[r * D + i] - residual[i];
  }
  return out;
}

describe('matching_pursuit', () => {
  const tensors = random({ W_dec: F * D, b_dec: D }, 6);
  for (let j = 0; j < F; j++) {
    const size = norm(tensors.W_dec, j);
    for (let i = 0; i < D; i++) tensors.W_dec[j * D + i] /= size;
  }
  it.each([
    ['with its defaults', {}, {}],
    ['with a bound on rounds', { max_iterations: 3 }, { most: 3 }],
    [
      'for many rounds, until a latent repeats',
      { max_iterations: 40, residual_threshold: 0 },
      { most: 40, least: 0 },
    ],
    [
      'that goes on after a repeat',
      { max_iterations: 12, residual_threshold: 0, stop_on_duplicate_support: false },
      { most: 12, least: 0, stopOnRepeat: false },
    ],
    ['that leaves a large residual', { residual_threshold: 1.2 }, { least: 1.2 }],
    ['without b_dec', { apply_b_dec_to_input: false }, { tied: false }],
  ])('%s', async (_, config, options) => {
    await expectReads(
      { config: { architecture: 'matching_pursuit', ...config }, tensors },
      slowPursuit(tensors, options),
    );
  });

  it('the rounds do end with a latent taken again', () => {
    const repeats = (most: number) => slowPursuit(tensors, { most, least: 0 });
    expect(repeats(40).latents).not.toEqual(
      slowPursuit(tensors, { most: 40, least: 0, stopOnRepeat: false }).latents,
    );
  });

  it('takes the first latent however small the activation', async () => {
    const dir = await save({
      config: { architecture: 'matching_pursuit', apply_b_dec_to_input: false },
      tensors,
    });
    const { dictionary } = await readSaelens(dir);
    const { latents } = await outputs(dictionary, Float32Array.of(1e-3, 0, 0, 0, 0, 0));
    expect(latents.filter((value) => value !== 0)).toHaveLength(1);
  });
});

describe('normalize_activations', () => {
  it('constant_norm_rescale scales every row to the norm sqrt(d_in) and back', async () => {
    const tensors = random(standard());
    const factors = Array.from({ length: ROWS }, (_, r) => Math.sqrt(D) / norm(x, r));
    const scaled = x.map((value, i) => value * factors[Math.floor(i / D)]);
    const expected = slow(tensors, relu, { input: scaled });
    const reconstruction = expected.reconstruction.map((value, i) => value / factors[Math.floor(i / D)]);
    const config = { architecture: 'standard', normalize_activations: 'constant_norm_rescale' };
    await expectReads({ config, tensors }, { ...expected, reconstruction });
  });

  const config = { architecture: 'standard', normalize_activations: 'expected_average_only_in' };
  const scale = 0.37;
  const scaledOutputs = (tensors: Named) => {
    const expected = slow(tensors, relu, { input: x.map((value) => value * scale) });
    return { ...expected, reconstruction: expected.reconstruction.map((value) => value / scale) };
  };
  const scaler: Tensor = { dtype: 'F32', shape: [], data: Float32Array.of(scale) };

  it.each(['activation_scaler.json', 'activations_store_state.safetensors'])(
    'expected_average_only_in is folded with the factor in %s',
    async (file) => {
      const tensors = random(standard());
      const dir = await save({ config, tensors });
      if (file.endsWith('.json')) await writeFile(join(dir, file), JSON.stringify({ scaling_factor: scale }));
      else await writeSafetensors(join(dir, file), { estimated_norm_scaling_factor: scaler });
      const { dictionary } = await readSaelens(dir);
      expectSame(await outputs(dictionary, x), scaledOutputs(tensors), 2e-5);
    },
  );

  it('without the factor it says what is missing and what to write', async () => {
    const dir = await save({ config, tensors: random(standard()) });
    await expect(readSaelens(dir)).rejects.toThrow(
      /expected_average_only_in.*activation_scaler\.json.*Write/,
    );
    await writeFile(join(dir, 'activation_scaler.json'), '{"scaling_factor": null}');
    await expect(readSaelens(dir)).rejects.toThrow(/is in none of activation_scaler\.json/);
  });
});

describe('before version 6', () => {
  const old = {
    old: true,
    hook_point: 'blocks.3.hook_resid_pre',
    hook_point_layer: 3,
    model_name: 'gpt2-small',
  };

  it('keys are renamed, and what is metadata now is kept', async () => {
    const tensors = random(standard());
    const dir = await save({ config: { ...old, context_size: 128, lr: 1e-3 }, tensors });
    const { architecture, metadata, dictionary } = await readSaelens(dir);
    expect(architecture).toBe('standard');
    expect(metadata).toEqual({
      hook_name: old.hook_point,
      hook_layer: 3,
      model_name: 'gpt2-small',
      context_size: 128,
    });
    expectSame(await outputs(dictionary, x), slow(tensors, relu), 2e-5);
  });

  it('activation_fn topk makes a standard dictionary a TopK', async () => {
    const config = {
      ...old,
      architecture: 'standard',
      activation_fn_str: 'topk',
      activation_fn_kwargs: { k: 3 },
    };
    const tensors = random(standard());
    const top = (pre: number[]) => {
      const third = [...pre].sort((a, b) => b - a)[2];
      return pre.map((value) => (value >= third && value > 0 ? value : 0));
    };
    await expectReads({ config, tensors }, slow(tensors, top));
  });

  it('normalize_activations true is expected_average_only_in', async () => {
    const dir = await save({ config: { ...old, normalize_activations: true }, tensors: random(standard()) });
    await expect(readSaelens(dir)).rejects.toThrow('expected_average_only_in');
  });

  it('a scaling_factor of ones is dropped, another one scales latents before the decoder or is refused', async () => {
    const ones = { ...random(standard()), scaling_factor: new Float32Array(F).fill(1) };
    await expectReads({ config: old, tensors: ones }, slow(ones, relu));
    const factors = { ...ones, scaling_factor: new Float32Array(F).fill(1.5) };
    const used = { config: { ...old, finetuning_scaling_factor: true }, tensors: factors };
    await expectReads(used, slow(factors, relu, { scale: () => 1 / 1.5 }));
    await expect(readSaelens(await save({ config: old, tensors: factors }))).rejects.toThrow(
      /scaling_factor.*finetuning_scaling_factor/,
    );
  });

  it('another activation is refused by name', async () => {
    const dir = await save({ config: { ...old, activation_fn: 'tanh-relu' }, tensors: random(standard()) });
    await expect(readSaelens(dir)).rejects.toThrow(/activation_fn is "tanh-relu"/);
  });
});

it('hook_z is read, kept in the metadata and said', async () => {
  const config = { architecture: 'standard', reshape_activations: 'hook_z' };
  const { metadata, notes } = await readSaelens(await save({ config, tensors: random(standard()) }));
  expect(metadata.reshape_activations).toBe('hook_z');
  expect(notes.join()).toContain('hook_z');
});

it.each(['F16', 'BF16', 'F64'] as const)('weights in %s', async (dtype) => {
  const { W_enc, ...rest } = random(standard());
  const step = dtype === 'F64' ? 2 ** -20 : 2 ** -4;
  const rounded = W_enc.map((value) => Math.round(value / step) * step);
  const data = dtype === 'F64' ? Float64Array.from(rounded) : rounded;
  const extra = { W_enc: { dtype, shape: [D, F], data } as Tensor };
  await expectReads(
    { config: { architecture: 'standard' }, tensors: rest, extra },
    slow({ ...rest, W_enc: rounded }, relu),
  );
});

it('temporal is refused by name', async () => {
  const dir = await save({ config: { architecture: 'temporal' }, tensors: random(standard()) });
  await expect(readSaelens(dir)).rejects.toThrow(/architecture is "temporal"/);
});
