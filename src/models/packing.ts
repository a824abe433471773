/**
 * A model's weights made ready for the forward pass: norm gains folded into the matrices that follow (as
 * TransformerLens' `fold_ln`), matrices laid out for the backend, rotary angles tabled. Done once for a model.
 * This file must not know the order of the computation.
 */

import type { Backend, PackedBlock, PackedMatrix, Precision } from '../kernels/backend.ts';
import type { TransformerConfig, TransformerWeights } from './architecture.ts';

export interface PackedTransformer {
  readonly config: TransformerConfig;
  /** Of all dense products. */
  readonly precision: Precision;
  /** `[V, d]` */
  readonly embedding: Float32Array;
  readonly blocks: readonly PackedBlock[];
  /** `[V, d]`, the final gain folded in. */
  readonly unembedding: Float32Array;
  readonly packedUnembedding: PackedMatrix;
  /** `cos, sin [context, headWidth / 2]` */
  readonly cos: Float32Array;
  readonly sin: Float32Array;
}

export function packTransformer(
  backend: Backend,
  config: TransformerConfig,
  weights: TransformerWeights,
  precision: Precision,
): PackedTransformer {
  const { width, mlpWidth, vocabulary } = config;
  const pack = (weight: Float32Array, outputs: number, inputs: number): PackedMatrix =>
    backend.pack(weight, outputs, inputs, precision);
  const unembedding = foldGain(weights.unembedding ?? weights.embedding, weights.normFinal);
  return {
    config,
    precision,
    embedding: weights.embedding,
    unembedding,
    packedUnembedding: pack(unembedding, vocabulary, width),
    blocks: weights.blocks.map((block) => {
      const fold = (weight: Float32Array, gain: Float32Array, outputs: number): PackedMatrix =>
        pack(foldGain(weight, gain), outputs, width);
      return {
        q: fold(block.q, block.normAttention, width),
        k: fold(block.k, block.normAttention, width),
        v: fold(block.v, block.normAttention, width),
        o: pack(block.o, width, width),
        gate: fold(block.gate, block.normMlp, mlpWidth),
        up: fold(block.up, block.normMlp, mlpWidth),
        down: pack(block.down, width, mlpWidth),
      };
    }),
    ...rotaryTables(config),
  };
}

/** `W diag(gain)`: `W (gain * x) = (W diag(gain)) x`, so the norm before it needs no gain. */
function foldGain(weight: Float32Array, gain: Float32Array): Float32Array {
  const folded = new Float32Array(weight.length);
  for (let from = 0; from < weight.length; from += gain.length)
    for (let c = 0; c < gain.length; c++) folded[from + c] = weight[from + c] * gain[c];
  return folded;
}

/** The angle of pair i at position p is `p * theta^(-2i / headWidth)`: Su et al. 2021, section 3.2.2. */
function rotaryTables({ context, headWidth, ropeTheta }: TransformerConfig): {
  cos: Float32Array;
  sin: Float32Array;
} {
  const half = headWidth / 2;
  const cos = new Float32Array(context * half);
  const sin = new Float32Array(context * half);
  for (let position = 0; position < context; position++) {
    for (let i = 0; i < half; i++) {
      const angle = position * ropeTheta ** ((-2 * i) / headWidth);
      cos[position * half + i] = Math.cos(angle);
      sin[position * half + i] = Math.sin(angle);
    }
  }
  return { cos, sin };
}
