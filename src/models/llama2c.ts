/**
 * Reads the two files of Karpathy's llama2.c (https://github.com/karpathy/llama2.c): `model.bin` in its version
 * 0 (export.py, `legacy_export`) and `tokenizer.bin` (tokenizer.py). Little-endian. Bytes in, weights and a
 * tokenizer out; it must not know where the bytes come from.
 */

import { InputError } from '../formats/errors.ts';
import { firstNonFinite } from '../math/finite.ts';
import {
  type BlockWeights,
  checkConfig,
  type TransformerConfig,
  type TransformerWeights,
} from './architecture.ts';
import { createLlamaTokenizer, type Piece, type Tokenizer } from './tokenizer.ts';

const HEADER_BYTES = 28;
const CONTROL_AND_BYTES = 259;

/**
 * A header of 7 int32 (width, mlpWidth, layers, heads, key heads, vocabulary, context; the vocabulary negative
 * where the unembedding is a matrix of its own), then float32 arrays, each for all layers: embedding, attention
 * gains, q, k, v, o, MLP gains, gate, down, up, final gain, the rotary cosines and sines (computed anew here),
 * and the unembedding where there is one. `name` is the model's. InputError where the size is not what the header
 * asks for, or a value is not finite.
 */
export function readLlama2cModel(
  bytes: Uint8Array,
  name: string,
): { config: TransformerConfig; weights: TransformerWeights } {
  const where = `model ${name} (llama2.c model.bin)`;
  if (bytes.length < HEADER_BYTES) {
    throw new InputError(
      `${where}: found ${bytes.length} bytes, expected a header of ${HEADER_BYTES}; get it anew`,
    );
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [width, mlpWidth, layers, heads, keyHeads, vocabulary, context] = Array.from({ length: 7 }, (_, i) =>
    view.getInt32(4 * i, true),
  );
  const config: TransformerConfig = {
    name,
    layers,
    width,
    heads,
    headWidth: width / heads,
    mlpWidth,
    vocabulary: Math.abs(vocabulary),
    context,
    epsilon: 1e-5,
    ropeTheta: 10000,
    bos: 1,
  };
  checkConfig(config);
  if (keyHeads !== heads) {
    throw new InputError(
      `${where}: found ${keyHeads} key heads for ${heads} query heads; only models with as many of both can be read`,
    );
  }
  const [d, V] = [width, config.vocabulary];
  const matrices = layers * (4 * d * d + 3 * mlpWidth * d + 2 * d);
  const values = V * d * (vocabulary < 0 ? 2 : 1) + matrices + d + context * config.headWidth;
  if (bytes.length !== HEADER_BYTES + 4 * values) {
    throw new InputError(
      `${where}: found ${bytes.length} bytes, expected ${HEADER_BYTES + 4 * values} by its header; get it anew`,
    );
  }

  const floats = floatView(bytes.subarray(HEADER_BYTES));
  let at = 0;
  const take = (array: string, count: number): Float32Array => {
    const part = floats.subarray(at, (at += count));
    const bad = firstNonFinite(part);
    if (bad >= 0) throw new InputError(`${where}: ${array} holds ${part[bad]} at ${bad}; get it anew`);
    return part;
  };
  const takeLayers = (array: string, count: number): Float32Array[] =>
    Array.from({ length: layers }, (_, layer) => take(`${array} of layer ${layer}`, count));

  const embedding = take('the embedding', V * d);
  const arrays = {
    normAttention: takeLayers('normAttention', d),
    q: takeLayers('q', d * d),
    k: takeLayers('k', d * d),
    v: takeLayers('v', d * d),
    o: takeLayers('o', d * d),
    normMlp: takeLayers('normMlp', d),
    gate: takeLayers('gate', mlpWidth * d),
    down: takeLayers('down', mlpWidth * d),
    up: takeLayers('up', mlpWidth * d),
  };
  const normFinal = take('normFinal', d);
  take('the rotary table', context * config.headWidth);
  const unembedding = vocabulary < 0 ? take('the unembedding', V * d) : undefined;
  const blocks = Array.from(
    { length: layers },
    (_, layer) =>
      Object.fromEntries(
        Object.entries(arrays).map(([field, of]) => [field, of[layer]]),
      ) as unknown as BlockWeights,
  );
  return { config, weights: { embedding, blocks, normFinal, unembedding } };
}

/** The bytes as float32, without a copy where they lie at a multiple of 4. */
function floatView(bytes: Uint8Array): Float32Array {
  const aligned = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
  return new Float32Array(aligned.buffer, aligned.byteOffset, aligned.byteLength / 4);
}

/**
 * An int32 (the longest piece in bytes), then for each token a float32 score, an int32 length and that many
 * bytes of UTF-8. The first 259 are `<unk>`, `<s>`, `</s>` and the bytes, whatever their text. InputError where
 * the file does not hold exactly `vocabulary` tokens; `name` is the model's.
 */
export function readLlama2cTokenizer(bytes: Uint8Array, name: string, vocabulary: number): Tokenizer {
  const where = `tokenizer of ${name} (llama2.c tokenizer.bin)`;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  const pieces: Piece[] = [];
  let at = 4;
  for (let token = 0; token < vocabulary; token++) {
    const size = at + 8 <= bytes.length ? view.getInt32(at + 4, true) : 0;
    if (size < 1 || at + 8 + size > bytes.length) {
      throw new InputError(
        `${where}: it is damaged or ends at token ${token}; expected ${vocabulary} tokens; get it anew`,
      );
    }
    const score = view.getFloat32(at, true);
    const text = bytes.subarray(at + 8, at + 8 + size);
    at += 8 + size;
    if (token < CONTROL_AND_BYTES) continue;
    try {
      pieces.push({ text: utf8.decode(text), score });
    } catch (error) {
      throw new InputError(`${where}: token ${token} is not UTF-8; get the file anew`, { cause: error });
    }
  }
  if (at !== bytes.length) {
    throw new InputError(
      `${where}: found ${bytes.length} bytes, but ${vocabulary} tokens end at ${at}; it belongs to another model`,
    );
  }
  return createLlamaTokenizer(pieces, `the tokenizer of ${name}`);
}
