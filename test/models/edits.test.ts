import { describe, expect, test } from 'vitest';
import { hookNames, hookWidth, isPattern } from '../../src/models/hooks.ts';
import type { Edit } from '../../src/models/transformer.ts';
import { largestDifference, randomTokens, tinyConfig, tinyModel } from './helpers.ts';

const names = hookNames(tinyConfig);
const [batch, length] = [2, 5];
const tokens = randomTokens(batch * length);
const model = tinyModel();
const run = (options: { edit?: Record<string, Edit>; tokens?: Int32Array } = {}) =>
  model.run(options.tokens ?? tokens, { batch, length, capture: names, edit: options.edit });

/** What is computed directly from each point of a block: written down from the architecture, not from the code. */
const READERS: Record<string, string[]> = {
  hook_resid_pre: ['ln1.hook_scale', 'ln1.hook_normalized', 'hook_resid_mid'],
  'ln1.hook_scale': ['ln1.hook_normalized'],
  'ln1.hook_normalized': ['attn.hook_q', 'attn.hook_k', 'attn.hook_v'],
  'attn.hook_q': ['attn.hook_rot_q'],
  'attn.hook_k': ['attn.hook_rot_k'],
  'attn.hook_v': ['attn.hook_z'],
  'attn.hook_rot_q': ['attn.hook_attn_scores'],
  'attn.hook_rot_k': ['attn.hook_attn_scores'],
  'attn.hook_attn_scores': ['attn.hook_pattern'],
  'attn.hook_pattern': ['attn.hook_z'],
  'attn.hook_z': ['hook_attn_out'],
  hook_attn_out: ['hook_resid_mid'],
  hook_resid_mid: ['ln2.hook_scale', 'ln2.hook_normalized', 'hook_resid_post'],
  'ln2.hook_scale': ['ln2.hook_normalized'],
  'ln2.hook_normalized': ['mlp.hook_pre', 'mlp.hook_pre_linear'],
  'mlp.hook_pre': ['mlp.hook_post'],
  'mlp.hook_pre_linear': ['mlp.hook_post'],
  'mlp.hook_post': ['hook_mlp_out'],
  hook_mlp_out: ['hook_resid_post'],
};

function readersOf(name: string): string[] {
  if (name === 'hook_embed') return ['blocks.0.hook_resid_pre'];
  if (name === 'ln_final.hook_scale') return ['ln_final.hook_normalized'];
  if (name === 'ln_final.hook_normalized') return [];
  const [, layer, point] = /^blocks\.(\d+)\.(.*)$/.exec(name)!;
  if (point !== 'hook_resid_post') return READERS[point].map((reader) => `blocks.${layer}.${reader}`);
  return Number(layer) + 1 < tinyConfig.layers
    ? [`blocks.${Number(layer) + 1}.hook_resid_pre`]
    : ['ln_final.hook_scale', 'ln_final.hook_normalized'];
}

function allThatFollows(name: string): Set<string> {
  const following = new Set<string>();
  const waiting = [name];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    for (const reader of readersOf(next)) {
      if (!following.has(reader)) waiting.push(reader);
      following.add(reader);
    }
  }
  return following;
}

describe.each(names)('an edit at %s', (name) => {
  test('changes what is computed from it, and nothing else', async () => {
    const clean = await run();
    // A norm undoes a factor, and a softmax a shift; together they are undone by nothing.
    const disturb: Edit = (activation) => {
      for (let i = 0; i < activation.length; i++) activation[i] = 1.5 * activation[i] + 0.1 * (i % 3);
    };
    const edited = await run({ edit: { [name]: disturb } });
    const expected = clean.get(name)!.slice();
    await disturb(expected, { name, batch, length, width: 0 });
    expect(edited.get(name)).toEqual(expected);
    const following = allThatFollows(name);
    for (const other of names) {
      if (other === name) continue;
      const difference = largestDifference(clean.get(other)!, edited.get(other)!);
      if (following.has(other)) expect(difference, other).toBeGreaterThan(1e-4);
      else expect(difference, other).toBe(0);
    }
  });

  test('is told where it is', async () => {
    let told: unknown;
    await run({
      edit: {
        [name]: (activation, point) => {
          told = { size: activation.length, ...point };
        },
      },
    });
    const width = hookWidth(tinyConfig, name);
    const size = batch * length * width * (isPattern(name) ? length : 1);
    expect(told).toEqual({ size, name, batch, length, width });
  });
});

describe('edits do what interventions are for', () => {
  test('ablate: without its attention a block passes the residual on', async () => {
    const edited = await run({ edit: { 'blocks.1.hook_attn_out': (activation) => void activation.fill(0) } });
    expect(edited.get('blocks.1.hook_resid_mid')).toEqual(edited.get('blocks.1.hook_resid_pre'));
  });

  test('replace: with the residual of another text, all that follows is of the other text', async () => {
    const otherTokens = randomTokens(batch * length, 7);
    const other = await run({ tokens: otherTokens });
    const hook = 'blocks.1.hook_resid_mid';
    const edited = await run({ edit: { [hook]: (activation) => activation.set(other.get(hook)!) } });
    for (const name of names.slice(names.indexOf(hook)))
      expect(edited.get(name), name).toEqual(other.get(name));
  });

  test('steer: a direction added to an output arrives in the residual stream', async () => {
    const clean = await run();
    const direction = Float32Array.from({ length: tinyConfig.width }, (_, i) => i - 3);
    const edited = await run({
      edit: {
        'blocks.0.hook_mlp_out': (activation, { width }) => {
          for (let i = 0; i < activation.length; i++) activation[i] += direction[i % width];
        },
      },
    });
    const moved = clean.get('blocks.0.hook_resid_post')!.map((x, i) => x + direction[i % tinyConfig.width]);
    expect(largestDifference(edited.get('blocks.0.hook_resid_post')!, moved)).toBeLessThan(1e-6);
  });

  test('at one position: earlier positions stay as they were', async () => {
    const clean = await run();
    const at = 3;
    const edited = await run({
      edit: {
        'blocks.0.hook_resid_pre': (activation, { width }) =>
          void activation.fill(2, at * width, (at + 1) * width),
      },
    });
    const [before, after] = [clean, edited].map((run) => run.get('ln_final.hook_normalized')!);
    const d = tinyConfig.width;
    expect(after.subarray(0, at * d)).toEqual(before.subarray(0, at * d));
    for (let position = at; position < length; position++) {
      const row = (x: Float32Array): Float32Array => x.subarray(position * d, (position + 1) * d);
      expect(largestDifference(row(after), row(before))).toBeGreaterThan(1e-4);
    }
    // The second sequence of the batch does not know of it.
    expect(after.subarray(length * d)).toEqual(before.subarray(length * d));
  });

  test('mask: a query that may look at nothing gets nothing', async () => {
    const edited = await run({
      edit: { 'blocks.0.attn.hook_attn_scores': (scores) => void scores.fill(-Infinity) },
    });
    expect(edited.get('blocks.0.attn.hook_z')!.every((value) => value === 0)).toBe(true);
  });

  test('an edit may take its time', async () => {
    const edited = await run({
      edit: {
        hook_embed: async (activation) => {
          await new Promise((resolve) => setTimeout(resolve, 1));
          activation.fill(1);
        },
      },
    });
    expect(edited.get('blocks.0.hook_resid_pre')!.every((value) => value === 1)).toBe(true);
  });
});

describe('from', () => {
  test.each(names.filter((name) => /resid_(pre|mid|post)$/.test(name)))(
    'a run from %s goes on as the whole run did',
    async (hook) => {
      const whole = await run();
      const activation = whole.get(hook)!.slice();
      const capture = names.slice(names.indexOf(hook));
      const rest = await model.run(tokens, { batch, length, capture, from: { hook, activation } });
      expect([...rest.keys()]).toEqual(capture);
      for (const name of capture) expect(rest.get(name), name).toEqual(whole.get(name));
      expect(activation).toEqual(whole.get(hook));
    },
  );
});
