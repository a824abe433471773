/**
 * The forward pass of a decoder transformer, from tokens to the normalised residual that the unembedding reads:
 *
 *     x = embedding[token]
 *     for each block:  x = x + o(attention(norm(x)));  x = x + down(silu(gate(norm(x))) * up(norm(x)))
 *     norm(x)
 *
 * It is a generator that halts at every hook point. Whoever drives it may read the activation, change it in
 * place, or go no further; nothing after a halt is computed before it is asked for. Touvron et al., "LLaMA",
 * 2023, section 2.2. This file must not know who drives it.
 */

import type { Backend } from '../kernels/backend.ts';
import type { PackedBlock, PackedTransformer } from './packing.ts';
import { attentionScores, mixValues, softmaxRows } from './pattern.ts';

/** A halt of the forward pass. */
export interface Halt {
  readonly name: string;
  /** `[batch, length, width]`, or `[batch, heads, length, length]`. The pass goes on with what it holds then. */
  readonly activation: Float32Array;
  /** Values for each token; for scores and patterns the number of heads. */
  readonly width: number;
}

export interface Pass {
  /** `[batch * length]` */
  readonly tokens: Int32Array;
  readonly batch: number;
  readonly length: number;
  /** Position of the first token of each sequence. */
  readonly start: number;
  /** Begins at this hook point of the residual stream, with this activation `[batch, length, width]`. */
  readonly from?: { readonly order: number; readonly activation: Float32Array };
  /** Where a hook point stands in the order of computation. */
  readonly order: ReadonlyMap<string, number>;
  /** Whether the driver looks at the hook point: scores and patterns are computed for nobody else. */
  readonly isWanted: (name: string) => boolean;
  /** Whether the driver may change the activation there. */
  readonly isEdited: (name: string) => boolean;
  /** Attention without its pattern. All `[batch * length, width]`. */
  readonly attend: (
    layer: number,
    heads: { q: Float32Array; k: Float32Array; v: Float32Array; out: Float32Array },
  ) => Promise<void>;
}

/** The halts of one pass, in the order of `hookNames`, scores and patterns only where wanted. */
export async function* forward(
  backend: Backend,
  model: PackedTransformer,
  pass: Pass,
): AsyncGenerator<Halt, void, void> {
  const { width } = model.config;
  const rows = pass.batch * pass.length;
  const residual = pass.from?.activation.slice() ?? embed(model, pass.tokens);
  const branch = new Float32Array(rows * width);
  const isReached = (name: string): boolean => pass.order.get(name)! >= (pass.from?.order ?? 0);

  if (pass.from === undefined) yield { name: 'hook_embed', activation: residual, width };
  for (const [layer, block] of model.blocks.entries()) {
    const prefix = `blocks.${layer}.`;
    if (isReached(`${prefix}hook_resid_pre`)) {
      yield { name: `${prefix}hook_resid_pre`, activation: residual, width };
      yield* attention(backend, model, pass, block, layer, residual, branch);
      await backend.add({ a: residual, b: branch, out: residual });
    }
    if (isReached(`${prefix}hook_resid_mid`)) {
      yield { name: `${prefix}hook_resid_mid`, activation: residual, width };
      yield* mlp(backend, model, pass, block, layer, residual, branch);
      await backend.add({ a: residual, b: branch, out: residual });
    }
    if (isReached(`${prefix}hook_resid_post`)) {
      yield { name: `${prefix}hook_resid_post`, activation: residual, width };
    }
  }
  yield* norm(backend, model, pass, 'ln_final.', residual, branch);
}

/** `[tokens, width]`: the embedding's row of each token. */
function embed({ embedding, config: { width } }: PackedTransformer, tokens: Int32Array): Float32Array {
  const residual = new Float32Array(tokens.length * width);
  tokens.forEach((token, row) => {
    residual.set(embedding.subarray(token * width, (token + 1) * width), row * width);
  });
  return residual;
}

/** `out = x / scale`, `scale = sqrt(mean(x^2) + epsilon)`. */
async function* norm(
  backend: Backend,
  model: PackedTransformer,
  pass: Pass,
  prefix: string,
  x: Float32Array,
  out: Float32Array,
): AsyncGenerator<Halt, void, void> {
  const { width, epsilon } = model.config;
  const rows = pass.batch * pass.length;
  const scale = new Float32Array(rows);
  await backend.rmsNorm({ x, rows, width, epsilon, scale, out });
  yield { name: `${prefix}hook_scale`, activation: scale, width: 1 };
  if (pass.isEdited(`${prefix}hook_scale`)) {
    for (let i = 0; i < out.length; i++) out[i] = x[i] / scale[Math.floor(i / width)];
  }
  yield { name: `${prefix}hook_normalized`, activation: out, width };
}

/** `out = o(attention(q, k, v))` of the normalised residual; q and k turned to their positions. */
async function* attention(
  backend: Backend,
  model: PackedTransformer,
  pass: Pass,
  block: PackedBlock,
  layer: number,
  residual: Float32Array,
  out: Float32Array,
): AsyncGenerator<Halt, void, void> {
  const { width, heads, headWidth } = model.config;
  const { batch, length, start } = pass;
  const rows = batch * length;
  const name = (point: string): string => `blocks.${layer}.attn.${point}`;

  const normalized = new Float32Array(rows * width);
  yield* norm(backend, model, pass, `blocks.${layer}.ln1.`, residual, normalized);
  const project = async (weight: 'q' | 'k' | 'v'): Promise<Float32Array> => {
    const projected = new Float32Array(rows * width);
    await backend.linear({ x: normalized, rows, weight: block[weight], out: projected });
    return projected;
  };
  const q = await project('q');
  yield { name: name('hook_q'), activation: q, width };
  const k = await project('k');
  yield { name: name('hook_k'), activation: k, width };
  const v = await project('v');
  yield { name: name('hook_v'), activation: v, width };

  const rotation = { rows, length, start, heads, headWidth, cos: model.cos, sin: model.sin };
  await backend.rotary({ ...rotation, x: q, out: q });
  yield { name: name('hook_rot_q'), activation: q, width };
  await backend.rotary({ ...rotation, x: k, out: k });
  yield { name: name('hook_rot_k'), activation: k, width };

  const sizes = { batch, length, heads, headWidth };
  const pairPoints = [name('hook_attn_scores'), name('hook_pattern')];
  const z = normalized;
  let pattern: Float32Array | undefined;
  if (pairPoints.some(pass.isWanted)) {
    pattern = attentionScores(q, k, sizes);
    yield { name: pairPoints[0], activation: pattern, width: heads };
    softmaxRows(pattern, length);
    yield { name: pairPoints[1], activation: pattern, width: heads };
  }
  // A pattern that is only looked at does not touch the result, not even its last bit.
  if (pattern !== undefined && pairPoints.some(pass.isEdited)) mixValues(pattern, v, sizes, z);
  else await pass.attend(layer, { q, k, v, out: z });
  yield { name: name('hook_z'), activation: z, width };

  await backend.linear({ x: z, rows, weight: block.o, out });
  yield { name: `blocks.${layer}.hook_attn_out`, activation: out, width };
}

/** `out = down(silu(gate) * up)` of the normalised residual: SwiGLU, Shazeer 2020. */
async function* mlp(
  backend: Backend,
  model: PackedTransformer,
  pass: Pass,
  block: PackedBlock,
  layer: number,
  residual: Float32Array,
  out: Float32Array,
): AsyncGenerator<Halt, void, void> {
  const { width, mlpWidth } = model.config;
  const rows = pass.batch * pass.length;
  const prefix = `blocks.${layer}.`;

  const normalized = new Float32Array(rows * width);
  yield* norm(backend, model, pass, `${prefix}ln2.`, residual, normalized);
  const gate = new Float32Array(rows * mlpWidth);
  await backend.linear({ x: normalized, rows, weight: block.gate, out: gate });
  yield { name: `${prefix}mlp.hook_pre`, activation: gate, width: mlpWidth };
  const up = new Float32Array(rows * mlpWidth);
  await backend.linear({ x: normalized, rows, weight: block.up, out: up });
  yield { name: `${prefix}mlp.hook_pre_linear`, activation: up, width: mlpWidth };
  await backend.swiglu({ gate, up, out: gate });
  yield { name: `${prefix}mlp.hook_post`, activation: gate, width: mlpWidth };

  await backend.linear({ x: gate, rows, weight: block.down, out });
  yield { name: `${prefix}hook_mlp_out`, activation: out, width };
}
