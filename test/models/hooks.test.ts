import { expect, test } from 'vitest';
import { InputError } from '../../src/formats/errors.ts';
import { checkHook, hookNames, hookOrder, hookWidth } from '../../src/models/hooks.ts';
import { tinyConfig } from './helpers.ts';

test('every layer has the points of the first, between the embedding and the final norm', () => {
  const names = hookNames(tinyConfig);
  expect(new Set(names).size).toBe(names.length);
  expect(names).toHaveLength(1 + 20 * tinyConfig.layers + 2);
  expect(names[0]).toBe('hook_embed');
  expect(names.at(-1)).toBe('ln_final.hook_normalized');
  const ofLayer = (layer: number): string[] =>
    names
      .filter((name) => name.startsWith(`blocks.${layer}.`))
      .map((name) => name.slice(`blocks.${layer}.`.length));
  expect(ofLayer(2)).toEqual(ofLayer(0));
  expect([...hookOrder(tinyConfig).keys()]).toEqual(names);
});

test.each([
  ['hook_embed', 8],
  ['blocks.0.ln1.hook_scale', 1],
  ['blocks.1.attn.hook_z', 8],
  ['blocks.1.attn.hook_pattern', 2],
  ['blocks.2.mlp.hook_post', 12],
  ['blocks.2.hook_mlp_out', 8],
  ['ln_final.hook_scale', 1],
])('%s has width %i', (name, width) => {
  expect(hookWidth(tinyConfig, name)).toBe(width);
});

test('a name that is mistyped is refused, and the nearest is suggested', () => {
  expect(() => checkHook(tinyConfig, 'blocks.1.hook_resid_pst')).toThrow(
    /blocks\.1\.hook_resid_pst.*blocks\.1\.hook_resid_post/,
  );
  for (const name of ['', '__proto__', 'toString', 'blocks.3.hook_resid_post', 'blocks.0.toString']) {
    expect(() => checkHook(tinyConfig, name)).toThrow(InputError);
  }
});
