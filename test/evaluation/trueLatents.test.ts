import { expect, test } from 'vitest';
import { encode } from '../../src/dictionaries/dictionary.ts';
import { trueLatents } from '../../src/evaluation/trueLatents.ts';
import { createReferenceBackend } from '../../src/kernels/reference.ts';
import { orthonormalRows } from '../../src/math/orthonormal.ts';
import { Random } from '../../src/math/random.ts';
import { additiveDistribution } from '../../src/toy/additive.ts';
import { CIRCLE, curveFirings } from '../../src/toy/manifolds.ts';
import { tiedDictionary } from './dictionaries.ts';

const backend = createReferenceBackend();
const WIDTH = 8;
const ROWS = 2048;
const directions = Float32Array.from(orthonormalRows(4, WIDTH, new Random(1, 'directions')));
/** Features 0 and 1 have a direction each, feature 2 a plane. */
const world = additiveDistribution({
  law: curveFirings({
    probabilities: [0.2, 0.2, 0.2],
    points: [0, 0, 'all'],
    amplitudes: { kind: 'constant', value: 1 },
  }),
  width: WIDTH,
  directions,
  curves: [undefined, undefined, CIRCLE],
  seed: 1,
});
const sum = (...terms: [factor: number, row: number][]) =>
  Array.from({ length: WIDTH }, (_, c) =>
    terms.reduce((total, [factor, row]) => total + factor * directions[row * WIDTH + c], 0),
  );

test('true: a feature, and an arc of a circle; false: two features at once, the wrong way round, and one that is silent', async () => {
  const decoder = Float32Array.from(
    [
      sum([2, 0]),
      sum([1, 0], [1, 1]),
      sum([-1, 1]),
      sum([0.6, 2], [0.8, 3]),
      sum([1, 1], [0.4, 0]),
      sum([0.1, 1]),
    ].flat(),
  );
  const dictionary = tiedDictionary(decoder, WIDTH, {
    kind: 'threshold',
    threshold: Float32Array.of(1, 0.5, 0.5, 0.5, 0.9, 3),
  });
  const { x, labels } = await world.draw(backend, 0, ROWS);
  const codes = await encode(backend, dictionary, x, ROWS);
  const { feature, cosine, precision, recall, isTrue } = await trueLatents(
    backend,
    decoder,
    world,
    codes,
    labels,
  );
  expect([...isTrue]).toEqual([1, 0, 0, 1, 1, 0]);
  expect(feature[0]).toBe(0);
  expect(feature[3]).toBe(2);
  expect(cosine[3]).toBeCloseTo(1, 5);
  expect(cosine[4]).toBeCloseTo(1 / Math.hypot(1, 0.4), 5);
  expect(precision[0]).toBe(1);
  expect(recall[0]).toBe(1);
  // An arc is a third of the circle: it has the feature's firings for a part only.
  expect(recall[3]).toBeLessThan(0.5);
  expect(precision[3]).toBe(1);
  // It fires for either of two features, by half for its nearest.
  expect(cosine[1]).toBeCloseTo(Math.SQRT1_2, 5);
  expect(precision[5]).toBeNaN();
});
