import { describe, expect, test } from 'vitest';
import { knownSource } from '../../../../src/activations/knownSource.ts';
import { memorySource } from '../../../../src/activations/memory.ts';
import { effectiveFeatures } from '../../../../src/evaluation/effectiveFeatures/count.ts';
import { findPlateau } from '../../../../src/evaluation/effectiveFeatures/plateau.ts';
import {
  type EffectiveRequest,
  sweepEffectiveFeatures,
} from '../../../../src/evaluation/effectiveFeatures/sweep.ts';
import { loadBackend } from '../../../../src/kernels/index.ts';
import { orthonormalRows } from '../../../../src/math/orthonormal.ts';
import { Random } from '../../../../src/math/random.ts';
import { additiveDistribution } from '../../../../src/toy/additive.ts';
import { independentFirings } from '../../../../src/toy/independent.ts';
import { toyModel } from '../../../evaluation/effectiveFeatures/toyModel.ts';

const backend = loadBackend({ threads: 1 });

/** Directions, all firing with probability p on their own, amplitudes from 0.5 to 1.5. */
function world(directions: Float32Array, width: number, p: number) {
  const features = directions.length / width;
  const law = independentFirings({
    probabilities: new Float64Array(features).fill(p),
    amplitudes: { kind: 'uniform', low: 0.5, high: 1.5 },
  });
  return additiveDistribution({ law, width, directions, seed: 1 });
}

const sweep = (change: Partial<EffectiveRequest> & Pick<EffectiveRequest, 'train' | 'test'>) =>
  sweepEffectiveFeatures({ backend, penalties: [1], expansions: [2], epochs: 60, seed: 1, ...change });

describe('sweepEffectiveFeatures', () => {
  const eight = world(Float32Array.from(orthonormalRows(8, 8, new Random(1))), 8, 0.1);
  const sources = {
    train: knownSource(backend, eight, { firstBlock: 0, sequences: 8 }),
    test: knownSource(backend, eight, { firstBlock: 8, sequences: 24 }),
  };

  test('eight orthogonal features count eight, at any width and penalty of a plateau; normals do not', async () => {
    const points = await sweep({ ...sources, penalties: [2, 3, 4], expansions: [2, 4], epochs: 80 });
    expect(points.map(({ latents, penalty }) => [latents, penalty])).toEqual(
      [16, 32].flatMap((latents) => [2, 3, 4].map((penalty) => [latents, penalty])),
    );
    const found = findPlateau(points);
    expect(found).toMatchObject({ kind: 'identified', penalties: [2, 3, 4] });
    if (found.kind !== 'identified') return;
    const truth = effectiveFeatures(new Float64Array(8).fill(1));
    expect(Math.abs(found.features.value - truth)).toBeLessThan(0.8);
    expect(Math.abs(found.perDimension.value - 1)).toBeLessThan(0.1);
    for (const { penalty, features, perDimension, gaussian, untrained, bySamples } of points) {
      if (penalty < 4) expect(gaussian.value).toBeGreaterThan(10);
      expect(untrained.value).toBeGreaterThan(12);
      expect(perDimension.value).toBeCloseTo(features.value / 8, 9);
      expect(bySamples.map(({ groups }) => groups)).toEqual([1, 2, 4, 8, 16, 24]);
      expect(features.n).toBe(24);
    }
  });

  test('the same seed, the same bytes; the scale of activations does not matter', async () => {
    const read = async (factor: number) => {
      const { activations, documents } = await sources.train.read([0, 1, 2, 3]);
      const scaled = activations.map((value) => factor * value);
      return memorySource({ width: 8, activations: scaled, sequences: documents, documents });
    };
    const [one, two, larger] = [await read(1), await read(1), await read(64)];
    const short = { epochs: 5, expansions: [2], penalties: [0.5] };
    const first = await sweep({ train: one, test: one, ...short });
    expect(await sweep({ train: two, test: two, ...short })).toEqual(first);
    const [scaled] = await sweep({ train: larger, test: larger, ...short });
    expect(scaled.features.value).toBeCloseTo(first[0].features.value, 3);
  });

  test('too few rows for a batch are refused', async () => {
    const few = memorySource({ width: 2, activations: new Float32Array(20).fill(1) });
    await expect(sweep({ train: few, test: few })).rejects.toThrow(
      '10 activations, less than one batch of 128',
    );
  });
});

test('the sparser a toy model’s features, the more it holds and the more are effective', async () => {
  const levels = [0.8, 0.3, 0.12, 0.04, 0.01];
  const [held, effective] = [new Float64Array(5), new Float64Array(5)];
  for (const [i, p] of levels.entries()) {
    const { weight, activations } = toyModel({
      features: 20,
      hidden: 5,
      p,
      steps: 2000,
      rows: 4096,
      seed: 1,
    });
    const documents = Int32Array.from({ length: 2048 }, (_, row) => Math.floor(row / 64));
    const half = (part: number) =>
      memorySource({
        width: 5,
        activations: activations.slice(part * 2048 * 5, (part + 1) * 2048 * 5),
        sequences: documents,
        documents,
      });
    const [point] = await sweep({
      train: half(0),
      test: half(1),
      penalties: [0.1],
      expansions: [4],
      epochs: 40,
    });
    held[i] = weight.reduce((sum, value) => sum + value * value, 0);
    effective[i] = point.features.value;
  }
  expect(held[0]).toBeLessThan(7);
  expect(held[4]).toBeGreaterThan(20);
  expect(spearman(held, effective)).toBeGreaterThan(0.7);
});

test('at a penalty of 1 they fall, as training goes on, from all latents to two for each dimension, of 20 features', async () => {
  const { activations } = toyModel({ features: 20, hidden: 5, p: 0.1, steps: 2000, rows: 4096, seed: 2 });
  const documents = Int32Array.from({ length: 4096 }, (_, row) => Math.floor(row / 64));
  const source = memorySource({ width: 5, activations, sequences: documents, documents });
  const after = async (epochs: number) => {
    const [point] = await sweep({ train: source, test: source, penalties: [1], expansions: [4], epochs });
    return point;
  };
  const [short, long] = [await after(10), await after(150)];
  expect(short.features.value).toBeGreaterThan(16);
  expect(Math.abs(long.features.value - 10)).toBeLessThan(3);
  // And nothing tells: most is explained, and the features are still 20.
  expect(long.explainedVariance.value).toBeGreaterThan(0.95);
});

/** The correlation of ranks, for values that all differ. */
function spearman(a: Float64Array, b: Float64Array): number {
  const ranks = (values: Float64Array) =>
    values.map((value) => values.filter((other) => other < value).length);
  const [ra, rb] = [ranks(a), ranks(b)];
  const n = a.length;
  const squares = ra.reduce((sum, rank, i) => sum + (rank - rb[i]) ** 2, 0);
  return 1 - (6 * squares) / (n * (n * n - 1));
}
