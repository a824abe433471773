/**
 * The forward pass of a decoder transformer, from tokens to the normalised residual that the unembedding reads:
 *
 *     x = embedding[token]
 *     for each block:  x = x + o(attention(norm(x)));  x = x + down(silu(gate(norm(x))) * up(norm(x)))
 *     norm(x)
 *
 * It is a generator that halts at hook points. Whoever drives it may read the activation, change it in place, or go no
 * further; nothing after a halt is computed before it is asked for. Blocks into which nobody looks are computed in one
 * operation, without halts, to the same bits. Touvron et al., "LLaMA", 2023, section 2.2. This file must not know who
 * drives it.
 */

import type { Backend, PackedBlock } from '../kernels/backend.ts';
import { innerHooks } from './hooks.ts';
import type { PackedTransformer } from './packing.ts';
import { attentionScores, mixValues, softmaxRows } from './pattern.ts';

/** A halt of the forward pass. The activation may be overwritten when the pass goes on. */
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
  /** Begins at this hook point of the residual stream, with this activation `[batch, length, width]`. */
  readonly from?: { readonly order: number; readonly activation: Float32Array };
  /** Where a hook point stands in the order of computation. */
  readonly order: ReadonlyMap<string, number>;
  /** Whether the driver looks at the hook point or stops there: for others there may be no halt. */
  readonly isWanted: (name: string) => boolean;
  /** Whether the driver may change the activation there. */
  readonly isEdited: (name: string) => boolean;
}

/** The halts of one pass, in the order of `hookNames`, at least where one is wanted. */
export async function* forward(
  backend: Backend,
  model: PackedTransformer,
  pass: Pass,
): AsyncGenerator<Halt, void, void> {
  const { width } = model.config;
  const rows = pass.batch * pass.length;
  const residual = pass.from?.activation.slice() ?? (await embed(backend, model, pass.tokens));
  const buffers = reusedBuffers(rows);
  const isReached = (name: string): boolean => pass.order.get(name)! >= (pass.from?.order ?? 0);

  if (pass.from === undefined) yield { name: 'hook_embed', activation: residual, width };
  for (let layer = 0; layer < model.blocks.length; layer++) {
    const block = model.blocks[layer];
    const prefix = `blocks.${layer}.`;
    if (isReached(`${prefix}hook_resid_pre`)) {
      yield { name: `${prefix}hook_resid_pre`, activation: residual, width };
      const unseen = unseenBlocks(model, pass, layer);
      if (unseen > 0) {
        await computeBlocks(backend, model, pass, layer, unseen, residual);
        layer += unseen - 1;
        yield { name: `blocks.${layer}.hook_resid_post`, activation: residual, width };
        continue;
      }
      const branch = buffers('branch', width);
      yield* attention(backend, model, pass, block, layer, residual, branch, buffers);
      await backend.add({ a: residual, b: branch, out: residual });
    }
    if (isReached(`${prefix}hook_resid_mid`)) {
      yield { name: `${prefix}hook_resid_mid`, activation: residual, width };
      const branch = buffers('branch', width);
      yield* mlp(backend, model, pass, block, layer, residual, branch, buffers);
      await backend.add({ a: residual, b: branch, out: residual });
    }
    if (isReached(`${prefix}hook_resid_post`)) {
      yield { name: `${prefix}hook_resid_post`, activation: residual, width };
    }
  }
  yield* norm(backend, model, pass, 'ln_final.', residual, buffers('normalized', width));
}

/** An array `[rows, width]` for each purpose, the same one each time: memory that is new costs time. */
type Buffers = (purpose: string, width: number) => Float32Array;

function reusedBuffers(rows: number): Buffers {
  const made = new Map<string, Float32Array>();
  return (purpose, width) => {
    const buffer = made.get(purpose) ?? new Float32Array(rows * width);
    made.set(purpose, buffer);
    return buffer;
  };
}

/** `[tokens, width]`: the embedding's row of each token. */
async function embed(
  backend: Backend,
  { embedding, config: { width } }: PackedTransformer,
  tokens: Int32Array,
): Promise<Float32Array> {
  const residual = new Float32Array(tokens.length * width);
  await backend.takeRows({ table: embedding, width, indices: tokens, out: residual });
  return residual;
}

/** How many blocks from `layer` on can be computed at once, as nobody looks into them or between them. */
function unseenBlocks(model: PackedTransformer, pass: Pass, layer: number): number {
  let count = 0;
  for (let next = layer; next < model.blocks.length && !innerHooks(next).some(pass.isWanted); next++) {
    count++;
    if (pass.isWanted(`blocks.${next}.hook_resid_post`)) break;
    if (pass.isWanted(`blocks.${next + 1}.hook_resid_pre`)) break;
  }
  return count;
}

async function computeBlocks(
  backend: Backend,
  model: PackedTransformer,
  { batch, length }: Pass,
  first: number,
  count: number,
  residual: Float32Array,
): Promise<void> {
  const { heads, headWidth, mlpWidth, epsilon } = model.config;
  const { cos, sin } = model;
  const blocks = model.blocks.slice(first, first + count);
  await backend.decoderBlocks({
    residual,
    batch,
    length,
    heads,
    headWidth,
    mlpWidth,
    epsilon,
    cos,
    sin,
    blocks,
  });
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
  buffers: Buffers,
): AsyncGenerator<Halt, void, void> {
  const { width, heads, headWidth } = model.config;
  const { batch, length } = pass;
  const rows = batch * length;
  const name = (point: string): string => `blocks.${layer}.attn.${point}`;

  const normalized = buffers('normalized', width);
  yield* norm(backend, model, pass, `blocks.${layer}.ln1.`, residual, normalized);
  const project = async (weight: 'q' | 'k' | 'v'): Promise<Float32Array> => {
    const projected = buffers(weight, width);
    await backend.linear({ x: normalized, rows, weight: block[weight], out: projected });
    return projected;
  };
  const q = await project('q');
  yield { name: name('hook_q'), activation: q, width };
  const k = await project('k');
  yield { name: name('hook_k'), activation: k, width };
  const v = await project('v');
  yield { name: name('hook_v'), activation: v, width };

  const rotation = { rows, length, start: 0, heads, headWidth, cos: model.cos, sin: model.sin };
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
  else await backend.attention({ q, k, v, ...sizes, precision: model.precision, out: z });
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
  buffers: Buffers,
): AsyncGenerator<Halt, void, void> {
  const { width, mlpWidth } = model.config;
  const rows = pass.batch * pass.length;
  const prefix = `blocks.${layer}.`;

  const normalized = buffers('normalized', width);
  yield* norm(backend, model, pass, `${prefix}ln2.`, residual, normalized);
  const gate = buffers('gate', mlpWidth);
  await backend.linear({ x: normalized, rows, weight: block.gate, out: gate });
  yield { name: `${prefix}mlp.hook_pre`, activation: gate, width: mlpWidth };
  const up = buffers('up', mlpWidth);
  await backend.linear({ x: normalized, rows, weight: block.up, out: up });
  yield { name: `${prefix}mlp.hook_pre_linear`, activation: up, width: mlpWidth };
  await backend.swiglu({ gate, up, out: gate });
  yield { name: `${prefix}mlp.hook_post`, activation: gate, width: mlpWidth };

  await backend.linear({ x: gate, rows, weight: block.down, out });
  yield { name: `${prefix}hook_mlp_out`, activation: out, width };
}
