/**
 * Runs a model one token at a time, the keys and values of all earlier positions kept, so that a next token
 * costs one position instead of all. It must not know how tokens are chosen.
 */

import { InputError } from '../formats/errors.ts';
import type { Backend } from '../kernels/backend.ts';
import { forward } from './forward.ts';
import { hookOrder } from './hooks.ts';
import type { PackedTransformer } from './packing.ts';
import { checkTokens } from './run.ts';

export interface Decoder {
  /** Appends one token to each sequence, `[batch]`; gives `ln_final.hook_normalized [batch, width]` there. */
  step(tokens: Int32Array): Promise<Float32Array>;
}

/** Room for `batch` sequences of `capacity` tokens. InputError where the model's context is shorter. */
export function createDecoder(
  backend: Backend,
  model: PackedTransformer,
  batch: number,
  capacity: number,
): Decoder {
  const { config } = model;
  const { name, context, width, heads, headWidth, layers } = config;
  if (!Number.isInteger(capacity) || capacity < 1 || capacity > context) {
    throw new InputError(`${capacity} tokens were asked for; model ${name} takes 1 to ${context}`);
  }
  const cache = (): Float32Array[] =>
    Array.from({ length: layers }, () => new Float32Array(batch * capacity * width));
  const keys = cache();
  const values = cache();
  const order = hookOrder(config);
  let position = 0;

  /** Puts the rows `[batch, width]` at the present position of the cache `[batch, capacity, width]`. */
  const keep = (rows: Float32Array, cache: Float32Array): void => {
    for (let b = 0; b < batch; b++) {
      cache.set(rows.subarray(b * width, (b + 1) * width), (b * capacity + position) * width);
    }
  };

  return {
    async step(tokens) {
      checkTokens(model, tokens, batch, 1);
      if (position === capacity)
        throw new RangeError(`the decoder is full: it has room for ${capacity} tokens`);
      const halts = forward(backend, model, {
        tokens,
        batch,
        length: 1,
        start: position,
        order,
        isWanted: () => false,
        isEdited: () => false,
        attend(layer, { q, k, v, out }) {
          keep(k, keys[layer]);
          keep(v, values[layer]);
          const [kCache, vCache] = [keys[layer], values[layer]];
          const length = position + 1;
          return backend.attentionStep({ q, kCache, vCache, batch, capacity, length, heads, headWidth, out });
        },
      });
      let normalized = new Float32Array();
      for await (const { activation } of halts) normalized = activation as Float32Array<ArrayBuffer>;
      position++;
      return normalized;
    },
  };
}
