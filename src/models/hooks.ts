/**
 * The hook points of a decoder, named as TransformerLens names them, in the order in which they are computed.
 * Names and shapes only; `transformer.ts` computes them.
 *
 * Gains of norms are folded into the weights that follow, so `hook_normalized` is before the gain. In a gated MLP
 * `hook_pre` is the gate before its activation function, `hook_pre_linear` the other branch, `hook_post` their product.
 */
import { InputError } from '../formats/errors.ts';
import { closest } from '../formats/suggest.ts';

/** The shape of a decoder transformer: as much of it as hook points depend on. */
export interface HookShape {
  readonly layers: number;
  readonly width: number;
  readonly heads: number;
  readonly headWidth: number;
  readonly mlpWidth: number;
}

const BLOCK = [
  'hook_resid_pre',
  'ln1.hook_scale',
  'ln1.hook_normalized',
  'attn.hook_q',
  'attn.hook_k',
  'attn.hook_v',
  'attn.hook_rot_q',
  'attn.hook_rot_k',
  'attn.hook_attn_scores',
  'attn.hook_pattern',
  'attn.hook_z',
  'hook_attn_out',
  'hook_resid_mid',
  'ln2.hook_scale',
  'ln2.hook_normalized',
  'mlp.hook_pre',
  'mlp.hook_pre_linear',
  'mlp.hook_post',
  'hook_mlp_out',
  'hook_resid_post',
] as const;

type BlockHook = (typeof BLOCK)[number];

/** The full name of a block's hook point. */
function blockHook(layer: number, hook: BlockHook): string {
  return `blocks.${layer}.${hook}`;
}

/** A block's hook points between `hook_resid_pre` and `hook_resid_post`: those that only its own computation passes. */
export function innerHooks(layer: number): string[] {
  return BLOCK.slice(1, -1).map((hook) => blockHook(layer, hook));
}

/** Every hook point, in order of computation. */
export function hookNames(shape: HookShape): string[] {
  const blocks = Array.from({ length: shape.layers }, (_, layer) =>
    BLOCK.map((hook) => blockHook(layer, hook)),
  );
  return ['hook_embed', ...blocks.flat(), 'ln_final.hook_scale', 'ln_final.hook_normalized'];
}

/** Each hook point's place in the order of computation. */
export function hookOrder(shape: HookShape): ReadonlyMap<string, number> {
  return new Map(hookNames(shape).map((name, place) => [name, place]));
}

/**
 * Values that a hook point has at each token. Attention scores and patterns are `[batch, heads, query, key]`
 * instead: there it is the number of heads, and each has a row of `length` for each token.
 */
export function hookWidth(shape: HookShape, name: string): number {
  checkHook(shape, name);
  if (name.endsWith('hook_scale')) return 1;
  if (isPattern(name)) return shape.heads;
  if (name.includes('.attn.')) return shape.heads * shape.headWidth;
  if (name.includes('.mlp.')) return shape.mlpWidth;
  return shape.width;
}

/** Whether a hook point is of the residual stream inside a block or at its ends, where a run can begin. */
export function isResidual(name: string): boolean {
  return /\.hook_resid_(pre|mid|post)$/.test(name);
}

/** How many blocks are computed before a hook point that lies between blocks; undefined where it lies inside one. */
export function blocksBefore(shape: HookShape, name: string): number | undefined {
  checkHook(shape, name);
  const found = /^blocks\.(\d+)\.hook_resid_(pre|post)$/.exec(name);
  return found === null ? undefined : Number(found[1]) + (found[2] === 'post' ? 1 : 0);
}

/** Whether a hook point is `[batch, heads, length, length]`. */
export function isPattern(name: string): boolean {
  return name.endsWith('attn.hook_attn_scores') || name.endsWith('attn.hook_pattern');
}

/** Refuses a name that is not a hook point of the model, and suggests the nearest. */
export function checkHook(shape: HookShape, name: string): void {
  const names = hookNames(shape);
  if (names.includes(name)) return;
  const suggestion = closest(name, names);
  throw new InputError(
    `hook: the model has no hook point "${name}"${suggestion ? `; did you mean ${suggestion}?` : ''} ` +
      `(layers 0 to ${shape.layers - 1}, named as in TransformerLens)`,
  );
}
