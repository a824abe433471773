import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  effectiveFeatures,
  effectiveFeaturesBySamples,
  effectiveFeaturesOf,
} from '../../../src/evaluation/effectiveFeatures/count.ts';
import { drawResamples } from '../../../src/math/bootstrap.ts';
import { Random } from '../../../src/math/random.ts';

const mass = fc.double({ min: 0.01, max: 100, noNaN: true });

describe('effectiveFeatures', () => {
  test('n features alike count n, however many are silent; halves and quarters by hand', () => {
    expect(effectiveFeatures([3, 3, 3, 3])).toBeCloseTo(4, 6);
    expect(effectiveFeatures([3, 3, 0, 0, 3, 3])).toBeCloseTo(4, 6);
    expect(effectiveFeatures([2, 1, 1])).toBeCloseTo(2 ** 1.5, 6);
    expect(effectiveFeatures([7])).toBeCloseTo(1, 9);
    expect(effectiveFeatures([0, 0])).toBeNaN();
    expect(() => effectiveFeatures([1, -1])).toThrow('masses: 1 is -1');
  });

  test('from 1 to their number, whatever the unit and the order; two halves of a latent count more', () => {
    fc.assert(
      fc.property(fc.array(mass, { minLength: 1, maxLength: 30 }), mass, (masses, unit) => {
        const count = effectiveFeatures(masses);
        expect(count).toBeGreaterThan(0.999);
        expect(count).toBeLessThan(masses.length + 1e-6);
        expect(effectiveFeatures(masses.map((value) => unit * value).reverse())).toBeCloseTo(count, 6);
        const [first, ...rest] = masses;
        expect(effectiveFeatures([first / 2, first / 2, ...rest])).toBeGreaterThan(count);
      }),
    );
  });

  test('power laws: fewer than there are, as the integral has it', () => {
    // p_i ~ 1 / i of n: the entropy is ln H_n + sum ln i / (i H_n).
    const n = 1000;
    let [harmonic, logs] = [0, 0];
    for (let i = 1; i <= n; i++) [harmonic, logs] = [harmonic + 1 / i, logs + Math.log(i) / i];
    const masses = Float64Array.from({ length: n }, (_, i) => 1 / (i + 1));
    expect(effectiveFeatures(masses)).toBeCloseTo(Math.exp(Math.log(harmonic) + logs / harmonic), 3);
  });
});

describe('over documents', () => {
  const [groups, latents] = [40, 6];
  const masses = new Float64Array(groups * latents);
  const random = new Random(1, 'masses');
  for (let i = 0; i < masses.length; i++) masses[i] = random.uniform() * (1 + (i % latents));
  const draws = drawResamples(groups, 400, new Random(2));

  test('the value is that of all documents together, within its interval', () => {
    const all = Array.from({ length: latents }, (_, j) => {
      let sum = 0;
      for (let g = 0; g < groups; g++) sum += masses[g * latents + j];
      return sum;
    });
    const { value, low, high, n } = effectiveFeaturesOf(masses, draws);
    expect(value).toBeCloseTo(effectiveFeatures(all), 9);
    expect(low).toBeLessThan(value);
    expect(high).toBeGreaterThan(value);
    expect(n).toBe(groups);
    expect(effectiveFeaturesBySamples(masses, groups).at(-1)).toEqual({
      groups,
      value: expect.closeTo(value, 9),
    });
  });

  test('features that need a document each to be met: F doubles with the documents', () => {
    const identity = new Float64Array(16 * 16);
    for (let g = 0; g < 16; g++) identity[g * 17] = 1;
    expect(effectiveFeaturesBySamples(identity, 16)).toEqual(
      [1, 2, 4, 8, 16].map((count) => ({ groups: count, value: expect.closeTo(count, 5) })),
    );
    expect(effectiveFeaturesBySamples(identity.subarray(0, 6 * 16), 6).map((point) => point.groups)).toEqual([
      1, 2, 4, 6,
    ]);
  });
});
