/**
 * A decoder transformer as the other rooms see it: run it and look inside, change what it thinks, measure what
 * it predicts. The arithmetic is in `forward.ts`. This room must not know what a dictionary is.
 */

import type { Backend, Precision } from '../kernels/backend.ts';
import {
  checkConfig,
  checkWeights,
  type TransformerConfig,
  type TransformerWeights,
} from './architecture.ts';
import { createDecoder, type Decoder } from './decoder.ts';
import { packTransformer } from './packing.ts';
import { compare, crossEntropy, draw, logits } from './predictions.ts';
import { type Edit, type RunOptions, runForward } from './run.ts';

export type { BlockWeights, TransformerConfig, TransformerWeights } from './architecture.ts';
export type { Decoder } from './decoder.ts';
export type { Edit, RunOptions } from './run.ts';

/** d is the width of the residual stream, V the vocabulary. */
export interface Transformer {
  readonly config: TransformerConfig;
  readonly backend: Backend;
  /** Of its dense products. */
  readonly precision: Precision;
  /** `[V, d]` */
  readonly embedding: Float32Array;
  /** `[V, d]`, the final norm's gain folded in: logits are `ln_final.hook_normalized @ unembedding^T`. */
  readonly unembedding: Float32Array;

  /**
   * Runs the model on `tokens [batch * length]` up to the last captured hook point, or `stopAt`, and gives the
   * captured activations by name, each `[batch, length, width]` (`[batch, heads, length, length]` for scores
   * and patterns). Capturing changes nothing. Errors: see `runForward`.
   */
  run(tokens: Int32Array, options: RunOptions): Promise<Map<string, Float32Array>>;

  /** `[rows, V]` from rows of `ln_final.hook_normalized`. */
  logits(normalized: Float32Array, rows: number, out?: Float32Array): Promise<Float32Array>;

  /** Nats by which each row's prediction misses its target: `-log softmax(logits)[target]`. */
  crossEntropy(normalized: Float32Array, rows: number, targets: Int32Array): Promise<Float32Array>;

  /** For each row the cross-entropy of `other` and `KL(clean || other)`, in nats. */
  compare(
    clean: Float32Array,
    other: Float32Array,
    rows: number,
    targets: Int32Array,
  ): Promise<{ crossEntropy: Float32Array; kl: Float32Array }>;

  /**
   * Writes to `out [rows]` a token for each row of `normalized`, drawn from `softmax(logits / temperature)` by inverting
   * the cumulative sum at `uniforms [rows]`, in [0, 1). Temperature 0 takes the likeliest, the first of equals.
   */
  draw(
    normalized: Float32Array,
    options: { temperature: number; uniforms: Float32Array; out: Int32Array },
  ): Promise<void>;

  /**
   * Runs `batch` sequences of up to `capacity` tokens, one token at a time; `edits` are made at hook points between blocks.
   * Errors: see `createDecoder`.
   */
  decoder(batch: number, capacity: number, edits?: Readonly<Record<string, Edit>>): Decoder;
}

/**
 * Packs the weights for the backend, whose dense products have `precision`, `fp32` where not given. InputError where
 * a size or an array does not fit; names it.
 */
export function createTransformer(
  backend: Backend,
  config: TransformerConfig,
  weights: TransformerWeights,
  options: { precision?: Precision } = {},
): Transformer {
  checkConfig(config);
  checkWeights(config, weights);
  const model = packTransformer(backend, config, weights, options.precision ?? 'fp32');
  return {
    config,
    backend,
    precision: model.precision,
    embedding: model.embedding,
    unembedding: model.unembedding,
    run: (tokens, options) => runForward(backend, model, tokens, options),
    logits: (normalized, rows, out) => logits(backend, model, normalized, rows, out),
    crossEntropy: (normalized, rows, targets) => crossEntropy(backend, model, normalized, rows, targets),
    compare: (clean, other, rows, targets) => compare(backend, model, clean, other, rows, targets),
    draw: (normalized, options) => draw(backend, model, normalized, options),
    decoder: (batch, capacity, edits) => createDecoder(backend, model, batch, capacity, edits),
  };
}
