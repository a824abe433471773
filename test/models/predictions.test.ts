import { describe, expect, test } from 'vitest';
import { createReferenceBackend } from '../../src/kernels/reference.ts';
import { Random } from '../../src/math/random.ts';
import { createTransformer } from '../../src/models/transformer.ts';
import { largestDifference, randomTokens, randomWeights, tinyConfig, tinyModel } from './helpers.ts';

const { width, vocabulary } = tinyConfig;
const model = tinyModel();

function randomRows(rows: number, label: string): Float32Array {
  const values = new Float32Array(rows * width);
  new Random(0, label).fillNormal(values, 1);
  return values;
}

/** Written out, in float64: from the weights as given, the gain in its place. */
function logitsByHand(row: Float32Array): number[] {
  const { embedding, normFinal } = randomWeights();
  return Array.from({ length: vocabulary }, (_, token) =>
    row.reduce((sum, x, i) => sum + x * normFinal[i] * embedding[token * width + i], 0),
  );
}

function logSoftmax(logits: number[]): number[] {
  const total = Math.log(logits.reduce((sum, x) => sum + Math.exp(x), 0));
  return logits.map((x) => x - total);
}

// More rows than the logits of which are made at once, and not a multiple of them.
const rows = 300;
const clean = randomRows(rows, 'clean');
const other = randomRows(rows, 'other');
const targets = randomTokens(rows);
const rowOf = (x: Float32Array, r: number): Float32Array => x.subarray(r * width, (r + 1) * width);

describe('predictions', () => {
  test('logits have the final gain in them, and the plain unembedding gives the same', async () => {
    const logits = await model.logits(clean, rows);
    expect(logits.length).toBe(rows * vocabulary);
    for (const r of [0, 127, 299]) {
      const byHand = logitsByHand(rowOf(clean, r));
      for (let token = 0; token < vocabulary; token++) {
        expect(logits[r * vocabulary + token]).toBeCloseTo(byHand[token], 4);
        const unembedded = rowOf(clean, r).reduce(
          (sum, x, i) => sum + x * model.unembedding[token * width + i],
          0,
        );
        expect(unembedded).toBeCloseTo(byHand[token], 4);
      }
    }
  });

  test('logits go where they are told to', async () => {
    const out = new Float32Array(2 * vocabulary);
    expect(await model.logits(clean, 2, out)).toBe(out);
    expect(out.some((value) => value !== 0)).toBe(true);
  });

  test('an unembedding of its own is taken before the embedding', async () => {
    const weights = randomWeights();
    const unembedding = weights.embedding.map((value) => -value);
    const untied = createTransformer(createReferenceBackend(), tinyConfig, { ...weights, unembedding });
    const [a, b] = [await model.logits(clean, 3), await untied.logits(clean, 3)];
    expect(b).toEqual(a.map((value) => -value));
    expect(untied.embedding).toEqual(weights.embedding);
  });

  test('cross-entropy is that of the logits written out', async () => {
    const found = await model.crossEntropy(clean, rows, targets);
    for (let r = 0; r < rows; r++) {
      expect(found[r]).toBeCloseTo(-logSoftmax(logitsByHand(rowOf(clean, r)))[targets[r]], 4);
    }
  });

  test('compare gives the divergence from the first and the cross-entropy of the second', async () => {
    const found = await model.compare(clean, other, rows, targets);
    for (let r = 0; r < rows; r++) {
      const [p, q] = [clean, other].map((x) => logSoftmax(logitsByHand(rowOf(x, r))));
      const kl = p.reduce((sum, value, i) => sum + Math.exp(value) * (value - q[i]), 0);
      expect(found.kl[r]).toBeCloseTo(kl, 4);
    }
    expect(found.crossEntropy).toEqual(await model.crossEntropy(other, rows, targets));
    const same = await model.compare(clean, clean, rows, targets);
    expect(largestDifference(same.kl, new Float32Array(rows))).toBeLessThan(1e-6);
  });
});
