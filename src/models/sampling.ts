/** Text that a model writes, as tokens. It must not know what the text is for. */

import { InputError } from '../formats/errors.ts';
import { Random } from '../math/random.ts';
import type { Decoder, Transformer } from './transformer.ts';

/**
 * `[sequences * length]`: sequences that begin with BOS and go on as the model predicts, each token drawn from
 * `softmax(logits / temperature)`. A BOS that is drawn begins a next text in the same sequence. Sequence i draws
 * from a random stream of its own, so it does not depend on `batch`, the number of sequences written at a time.
 * Progress is in tokens. InputError where an option is out of range; names it.
 */
export async function sampleTokens(
  model: Transformer,
  options: {
    sequences: number;
    length: number;
    temperature: number;
    seed: number;
    batch?: number;
    onProgress?: (done: number, total: number) => void;
  },
): Promise<Int32Array> {
  const { sequences, length, temperature, seed, batch = 64, onProgress } = options;
  const { bos, context, name } = model.config;
  checkWhole('sequences', sequences, Number.MAX_SAFE_INTEGER);
  checkWhole('batch', batch, Number.MAX_SAFE_INTEGER);
  checkWhole('length', length, context, ` (the context of model ${name})`);
  if (!(temperature >= 0 && temperature < Infinity)) {
    throw new InputError(`temperature: found ${temperature}, expected a number of at least 0`);
  }
  const all = new Int32Array(sequences * length);
  let decoder: Decoder | undefined;
  for (let first = 0; first < sequences; first += batch) {
    const rows = Math.min(batch, sequences - first);
    const streams = Array.from({ length: rows }, (_, i) => samplingStream(seed, first + i));
    if (decoder === undefined || rows < batch) decoder = model.decoder(rows, length);
    else decoder.restart();
    const uniforms = new Float32Array(rows);
    const tokens = new Int32Array(rows).fill(bos);
    for (let position = 0; position < length; position++) {
      if (position > 0) {
        const normalized = await decoder.step(tokens);
        for (let i = 0; i < rows; i++) uniforms[i] = streams[i].uniformFloat32();
        await model.draw(normalized, { temperature, uniforms, out: tokens });
      }
      for (let i = 0; i < rows; i++) all[(first + i) * length + position] = tokens[i];
      onProgress?.(first * length + rows * (position + 1), sequences * length);
    }
  }
  return all;
}

/** The random stream that a sequence is drawn from. */
export function samplingStream(seed: number, sequence: number): Random {
  return new Random(seed, 'sample', String(sequence));
}

/**
 * The likeliest next token, again and again, from BOS on: the tokens up to the next BOS, neither included, or
 * `maxTokens` of them where none comes. InputError where `maxTokens` is beyond the model's context.
 */
export async function greedy(model: Transformer, options: { maxTokens: number }): Promise<Int32Array> {
  const { maxTokens } = options;
  const { bos, context, name } = model.config;
  checkWhole('maxTokens', maxTokens, context, ` (the context of model ${name})`);
  const decoder = model.decoder(1, maxTokens);
  const uniforms = new Float32Array(1);
  const token = Int32Array.of(bos);
  const written: number[] = [];
  while (written.length < maxTokens) {
    await model.draw(await decoder.step(token), { temperature: 0, uniforms, out: token });
    if (token[0] === bos) break;
    written.push(token[0]);
  }
  return Int32Array.from(written);
}

function checkWhole(field: string, value: number, most: number, why = ''): void {
  if (Number.isInteger(value) && value >= 1 && value <= most) return;
  throw new InputError(`${field}: found ${value}, expected a whole number from 1 to ${most}${why}`);
}
