/**
 * Runs a model one token at a time, the keys and values of all earlier positions kept, so that a next token
 * costs one position instead of all. It must not know how tokens are chosen.
 */

import { InputError } from '../formats/errors.ts';
import type { Backend } from '../kernels/backend.ts';
import { blocksBefore } from './hooks.ts';
import type { PackedTransformer } from './packing.ts';
import { checkTokens, type Edit } from './run.ts';

export interface Decoder {
  /** Appends one token to each sequence, `[batch]`; gives `ln_final.hook_normalized [batch, width]` there. */
  step(tokens: Int32Array): Promise<Float32Array>;
  /** Forgets all tokens: other sequences begin. */
  restart(): void;
}

/**
 * Room for `batch` sequences of `capacity` tokens. `edits` change the residual stream between blocks, by hook point, at each
 * step: `[batch, 1, width]`; one that changes nothing leaves every bit as it is. InputError where the model's context is
 * shorter, or where an edit's hook point lies inside a block.
 */
export function createDecoder(
  backend: Backend,
  model: PackedTransformer,
  batch: number,
  capacity: number,
  edits: Readonly<Record<string, Edit>> = {},
): Decoder {
  const { embedding, blocks, precision, cos, sin } = model;
  const { name, context, width, heads, headWidth, mlpWidth, epsilon } = model.config;
  if (!Number.isInteger(capacity) || capacity < 1 || capacity > context) {
    throw new InputError(`${capacity} tokens were asked for; model ${name} takes 1 to ${context}`);
  }
  const points = editPoints(model, edits);
  const starts = [...new Set([0, ...points.map(({ before }) => before)])].filter((at) => at < blocks.length);
  /** Runs of blocks between which nobody edits, each with a cache of its own. */
  const stretches = starts.map((first, i) => {
    const own = blocks.slice(first, starts[i + 1]);
    const sizes = { batch, capacity, heads, headWidth, precision };
    return { first, blocks: own, cache: backend.createCache({ blocks: own.length, ...sizes }) };
  });
  let position = 0;

  return {
    async step(tokens) {
      checkTokens(model, tokens, batch, 1);
      if (position === capacity)
        throw new RangeError(`the decoder is full: it has room for ${capacity} tokens`);
      const residual = new Float32Array(batch * width);
      await backend.takeRows({ table: embedding, width, indices: tokens, out: residual });
      const editBefore = async (block: number) => {
        for (const { hook, before } of points)
          if (before === block) await edits[hook](residual, { name: hook, batch, length: 1, width });
      };
      for (const { first, ...stretch } of stretches) {
        await editBefore(first);
        await backend.decoderStep({ residual, position, mlpWidth, epsilon, cos, sin, ...stretch });
      }
      await editBefore(blocks.length);
      const scale = new Float32Array(batch);
      await backend.rmsNorm({ x: residual, rows: batch, width, epsilon, scale, out: residual });
      position++;
      return residual;
    },
    restart() {
      position = 0;
    },
  };
}

/** Where the edits are made, in the order of computation. */
function editPoints(
  { config }: PackedTransformer,
  edits: Readonly<Record<string, Edit>>,
): { hook: string; before: number }[] {
  const points = Object.keys(edits).map((hook) => {
    const before = blocksBefore(config, hook);
    if (before === undefined)
      throw new InputError(
        `hook ${hook}: token by token, edits are made between blocks only; choose a hook_resid_pre or hook_resid_post`,
      );
    return { hook, before };
  });
  // A block's hook_resid_post comes before the next one's hook_resid_pre.
  const isPre = (hook: string) => Number(hook.endsWith('pre'));
  return points.sort((a, b) => a.before - b.before || isPre(a.hook) - isPre(b.hook));
}
