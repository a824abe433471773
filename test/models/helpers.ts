/** Tiny random models, and a backend that counts what it is asked for, which the tests of this room share. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Backend } from '../../src/kernels/backend.ts';
import { createReferenceBackend } from '../../src/kernels/reference.ts';
import { Random } from '../../src/math/random.ts';
import type { TransformerConfig, TransformerWeights } from '../../src/models/transformer.ts';
import { createTransformer, type Transformer } from '../../src/models/transformer.ts';

export const tinyConfig: TransformerConfig = {
  name: 'tiny',
  layers: 3,
  width: 8,
  heads: 2,
  headWidth: 4,
  mlpWidth: 12,
  vocabulary: 16,
  context: 10,
  epsilon: 1e-5,
  ropeTheta: 10000,
  bos: 1,
};

/** Large enough weights that every part matters, and gains that are not 1. */
export function randomWeights(config: TransformerConfig = tinyConfig, seed = 0): TransformerWeights {
  const { layers, width, mlpWidth, vocabulary } = config;
  const random = new Random(seed, 'tiny');
  const normal = (size: number, sd = 0.5): Float32Array => {
    const values = new Float32Array(size);
    random.fillNormal(values, sd);
    return values;
  };
  const gains = (): Float32Array => normal(width, 0.3).map((value) => 1 + value);
  return {
    embedding: normal(vocabulary * width, 1),
    blocks: Array.from({ length: layers }, () => ({
      normAttention: gains(),
      q: normal(width * width),
      k: normal(width * width),
      v: normal(width * width),
      o: normal(width * width),
      normMlp: gains(),
      gate: normal(mlpWidth * width),
      up: normal(mlpWidth * width),
      down: normal(width * mlpWidth),
    })),
    normFinal: gains(),
  };
}

export function tinyModel(backend: Backend = createReferenceBackend()): Transformer {
  return createTransformer(backend, tinyConfig, randomWeights());
}

export function randomTokens(count: number, seed = 0, vocabulary = tinyConfig.vocabulary): Int32Array {
  const random = new Random(seed, 'tokens');
  return Int32Array.from({ length: count }, () => random.below(vocabulary));
}

/** The backend, and how often each of its operations was called. */
export function counting(inner: Backend): { backend: Backend; calls: Record<string, number> } {
  const calls: Record<string, number> = {};
  const backend = new Proxy(inner, {
    get(target, name: keyof Backend & string) {
      const operation = target[name];
      if (typeof operation !== 'function') return operation;
      return (...operands: never[]) => {
        calls[name] = (calls[name] ?? 0) + 1;
        return (operation as (...operands: never[]) => unknown)(...operands);
      };
    },
  });
  return { backend, calls };
}

/** The largest absolute difference; NaN where there is one, Infinity where the lengths differ. */
export function largestDifference(a: Float32Array, b: Float32Array): number {
  if (a.length !== b.length) return Infinity;
  return a.reduce((most, value, i) => {
    const difference = value === b[i] ? 0 : Math.abs(value - b[i]);
    return Math.max(difference, most);
  }, 0);
}

/** Runs `use` with a directory that is removed afterwards. */
export async function inTemporaryDirectory(use: (directory: string) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'monosem-models-'));
  try {
    await use(directory);
  } finally {
    await rm(directory, { recursive: true });
  }
}
