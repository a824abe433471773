/** The nulls that are made: what defines each, and that each is matched to the dictionary that it stands beside. */
import { describe, expect, it } from 'vitest';
import { type Dictionary, decode, encode, foldScale } from '../../src/dictionaries/dictionary.ts';
import { independentBasis } from '../../src/evaluation/nulls/independentComponents.ts';
import { NULL_NAMES, NULLS, type NullSubject, nullsNamed } from '../../src/evaluation/nulls/index.ts';
import { permutedDecoder } from '../../src/evaluation/nulls/permutedDecoder.ts';
import { createReferenceBackend } from '../../src/kernels/reference.ts';
import { Random } from '../../src/math/random.ts';
import { currentDictionary } from '../../src/training/state.ts';
import { trainOne } from '../../src/training/train.ts';
import { activations, options, scale, source, width, mean as zero } from '../training/world.mjs';

const backend = createReferenceBackend();
const rows = 1500;
const x = activations.subarray(0, rows * width);
const mean = columnMeans(x, rows);
const { state } = await trainOne({
  backend,
  source,
  scale,
  mean: zero,
  options: { ...options, tokens: 256 * 60 },
});
const dictionary = foldScale(await currentDictionary(backend, state, options), scale);
const subject: NullSubject = { backend, dictionary, k: 3, seed: 5, mean, x, rows };

function columnMeans(of: Float32Array, count: number): Float32Array {
  return Float32Array.from({ length: width }, (_, i) => {
    let sum = 0;
    for (let r = 0; r < count; r++) sum += of[r * width + i];
    return sum / count;
  });
}

const made = (name: string): Promise<Dictionary> => {
  const [{ making }] = nullsNamed([name]);
  if (making.kind !== 'made') throw new Error(name);
  return making.make(subject);
};

const error = async (of: Dictionary) => {
  const output = await decode(backend, of, await encode(backend, of, x, rows), x);
  return output.reduce((sum, value, i) => sum + (value - x[i]) ** 2, 0);
};
const variance = x.reduce((sum, value, i) => sum + (value - mean[i % width]) ** 2, 0);

const row = ({ decoderWeight }: Dictionary, j: number) => decoderWeight.subarray(j * width, (j + 1) * width);
const dot = (a: Float32Array, b: Float32Array) => a.reduce((sum, value, i) => sum + value * b[i], 0);

it('has each name once, with a sentence', () => {
  expect(NULLS.map(({ name }) => name)).toEqual(NULL_NAMES);
  for (const { description } of NULLS) expect(description).toMatch(/^[A-Z][^.]*(0\.8[^.]*)?\.$/);
  expect(nullsNamed(['pca', 'random']).map(({ name }) => name)).toEqual(['random', 'pca']);
});

const MADE = NULLS.filter(({ making }) => making.kind === 'made').map(({ name }) => name);

describe.each(MADE)('%s', (name) => {
  it('is matched in L0, follows its seed, and has unit decoder rows', async () => {
    const one = await made(name);
    expect((await encode(backend, one, x, rows)).values.length / rows).toBeCloseTo(3, 1);
    expect(await made(name)).toEqual(one);
    for (let j = 0; j < one.latents; j++) expect(Math.hypot(...row(one, j))).toBeCloseTo(1, 4);
    expect(one.latents).toBe(
      name === 'random' || name === 'permuted-decoder' ? dictionary.latents : 2 * width,
    );
  });

  it('no other gain would fit better', async () => {
    const one = await made(name);
    const best = await error(one);
    // The permuted one's latents add to the trained bias, which need not be the mean.
    if (name !== 'permuted-decoder') expect(best).toBeLessThanOrEqual(variance * (1 + 1e-5));
    // Its best gain is negative here, and it has the least that there is instead.
    for (const factor of name === 'permuted-decoder' ? [1.1] : [0.9, 1.1]) {
      const { encoderWeight, encoderBias } = one;
      const other = {
        ...one,
        encoderWeight: encoderWeight.map((value) => factor * value),
        encoderBias: encoderBias.map((value) => factor * value),
      };
      expect(await error(other)).toBeGreaterThan(best * (1 - 1e-6));
    }
  });
});

it('a permuted decoder fires as the dictionary does, and no direction is in its own place', async () => {
  const permuted = await made('permuted-decoder');
  const [own, other] = [await encode(backend, dictionary, x, rows), await encode(backend, permuted, x, rows)];
  expect(other.indices).toEqual(own.indices);
  const places = Array.from({ length: dictionary.latents }, (_, j) =>
    Array.from({ length: dictionary.latents }, (_, l) => l).find((l) =>
      row(permuted, j).every((value, i) => value === row(dictionary, l)[i]),
    ),
  );
  expect(new Set(places).size).toBe(dictionary.latents);
  expect(places.every((place, j) => place !== undefined && place !== j)).toBe(true);
  expect(await error(permuted)).toBeGreaterThan(0.9 * variance);
});

it('thresholds move with the gain, so that the same latents fire', async () => {
  const threshold = new Float32Array(dictionary.latents).fill(0.2);
  const jumping: Dictionary = { ...dictionary, selection: { kind: 'threshold', threshold } };
  const permuted = await permutedDecoder(backend, jumping, 1, x, rows);
  const [own, other] = [await encode(backend, jumping, x, rows), await encode(backend, permuted, x, rows)];
  expect(other.indices).toEqual(own.indices);
  const pursuing: Dictionary = { ...dictionary, selection: { kind: 'pursuit', most: 3, residual: 0 } };
  await expect(permutedDecoder(backend, pursuing, 1, x, rows)).rejects.toThrow(/encodes by its decoder/);
});

it.each(['neurons', 'rotation', 'pca'])('%s is an orthonormal basis with both signs', async (name) => {
  const basis = await made(name);
  for (let i = 0; i < width; i++) {
    expect(dot(row(basis, 2 * i), row(basis, 2 * i + 1))).toBeCloseTo(-1, 5);
    for (let j = 0; j < i; j++)
      expect(Math.abs(dot(row(basis, 2 * i), row(basis, 2 * j)))).toBeLessThan(1e-4);
  }
  if (name === 'neurons') expect(row(basis, 6)[3]).toBe(1);
  const all = { ...basis, selection: { kind: 'topk' as const, k: 2 * width } };
  expect((await error(all)) / variance).toBeLessThan(1e-6);
});

it('principal components are uncorrelated, by falling variance', async () => {
  const basis = await made('pca');
  const scores = Array.from({ length: width }, (_, i) =>
    Array.from({ length: rows }, (_, r) =>
      row(basis, 2 * i).reduce((sum, value, c) => sum + value * (x[r * width + c] - mean[c]), 0),
    ),
  );
  const covariance = (i: number, j: number) =>
    scores[i].reduce((sum, s, r) => sum + s * scores[j][r], 0) / rows;
  for (let i = 1; i < width; i++) {
    expect(covariance(i, i)).toBeLessThan(covariance(i - 1, i - 1) * (1 + 1e-5));
    for (let j = 0; j < i; j++) expect(Math.abs(covariance(i, j))).toBeLessThan(1e-4 * covariance(0, 0));
  }
});

it('independent components find a mixing of sparse sources that principal components do not', async () => {
  const n = 8;
  const samples = 4000;
  const random = new Random(3, 'sources');
  const mixing = new Float32Array(n * n);
  random.fillNormal(mixing, 1);
  await backend.unitRows({ weight: mixing, rows: n, width: n });
  const mixed = new Float32Array(samples * n).fill(1);
  for (let r = 0; r < samples; r++) {
    for (let s = 0; s < n; s++) {
      const amplitude = random.uniform() < 0.15 ? random.normal() : 0;
      for (let i = 0; i < n; i++) mixed[r * n + i] += amplitude * mixing[s * n + i];
    }
  }
  const ones = new Float32Array(n).fill(1);
  const { dictionary: found, rounds } = await independentBasis(backend, ones, 3, 1, mixed, samples);
  expect(rounds).toBeLessThan(100);
  const nearest = (of: Dictionary) =>
    Array.from({ length: n }, (_, s) =>
      Math.max(
        ...Array.from({ length: of.latents }, (_, j) => {
          let cosine = 0;
          for (let i = 0; i < n; i++) cosine += mixing[s * n + i] * of.decoderWeight[j * n + i];
          return cosine;
        }),
      ),
    );
  expect(Math.min(...nearest(found))).toBeGreaterThan(0.98);
  const [{ making }] = nullsNamed(['pca']);
  if (making.kind !== 'made') throw new Error();
  const pca = await making.make({ ...subject, mean: ones, x: mixed, rows: samples });
  expect(Math.min(...nearest(pca))).toBeLessThan(0.9);
});

it('independent components leave out directions that have no variance', async () => {
  const flat = x.map((value, at) => (at % width < 2 ? 1 : value));
  const { dictionary: found } = await independentBasis(backend, columnMeans(flat, rows), 3, 1, flat, rows);
  expect(found.latents).toBe(2 * (width - 2));
  expect(found.decoderWeight.every(Number.isFinite)).toBe(true);
});
