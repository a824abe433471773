/**
 * What a decoder transformer of the Llama kind is made of: its sizes and its weights, as its authors store them.
 * RMSNorm before each half of a block, rotary positions, as many key as query heads, a gated MLP, no biases.
 * This file must not know how any of it is computed.
 */

import { InputError } from '../formats/errors.ts';

export interface TransformerConfig {
  readonly name: string;
  readonly layers: number;
  /** Of the residual stream, d. */
  readonly width: number;
  readonly heads: number;
  /** `heads * headWidth` is `width`. */
  readonly headWidth: number;
  readonly mlpWidth: number;
  readonly vocabulary: number;
  /** The most tokens that a sequence can have. */
  readonly context: number;
  /** Added to the mean square in RMSNorm. */
  readonly epsilon: number;
  /** Base of the rotary frequencies. */
  readonly ropeTheta: number;
  /** The token that every sequence begins with. */
  readonly bos: number;
}

/** Matrices are row-major `[outputs, inputs]`; d is the width, V the vocabulary. */
export interface TransformerWeights {
  /** `[V, d]` */
  readonly embedding: Float32Array;
  readonly blocks: readonly BlockWeights[];
  /** `[d]` */
  readonly normFinal: Float32Array;
  /** `[V, d]`; where absent, the embedding serves. */
  readonly unembedding?: Float32Array;
}

export interface BlockWeights {
  /** `[d]` */
  readonly normAttention: Float32Array;
  /** `q, k, v, o [d, d]`; rows of q and k in the order of interleaved rotary pairs. */
  readonly q: Float32Array;
  readonly k: Float32Array;
  readonly v: Float32Array;
  readonly o: Float32Array;
  /** `[d]` */
  readonly normMlp: Float32Array;
  /** `gate, up [mlpWidth, d]` */
  readonly gate: Float32Array;
  readonly up: Float32Array;
  /** `[d, mlpWidth]` */
  readonly down: Float32Array;
}

/** InputError where a size is not a whole number of at least 1, or sizes do not fit each other; names the field. */
export function checkConfig(config: TransformerConfig): void {
  const where = `model ${config.name}`;
  for (const field of [
    'layers',
    'width',
    'heads',
    'headWidth',
    'mlpWidth',
    'vocabulary',
    'context',
  ] as const) {
    if (!Number.isInteger(config[field]) || config[field] < 1) {
      throw new InputError(`${where}: ${field} is ${config[field]}, expected a whole number of at least 1`);
    }
  }
  if (config.heads * config.headWidth !== config.width || config.headWidth % 2 !== 0) {
    throw new InputError(
      `${where}: ${config.heads} heads of width ${config.headWidth} were found for a width of ` +
        `${config.width}; the heads must fill the width, and a head's width must be even`,
    );
  }
  if (!Number.isInteger(config.bos) || config.bos < 0 || config.bos >= config.vocabulary) {
    throw new InputError(`${where}: bos is ${config.bos}, expected a token below ${config.vocabulary}`);
  }
}

/** InputError where an array's length is not what the sizes ask for; names the array. */
export function checkWeights(config: TransformerConfig, weights: TransformerWeights): void {
  const { name, layers, width, mlpWidth, vocabulary } = config;
  const expect = (array: string, found: number, expected: number): void => {
    if (found !== expected) {
      throw new InputError(`model ${name}: ${array} has ${found} values, expected ${expected}`);
    }
  };
  expect('embedding', weights.embedding.length, vocabulary * width);
  if (weights.unembedding) expect('unembedding', weights.unembedding.length, vocabulary * width);
  expect('normFinal', weights.normFinal.length, width);
  if (weights.blocks.length !== layers) {
    throw new InputError(`model ${name}: there are ${weights.blocks.length} blocks, expected ${layers}`);
  }
  weights.blocks.forEach((block, layer) => {
    for (const field of ['normAttention', 'normMlp'] as const) {
      expect(`blocks.${layer}.${field}`, block[field].length, width);
    }
    for (const field of ['q', 'k', 'v', 'o'] as const) {
      expect(`blocks.${layer}.${field}`, block[field].length, width * width);
    }
    for (const field of ['gate', 'up', 'down'] as const) {
      expect(`blocks.${layer}.${field}`, block[field].length, mlpWidth * width);
    }
  });
}
