import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Random } from '../../src/math/random.ts';
import { additiveDistribution } from '../../src/toy/additive.ts';
import { BLOCK_ROWS, type Distribution } from '../../src/toy/distribution.ts';

const FEATURES = 9;
const WIDTH = 5;

/** Nine features in five dimensions; each fires on its own with probability 0.4, or always, or never. */
function world(p = 0.4): Distribution {
  const directions = new Float32Array(FEATURES * WIDTH);
  new Random(4, 'directions').fillNormal(directions, 1);
  return additiveDistribution({
    width: WIDTH,
    directions,
    firingProbabilities: new Float64Array(FEATURES).fill(p),
    seed: 4,
    drawBlock(random, { offsets, indices, values }) {
      let entries = 0;
      for (let row = 0; row < BLOCK_ROWS; row++) {
        for (let i = 0; i < FEATURES; i++) {
          if (random.uniform() >= p) continue;
          indices[entries] = i;
          values[entries++] = 1 + random.uniform();
        }
        offsets[row + 1] = entries;
      }
    },
  });
}

const distribution = world();
const whole = distribution.draw(0, 4 * BLOCK_ROWS);

describe('additiveDistribution', () => {
  test('x is the sum of what the labels say', () => {
    const { x, labels } = whole;
    for (let row = 0; row < labels.rows; row++) {
      for (let c = 0; c < WIDTH; c++) {
        let sum = 0;
        for (let e = labels.offsets[row]; e < labels.offsets[row + 1]; e++)
          sum += labels.values[e] * distribution.directions[labels.indices[e] * WIDTH + c];
        expect(x[row * WIDTH + c]).toBeCloseTo(sum, 5);
      }
    }
  });

  test('any portion, in any order, has the bytes that the whole has', () => {
    fc.assert(
      fc.property(fc.nat(4 * BLOCK_ROWS), fc.nat(4 * BLOCK_ROWS), (a, b) => {
        const [first, end] = [Math.min(a, b), Math.max(a, b)];
        const { x, labels } = distribution.draw(first, end - first);
        const [from, to] = [whole.labels.offsets[first], whole.labels.offsets[end]];
        expect(x).toEqual(whole.x.slice(first * WIDTH, end * WIDTH));
        expect(labels).toEqual({
          rows: end - first,
          offsets: whole.labels.offsets.slice(first, end + 1).map((offset) => offset - from),
          indices: whole.labels.indices.slice(from, to),
          values: whole.labels.values.slice(from, to),
        });
      }),
      { numRuns: 60 },
    );
  });

  test('samples far out are drawn as readily, and blocks differ', () => {
    const far = 2 ** 45 - 100;
    const { x, labels } = distribution.draw(far, 200);
    expect(x.slice(150 * WIDTH)).toEqual(distribution.draw(far + 150, 50).x);
    expect(labels.rows).toBe(200);
    expect(distribution.draw(0, 50).x).not.toEqual(distribution.draw(BLOCK_ROWS, 50).x);
  });

  test('features that always fire fill every place; features that never fire leave zeros', () => {
    const always = world(1).draw(0, 300);
    expect(always.labels.values).toHaveLength(300 * FEATURES);
    const never = world(0).draw(0, 300);
    expect(never.labels.values).toHaveLength(0);
    expect(never.x).toEqual(new Float32Array(300 * WIDTH));
  });

  test('the arrays are the caller’s: what is done to them is not seen again', () => {
    const drawn = distribution.draw(0, 10);
    drawn.x.fill(9);
    drawn.labels.values.fill(9);
    drawn.labels.indices.fill(0);
    expect(distribution.draw(0, 10).x).toEqual(whole.x.slice(0, 10 * WIDTH));
  });

  test('numbers that are not of samples, and directions of another size, are refused', () => {
    expect(() => distribution.draw(-1, 3)).toThrow(/first: expected a whole number >= 0, not -1/);
    expect(() => distribution.draw(0, 2.5)).toThrow(/count: expected a whole number >= 0, not 2.5/);
    const wrong = { ...distribution, seed: 1, drawBlock: () => {}, width: 4 };
    expect(() => additiveDistribution(wrong)).toThrow(/45 values were given for 9 rows of width 4/);
  });
});
