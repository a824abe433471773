import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Dictionary, encode } from '../../src/dictionaries/dictionary.ts';
import { scoreDirections } from '../../src/evaluation/groundTruth.ts';
import { scoreFirings } from '../../src/evaluation/groundTruthFirings.ts';
import { randomDictionary } from '../../src/evaluation/nulls/random.ts';
import type { SparseRows } from '../../src/kernels/backend.ts';
import { createReferenceBackend } from '../../src/kernels/reference.ts';
import { orthogonalToy } from '../../src/toy/orthogonal.ts';

/** From the columns that fire in each row. */
function sparse(rows: number[][]): SparseRows {
  const offsets = [0];
  for (const row of rows) offsets.push(offsets[offsets.length - 1] + row.length);
  return {
    rows: rows.length,
    offsets: Uint32Array.from(offsets),
    indices: Uint32Array.from(rows.flat()),
    values: new Float32Array(offsets[rows.length]).fill(1),
  };
}

const identity = (n: number) => Int32Array.from({ length: n }, (_, i) => i);

describe('scoreFirings', () => {
  test('by hand', () => {
    // Latent 0 fires in 3 samples, 2 of them with feature 0, which fires in 4.
    const { byLatent } = scoreFirings({
      codes: sparse([[0], [0], [0], [], []]),
      labels: sparse([[0], [0], [], [0], [0]]),
      features: 1,
      nearestFeature: Int32Array.of(0),
      pairedFeature: Int32Array.of(0),
    });
    expect([byLatent.precision[0], byLatent.recall[0], byLatent.f1[0]]).toEqual([2 / 3, 2 / 4, 4 / 7]);
    expect(byLatent.mean).toEqual({ precision: 2 / 3, recall: 2 / 4, f1: 4 / 7 });
  });

  test('codes that fire as the labels do are perfect, whatever fires', () => {
    const labels = sparse([[0, 2], [1], [], [0, 1, 2]]);
    const scores = scoreFirings({
      codes: labels,
      labels,
      features: 3,
      nearestFeature: identity(3),
      pairedFeature: identity(3),
    });
    for (const side of [scores.byLatent, scores.byFeature])
      expect(side.mean).toEqual({ precision: 1, recall: 1, f1: 1 });
  });

  test('copies of one easy feature: perfect by latent, and by feature two of three are missed', () => {
    const scores = scoreFirings({
      codes: sparse([[0, 1, 2], [], [0, 1, 2]]),
      labels: sparse([
        [0, 1],
        [1, 2],
        [0, 2],
      ]),
      features: 3,
      nearestFeature: Int32Array.of(0, 0, 0),
      pairedFeature: Int32Array.of(0, -1, -1),
    });
    expect(scores.byLatent.mean.f1).toBe(1);
    expect(Array.from(scores.byFeature.f1)).toEqual([1, 0, 0]);
    expect(scores.byFeature.mean.f1).toBeCloseTo(1 / 3, 12);
  });

  test('a latent that never fires scores 0; a feature that never fires is not scored', () => {
    const scores = scoreFirings({
      codes: sparse([[0], [0]]),
      labels: sparse([[0], [0]]),
      features: 2,
      nearestFeature: Int32Array.of(0, 1),
      pairedFeature: Int32Array.of(0, 1),
    });
    expect(Array.from(scores.byLatent.precision)).toEqual([1, 0]);
    expect(scores.byLatent.mean.f1).toBe(0.5);
    expect(Array.from(scores.byFeature.f1)).toEqual([1, NaN]);
    expect(scores.byFeature.mean.f1).toBe(1);
  });

  test('against counts on dense tables, for any firings and any matches', () => {
    const [latents, features] = [4, 3];
    const table = (columns: number) =>
      fc.array(fc.array(fc.boolean(), { minLength: columns, maxLength: columns }), {
        minLength: 6,
        maxLength: 6,
      });
    const columnsOf = (row: boolean[]) => row.flatMap((fires, column) => (fires ? [column] : []));
    fc.assert(
      fc.property(
        table(latents),
        table(features),
        fc.array(fc.integer({ min: -1, max: 2 }), { minLength: latents, maxLength: latents }),
        fc.shuffledSubarray([0, 1, 2, -1], { minLength: 4 }),
        (codes, labels, nearest, paired) => {
          const { byLatent, byFeature } = scoreFirings({
            codes: sparse(codes.map(columnsOf)),
            labels: sparse(labels.map(columnsOf)),
            features,
            nearestFeature: Int32Array.from(nearest),
            pairedFeature: Int32Array.from(paired),
          });
          const f1 = (latent: number, feature: number) => {
            const both = codes.filter((row, r) => row[latent] && labels[r][feature]).length;
            const either =
              codes.filter((row) => row[latent]).length + labels.filter((row) => row[feature]).length;
            return either > 0 ? (2 * both) / either : 0;
          };
          for (let j = 0; j < latents; j++) expect(byLatent.f1[j]).toBe(f1(j, nearest[j]));
          for (let i = 0; i < features; i++) {
            const seen = labels.some((row) => row[i]);
            expect(byFeature.f1[i]).toBe(seen ? f1(paired.indexOf(i), i) : NaN);
          }
        },
      ),
      { numRuns: 200 },
    );
  });

  test('on the toy: the true dictionary fires rightly, one turned round never does, a random one hardly', async () => {
    const backend = createReferenceBackend();
    const toy = orthogonalToy(3);
    const { x, labels } = await toy.draw(backend, 0, 2000);
    const { width, features, directions } = toy;
    const zeros = new Float32Array(width);
    const dictionaryOf = (weight: Float32Array): Dictionary => ({
      width,
      outputWidth: width,
      latents: features,
      encoderWeight: weight,
      encoderBias: new Float32Array(features),
      decoderWeight: weight,
      decoderBias: zeros,
      selection: { kind: 'threshold', threshold: new Float32Array(features).fill(0.3) },
    });
    const score = async (dictionary: Dictionary) => {
      const { decoderWeight } = dictionary;
      const found = await scoreDirections(backend, decoderWeight, directions, width);
      const codes = await encode(backend, dictionary, x, labels.rows);
      return { mcc: found.mcc, ...scoreFirings({ codes, labels, features, ...found }) };
    };
    const exact = await score(dictionaryOf(directions));
    expect(exact.byLatent.mean.f1).toBe(1);
    expect(exact.byFeature.mean.f1).toBe(1);
    const turned = await score(dictionaryOf(directions.map((value) => -value)));
    expect(turned.mcc).toBeCloseTo(1, 6);
    expect(turned.byFeature.mean.f1).toBe(0);
    const shape = { latents: features, k: 11, seed: 1 };
    const random = await score(await randomDictionary(backend, shape, zeros, x, labels.rows));
    expect(random.byFeature.mean.f1).toBeLessThan(0.5);
    expect(random.byFeature.mean.f1).toBeGreaterThan(0);
  });

  test('lengths and columns that do not fit are refused', () => {
    const fit = {
      codes: sparse([[0]]),
      labels: sparse([[0]]),
      features: 1,
      nearestFeature: Int32Array.of(0),
      pairedFeature: Int32Array.of(0),
    };
    expect(() => scoreFirings({ ...fit, codes: sparse([[0], [0]]) })).toThrow(
      /2 rows were given for labels of 1/,
    );
    expect(() => scoreFirings({ ...fit, codes: sparse([[1]]) })).toThrow(/codes: column 1 was given, of 1/);
    expect(() => scoreFirings({ ...fit, labels: sparse([[4]]) })).toThrow(/labels: column 4 was given, of 1/);
    expect(() => scoreFirings({ ...fit, pairedFeature: new Int32Array(2) })).toThrow(
      /2 values were given for 1 latents/,
    );
  });
});
