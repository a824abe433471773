/**
 * From the normalised residual to the next token: logits and what is measured on them. Logits are made for a
 * few rows at a time, as a row has a value for each token of the vocabulary.
 */

import type { Backend } from '../kernels/backend.ts';
import type { PackedTransformer } from './packing.ts';

const ROWS_AT_ONCE = 128;

/** `out [rows, V] = normalized [rows, d] @ unembedding^T`. */
export async function logits(
  backend: Backend,
  { packedUnembedding }: PackedTransformer,
  normalized: Float32Array,
  rows: number,
  out: Float32Array = new Float32Array(rows * packedUnembedding.outputs),
): Promise<Float32Array> {
  await backend.linear({ x: normalized, rows, weight: packedUnembedding, out });
  return out;
}

/** `-log softmax(logits[r])[targets[r]]` in nats, for each row. */
export async function crossEntropy(
  backend: Backend,
  model: PackedTransformer,
  normalized: Float32Array,
  rows: number,
  targets: Int32Array,
): Promise<Float32Array> {
  const { vocabulary, width } = model.config;
  const result = new Float32Array(rows);
  const buffer = logitBuffer(rows, vocabulary);
  for (const { first, last, count } of blocksOfRows(rows)) {
    const x = normalized.subarray(first * width, last * width);
    await backend.crossEntropy({
      logits: await logits(backend, model, x, count, buffer.subarray(0, count * vocabulary)),
      rows: count,
      vocabulary,
      targets: targets.subarray(first, last),
      out: result.subarray(first, last),
    });
  }
  return result;
}

/**
 * For each row the cross-entropy of `other`, and how far its prediction is from that of `clean`:
 * `KL(softmax(logits of clean) || softmax(logits of other))`. Both in nats.
 */
export async function compare(
  backend: Backend,
  model: PackedTransformer,
  clean: Float32Array,
  other: Float32Array,
  rows: number,
  targets: Int32Array,
): Promise<{ crossEntropy: Float32Array; kl: Float32Array }> {
  const { vocabulary, width } = model.config;
  const result = { crossEntropy: new Float32Array(rows), kl: new Float32Array(rows) };
  const [cleanBuffer, otherBuffer] = [logitBuffer(rows, vocabulary), logitBuffer(rows, vocabulary)];
  for (const { first, last, count } of blocksOfRows(rows)) {
    const logitsOf = (x: Float32Array, buffer: Float32Array): Promise<Float32Array> =>
      logits(
        backend,
        model,
        x.subarray(first * width, last * width),
        count,
        buffer.subarray(0, count * vocabulary),
      );
    const p = await logitsOf(clean, cleanBuffer);
    const q = await logitsOf(other, otherBuffer);
    await backend.klDivergence({ p, q, rows: count, vocabulary, out: result.kl.subarray(first, last) });
    await backend.crossEntropy({
      logits: q,
      rows: count,
      vocabulary,
      targets: targets.subarray(first, last),
      out: result.crossEntropy.subarray(first, last),
    });
  }
  return result;
}

function logitBuffer(rows: number, vocabulary: number): Float32Array {
  return new Float32Array(Math.min(rows, ROWS_AT_ONCE) * vocabulary);
}

function* blocksOfRows(rows: number): Generator<{ first: number; last: number; count: number }> {
  for (let first = 0; first < rows; first += ROWS_AT_ONCE) {
    const last = Math.min(first + ROWS_AT_ONCE, rows);
    yield { first, last, count: last - first };
  }
}
