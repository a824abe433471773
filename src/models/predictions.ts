/**
 * From the normalised residual to the next token: logits, what is measured on them and what is drawn from them. Only
 * `logits` writes them down, `[rows, V]`.
 */

import type { Backend } from '../kernels/backend.ts';
import type { PackedTransformer } from './packing.ts';

/** `out [rows, V] = normalized [rows, d] @ unembedding^T`. */
export async function logits(
  backend: Backend,
  { packedUnembedding: weight }: PackedTransformer,
  normalized: Float32Array,
  rows: number,
  out: Float32Array = new Float32Array(rows * weight.outputs),
): Promise<Float32Array> {
  await backend.linear({ x: normalized, rows, weight, out });
  return out;
}

/** `-log softmax(logits[r])[targets[r]]` in nats, for each row. */
export async function crossEntropy(
  backend: Backend,
  { packedUnembedding: weight }: PackedTransformer,
  normalized: Float32Array,
  rows: number,
  targets: Int32Array,
): Promise<Float32Array> {
  const out = new Float32Array(rows);
  await backend.crossEntropy({ x: normalized, rows, weight, targets, out });
  return out;
}

/**
 * For each row the cross-entropy of `other`, and how far its prediction is from that of `clean`:
 * `KL(softmax(logits of clean) || softmax(logits of other))`. Both in nats.
 */
export async function compare(
  backend: Backend,
  { packedUnembedding: weight }: PackedTransformer,
  clean: Float32Array,
  other: Float32Array,
  rows: number,
  targets: Int32Array,
): Promise<{ crossEntropy: Float32Array; kl: Float32Array }> {
  const result = { crossEntropy: new Float32Array(rows), kl: new Float32Array(rows) };
  await backend.divergence({ clean, other, rows, weight, targets, ...result });
  return result;
}

/**
 * Writes to `out [rows]` a token for each row, drawn from `softmax(logits[r] / temperature)` by `uniforms[r]` in
 * [0, 1); temperature 0 takes the likeliest, the first of equals.
 */
export async function draw(
  backend: Backend,
  { packedUnembedding: weight }: PackedTransformer,
  normalized: Float32Array,
  options: { temperature: number; uniforms: Float32Array; out: Int32Array },
): Promise<void> {
  await backend.sample({ x: normalized, rows: options.out.length, weight, ...options });
}
