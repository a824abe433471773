import { describe, expect, test } from 'vitest';
import { InputError } from '../../src/formats/errors.ts';
import { loadBackend } from '../../src/kernels/index.ts';
import { createReferenceBackend } from '../../src/kernels/reference.ts';
import { hookNames, hookWidth, isPattern } from '../../src/models/hooks.ts';
import { createTransformer } from '../../src/models/transformer.ts';
import {
  counting,
  largestDifference,
  randomTokens,
  randomWeights,
  tinyConfig,
  tinyModel,
} from './helpers.ts';

const names = hookNames(tinyConfig);
const [batch, length] = [2, 5];
const tokens = randomTokens(batch * length);

describe('capture', () => {
  test('gives every hook point with its shape', async () => {
    const all = await tinyModel().run(tokens, { batch, length, capture: names });
    expect([...all.keys()]).toEqual(names);
    for (const [name, activation] of all) {
      const perToken = hookWidth(tinyConfig, name) * (isPattern(name) ? length : 1);
      expect(activation.length, name).toBe(batch * length * perToken);
      const hasFiniteValues = activation.every((value) => Number.isFinite(value));
      expect(hasFiniteValues, name).toBe(!name.endsWith('attn_scores'));
    }
  });

  test('of one point gives the same bits as a capture of all', async () => {
    const model = tinyModel();
    const all = await model.run(tokens, { batch, length, capture: names });
    for (const name of names) {
      const alone = await model.run(tokens, { batch, length, capture: [name] });
      expect(alone.get(name), name).toEqual(all.get(name));
    }
  });

  test('of an early point is not changed by what the run computes afterwards', async () => {
    const model = tinyModel();
    const alone = (await model.run(tokens, { batch, length, capture: ['hook_embed'] })).get('hook_embed')!;
    const again = await model.run(tokens, {
      batch,
      length,
      capture: ['hook_embed', 'blocks.2.hook_resid_post'],
    });
    expect(again.get('hook_embed')).toEqual(alone);
    const kept = again.get('blocks.2.hook_resid_post')!.slice();
    await model.run(randomTokens(batch * length, 3), {
      batch,
      length,
      capture: ['blocks.2.hook_resid_post'],
    });
    expect(again.get('blocks.2.hook_resid_post')).toEqual(kept);
  });

  test('gives what the definitions say', async () => {
    const weights = randomWeights();
    const all = await tinyModel().run(tokens, { batch, length, capture: names });
    const at = (name: string): Float32Array => all.get(name)!;
    const sum = (a: string, b: string): Float32Array => at(a).map((value, i) => value + at(b)[i]);
    const d = tinyConfig.width;
    tokens.forEach((token, row) => {
      expect(at('hook_embed').subarray(row * d, row * d + d)).toEqual(
        weights.embedding.subarray(token * d, token * d + d),
      );
    });
    for (let layer = 0; layer < tinyConfig.layers; layer++) {
      const name = (point: string): string => `blocks.${layer}.${point}`;
      expect(at(name('hook_resid_mid'))).toEqual(sum(name('hook_resid_pre'), name('hook_attn_out')));
      expect(at(name('hook_resid_post'))).toEqual(sum(name('hook_resid_mid'), name('hook_mlp_out')));
      const scale = at(name('ln2.hook_scale'));
      const residual = at(name('hook_resid_mid'));
      const normalized = residual.map((value, i) => value / scale[Math.floor(i / d)]);
      expect(largestDifference(at(name('ln2.hook_normalized')), normalized)).toBeLessThan(1e-6);
      scale.forEach((found, row) => {
        const squares = residual.subarray(row * d, row * d + d).reduce((total, x) => total + x * x, 0);
        expect(found).toBeCloseTo(Math.sqrt(squares / d + tinyConfig.epsilon), 5);
      });
      // A rotation keeps lengths, and at position 0 it turns nothing.
      const [q, turned] = [at(name('attn.hook_q')), at(name('attn.hook_rot_q'))];
      expect(Math.hypot(...turned.subarray(4, 8))).toBeCloseTo(Math.hypot(...q.subarray(4, 8)), 5);
      expect(turned.subarray(0, d)).toEqual(q.subarray(0, d));
      const [gate, up] = [at(name('mlp.hook_pre')), at(name('mlp.hook_pre_linear'))];
      const product = gate.map((g, i) => (g / (1 + Math.exp(-g))) * up[i]);
      expect(largestDifference(at(name('mlp.hook_post')), product)).toBeLessThan(1e-5);
    }
  });

  test('pattern rows sum to 1 and look at nothing that comes later', async () => {
    const name = 'blocks.1.attn.hook_pattern';
    const pattern = (await tinyModel().run(tokens, { batch, length, capture: [name] })).get(name)!;
    for (let row = 0; row < batch * tinyConfig.heads * length; row++) {
      const weights = pattern.subarray(row * length, (row + 1) * length);
      expect(weights.reduce((a, b) => a + b)).toBeCloseTo(1, 6);
      expect(weights.subarray((row % length) + 1).every((weight) => weight === 0)).toBe(true);
      expect(weights.subarray(0, (row % length) + 1).every((weight) => weight > 0)).toBe(true);
    }
  });

  test('the pattern mixes values to the z of the fused attention', async () => {
    const model = tinyModel();
    for (const hook of ['blocks.1.attn.hook_pattern', 'blocks.1.attn.hook_attn_scores']) {
      const z = 'blocks.1.attn.hook_z';
      const fused = await model.run(tokens, { batch, length, capture: [z] });
      const open = await model.run(tokens, { batch, length, capture: [z], edit: { [hook]: () => {} } });
      expect(largestDifference(open.get(z)!, fused.get(z)!)).toBeLessThan(1e-6);
    }
  });

  test('backends agree at every hook point', async () => {
    const [own, reference] = await Promise.all(
      [loadBackend(), createReferenceBackend()].map((backend) =>
        tinyModel(backend).run(tokens, { batch, length, capture: names }),
      ),
    );
    for (const name of names)
      expect(largestDifference(own.get(name)!, reference.get(name)!), name).toBeLessThan(1e-4);
  });
});

describe('a sequence', () => {
  test('has the same activations in a batch as alone', async () => {
    const model = tinyModel();
    const capture = names.filter((name) => !isPattern(name));
    const together = await model.run(tokens, { batch, length, capture });
    for (let b = 0; b < batch; b++) {
      const own = tokens.slice(b * length, (b + 1) * length);
      const alone = await model.run(own, { batch: 1, length, capture });
      for (const [name, activation] of alone) {
        const part = together.get(name)!.subarray(b * activation.length, (b + 1) * activation.length);
        expect(part, name).toEqual(activation);
      }
    }
  });

  test('is not changed by what comes after it', async () => {
    const model = tinyModel();
    const name = 'ln_final.hook_normalized';
    const whole = await model.run(tokens, { batch: 1, length: 10, capture: [name] });
    const prefix = await model.run(tokens.slice(0, 6), { batch: 1, length: 6, capture: [name] });
    expect(whole.get(name)!.subarray(0, 6 * tinyConfig.width)).toEqual(prefix.get(name));
  });
});

describe('a run computes no further than it must', () => {
  test.each([
    ['hook_embed', {}],
    ['blocks.0.hook_resid_pre', {}],
    ['blocks.0.ln1.hook_normalized', { rmsNorm: 1 }],
    ['blocks.0.attn.hook_q', { rmsNorm: 1, linear: 1 }],
    ['blocks.0.attn.hook_pattern', { rmsNorm: 1, linear: 3, rotary: 2 }],
    ['blocks.0.hook_resid_mid', { rmsNorm: 1, linear: 4, rotary: 2, attention: 1, add: 1 }],
    ['blocks.0.hook_mlp_out', { rmsNorm: 2, linear: 7, rotary: 2, attention: 1, add: 1, swiglu: 1 }],
    ['blocks.0.hook_resid_post', { decoderBlocks: 1 }],
    ['blocks.1.hook_resid_pre', { decoderBlocks: 1 }],
    ['blocks.1.attn.hook_q', { decoderBlocks: 1, rmsNorm: 1, linear: 1 }],
    ['blocks.2.hook_resid_post', { decoderBlocks: 1 }],
    ['ln_final.hook_normalized', { decoderBlocks: 1, rmsNorm: 1 }],
  ])('%s', async (hook, expected) => {
    const { backend, calls } = counting(createReferenceBackend());
    const model = tinyModel(backend);
    for (const options of [{ capture: [hook] }, { stopAt: hook }]) {
      for (const name of Object.keys(calls)) delete calls[name];
      await model.run(tokens, { batch, length, ...options });
      expect(calls).toEqual({ takeRows: 1, ...expected });
    }
  });

  test('blocks with nobody looking in between are computed together, around those that are looked into', async () => {
    const { backend, calls } = counting(createReferenceBackend());
    const model = tinyModel(backend);
    const last = 'ln_final.hook_normalized';
    for (const [capture, decoderBlocks] of [
      [['blocks.1.attn.hook_z'], 2],
      [['blocks.0.mlp.hook_pre'], 1],
      [['blocks.0.hook_resid_post'], 2],
      [['blocks.1.hook_resid_pre', 'blocks.2.hook_resid_pre'], 3],
      [['blocks.0.hook_resid_pre', 'blocks.2.hook_resid_post'], 1],
    ] as const) {
      for (const name of Object.keys(calls)) delete calls[name];
      await model.run(tokens, { batch, length, capture: [...capture, last] });
      expect(calls.decoderBlocks, capture.join()).toBe(decoderBlocks);
    }
  });

  test('nothing is computed where nothing is asked for', async () => {
    const { backend, calls } = counting(createReferenceBackend());
    const model = tinyModel(backend);
    for (const name of Object.keys(calls)) delete calls[name];
    expect((await model.run(tokens, { batch, length })).size).toBe(0);
    expect(calls).toEqual({});
  });
});

describe('what does not fit is named', () => {
  const model = tinyModel();
  const end = { batch, length, capture: ['ln_final.hook_normalized'] };
  const refuse = (
    run: () => Promise<unknown>,
    message: RegExp,
    kind: new (message?: string) => Error = InputError,
  ) =>
    expect(run()).rejects.toSatisfy(
      (error) => error instanceof kind && message.test((error as Error).message),
    );

  test('tokens', async () => {
    await refuse(() => model.run(Int32Array.of(3, 16), { ...end, batch: 1, length: 2 }), /16 at position 1/);
    await refuse(() => model.run(Int32Array.of(-1), { ...end, batch: 1, length: 1 }), /-1 at position 0/);
    await refuse(() => model.run(tokens, { ...end, length: 4 }), /tokens: 10/, RangeError);
    await refuse(() => model.run(new Int32Array(), { ...end, batch: 0 }), /tokens: 0/, RangeError);
    await refuse(
      () => model.run(new Int32Array(11), { ...end, batch: 1, length: 11 }),
      /11 tokens.*tiny.*10/,
    );
  });

  test('hook points', async () => {
    await refuse(
      () => model.run(tokens, { batch, length, capture: ['blocks.7.hook_resid_post'] }),
      /blocks\.7/,
    );
    await refuse(() => model.run(tokens, { ...end, stopAt: 'hook_embed' }), /ln_final.*hook_embed/);
    const edit = { 'blocks.1.hook_mlp_out': () => {} };
    await refuse(() => model.run(tokens, { batch, length, edit }), /blocks\.1\.hook_mlp_out/);
    await refuse(
      () => model.run(tokens, { batch, length, capture: ['hook_embed'], edit }),
      /blocks\.1.*ends/,
    );
  });

  test('the start', async () => {
    const activation = new Float32Array(batch * length * tinyConfig.width);
    const from = { hook: 'blocks.1.hook_resid_mid', activation };
    await refuse(() => model.run(tokens, { batch, length, capture: ['hook_embed'], from }), /before/);
    await refuse(
      () => model.run(tokens, { ...end, from: { ...from, hook: 'blocks.1.hook_mlp_out' } }),
      /begins/,
    );
    const short = { ...from, activation: activation.subarray(1) };
    await refuse(() => model.run(tokens, { ...end, from: short }), /from\.activation: 79.*80/, RangeError);
  });

  test('weights and sizes', () => {
    const backend = createReferenceBackend();
    const weights = randomWeights();
    const blocks = weights.blocks.map((block, i) =>
      i === 2 ? { ...block, up: new Float32Array(95) } : block,
    );
    expect(() => createTransformer(backend, tinyConfig, { ...weights, blocks })).toThrow(
      /blocks\.2\.up.*95.*96/,
    );
    const missing = { ...weights, blocks: weights.blocks.slice(1) };
    expect(() => createTransformer(backend, tinyConfig, missing)).toThrow(/2 blocks, expected 3/);
    expect(() => createTransformer(backend, { ...tinyConfig, heads: 3 }, weights)).toThrow(/3 heads/);
    expect(() => createTransformer(backend, { ...tinyConfig, layers: 0 }, weights)).toThrow(/layers is 0/);
    expect(() => createTransformer(backend, { ...tinyConfig, bos: 16 }, weights)).toThrow(/bos is 16/);
  });
});
