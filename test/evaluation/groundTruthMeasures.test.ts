import { describe, expect, test } from 'vitest';
import { type GroundTruthMeasures, measureGroundTruth } from '../../src/evaluation/groundTruthMeasures.ts';
import { createReferenceBackend } from '../../src/kernels/reference.ts';
import { orthonormalRows } from '../../src/math/orthonormal.ts';
import { Random } from '../../src/math/random.ts';
import { additiveDistribution } from '../../src/toy/additive.ts';
import { firingLaw } from '../../src/toy/firingLaw.ts';
import { tiedDictionary, trueDictionary } from './dictionaries.ts';

const backend = createReferenceBackend();
const [features, width] = [8, 10];
/** Feature 0 fires half the time, 1 and 2 are its children; the rest fire on their own, 1 in 5. */
const parentOf = Int32Array.of(-1, 0, 0, -1, -1, -1, -1, -1);
const alone = Array.from({ length: 5 }, (_, i) => ({ feature: 3 + i, probability: 0.2 }));
const children = [1, 2].map((feature) => ({ feature, probability: 0.5 }));
const distribution = additiveDistribution({
  law: firingLaw({
    features,
    roots: [{ feature: 0, probability: 0.5, children: [{ exclusive: false, nodes: children }] }, ...alone],
    amplitudes: { kind: 'uniform', low: 0.8, high: 1.2 },
  }),
  width,
  directions: Float32Array.from(orthonormalRows(features, width, new Random(1))),
  seed: 1,
});
const measure = (dictionary = trueDictionary(distribution), seed = 3) =>
  measureGroundTruth({ backend, dictionary, distribution, first: 512, rows: 512, seed, parentOf });
const ofTruth = measure();
const values = ({ measures }: GroundTruthMeasures) =>
  Object.fromEntries(Object.entries(measures).map(([name, { value }]) => [name, value]));

describe('measureGroundTruth', () => {
  test('the truth is perfect in everything, and the null in nothing', async () => {
    const found = await ofTruth;
    for (const name of [
      'mcc',
      'mmcsOfFeatures',
      'uniqueness',
      'f1',
      'f1OfLatents',
      'slope',
      'r2',
      'atomic',
      'atomsCovered',
      'keptWithChild',
    ] as const) {
      const { value, null: beside } = found.measures[name]!;
      expect(value).toBeGreaterThan(0.98);
      if (name !== 'keptWithChild') expect(beside.value).toBeLessThan(0.9);
    }
    for (const name of [
      'decoderCosine',
      'shrinkage',
      'composed',
      'mixed',
      'encoderFvu',
      'dictionaryFvu',
      'encoderF1',
    ] as const)
      expect(Math.abs(found.measures[name]!.value)).toBeLessThan(0.02);
    expect(found.measures.dictionaryF1!.null.low).toBeGreaterThan(0.2);
    expect(Math.abs(found.nullL0 - found.l0)).toBeLessThan(0.6);
    expect(found.split.readings).toHaveLength(6);
  });

  test('intervals hold their values, but of what is no mean', async () => {
    const weight = new Float32Array(6 * width);
    new Random(4, 'weight').fillNormal(weight, 0.3);
    const { measures } = await measure(tiedDictionary(weight, width, { kind: 'topk', k: 2 }));
    for (const [name, measured] of Object.entries(measures)) {
      for (const { value, low, high } of [measured, measured.null]) {
        if (name === 'uniqueness' || name === 'decoderCosine') expect([low, high]).toEqual([NaN, NaN]);
        else if (!Number.isNaN(low)) {
          // A resample of few events can only make R^2 larger.
          if (name !== 'r2') expect(low).toBeLessThanOrEqual(value + 1e-9);
          expect(high).toBeGreaterThanOrEqual(value - 1e-9);
        }
      }
    }
    expect(measures.mccOverFeatures!.value).toBeCloseTo((measures.mcc!.value * 6) / features, 10);
    expect(measures.mcc!.n).toBe(6);
    expect(measures.f1!.n).toBe(64);
  });

  test('each fault shows where it should and nowhere else', async () => {
    const whole = values(await ofTruth);
    const shrunk = values(
      await measure({
        ...trueDictionary(distribution),
        decoderWeight: distribution.directions.map((value) => 0.7 * value),
      }),
    );
    expect(shrunk.shrinkage).toBeCloseTo(0.3, 3);
    expect(shrunk.slope).toBeCloseTo(0.7, 3);
    for (const name of ['mcc', 'f1', 'r2', 'composed', 'dictionaryFvu'] as const)
      expect(shrunk[name]).toBeCloseTo(whole[name], 3);
    // The parent's latent reads parent less children, so it falls silent with them.
    const absorbing = distribution.directions.slice();
    for (let c = 0; c < width; c++)
      absorbing[c] -= distribution.directions[width + c] + distribution.directions[2 * width + c];
    const absorbed = values(await measure({ ...trueDictionary(distribution), encoderWeight: absorbing }));
    expect(absorbed.keptWithChild).toBeLessThan(0.6);
    expect(absorbed.mcc).toBeCloseTo(1, 5);
    expect(absorbed.recall).toBeLessThan(whole.recall - 0.01);
    expect(absorbed.precision).toBeCloseTo(whole.precision, 2);
  });

  test('the same seed, the same bytes; another, another null', async () => {
    const [one, two, other] = [
      await ofTruth,
      await measure(),
      await measure(trueDictionary(distribution), 4),
    ];
    expect(two).toEqual(one);
    expect(other.measures.mcc!.null.value).not.toBe(one.measures.mcc!.null.value);
    expect(JSON.parse(JSON.stringify(one)).measures.f1.value).toBe(one.measures.f1!.value);
  });

  test('without a tree there is no absorption; what does not fit is refused', async () => {
    const options = { backend, distribution, first: 0, rows: 256, seed: 1 };
    const { measures } = await measureGroundTruth({ ...options, dictionary: trueDictionary(distribution) });
    expect('keptWithChild' in measures).toBe(false);
    const narrow = tiedDictionary(new Float32Array(6).fill(1), 3, { kind: 'topk', k: 1 });
    await expect(measureGroundTruth({ ...options, dictionary: narrow })).rejects.toThrow(
      'it reads a width of 3; the distribution has 10',
    );
    const dictionary = trueDictionary(distribution);
    await expect(measureGroundTruth({ ...options, dictionary, parentOf: new Int32Array(3) })).rejects.toThrow(
      'parentOf: 3 values were given for 8 features',
    );
  });
});
