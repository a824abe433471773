/**
 * Runs a model one token at a time, the keys and values of all earlier positions kept, so that a next token
 * costs one position instead of all. It must not know how tokens are chosen.
 */

import { InputError } from '../formats/errors.ts';
import type { Backend } from '../kernels/backend.ts';
import type { PackedTransformer } from './packing.ts';
import { checkTokens } from './run.ts';

export interface Decoder {
  /** Appends one token to each sequence, `[batch]`; gives `ln_final.hook_normalized [batch, width]` there. */
  step(tokens: Int32Array): Promise<Float32Array>;
  /** Forgets all tokens: other sequences begin. */
  restart(): void;
}

/** Room for `batch` sequences of `capacity` tokens. InputError where the model's context is shorter. */
export function createDecoder(
  backend: Backend,
  model: PackedTransformer,
  batch: number,
  capacity: number,
): Decoder {
  const { embedding, blocks, precision, cos, sin } = model;
  const { name, context, width, heads, headWidth, mlpWidth, epsilon } = model.config;
  if (!Number.isInteger(capacity) || capacity < 1 || capacity > context) {
    throw new InputError(`${capacity} tokens were asked for; model ${name} takes 1 to ${context}`);
  }
  const cache = backend.createCache({
    blocks: blocks.length,
    batch,
    capacity,
    heads,
    headWidth,
    precision,
  });
  let position = 0;

  return {
    async step(tokens) {
      checkTokens(model, tokens, batch, 1);
      if (position === capacity)
        throw new RangeError(`the decoder is full: it has room for ${capacity} tokens`);
      const residual = new Float32Array(batch * width);
      await backend.takeRows({ table: embedding, width, indices: tokens, out: residual });
      await backend.decoderStep({ residual, cache, position, mlpWidth, epsilon, cos, sin, blocks });
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
