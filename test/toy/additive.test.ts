import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { loadBackend } from '../../src/kernels/index.ts';
import { createNativeBackend, nativeProblem } from '../../src/kernels/native.ts';
import { createReferenceBackend } from '../../src/kernels/reference.ts';
import { Random } from '../../src/math/random.ts';
import { additiveDistribution } from '../../src/toy/additive.ts';
import { BLOCK_ROWS, type Distribution } from '../../src/toy/distribution.ts';
import { independentFirings } from '../../src/toy/independent.ts';

const FEATURES = 9;
const WIDTH = 5;
const reference = createReferenceBackend();

/** Nine features in five dimensions; each fires on its own with probability 0.4, or always, or never. */
function world(p = 0.4): Distribution {
  const directions = new Float32Array(FEATURES * WIDTH);
  new Random(4, 'directions').fillNormal(directions, 1);
  return additiveDistribution({
    law: independentFirings({
      probabilities: new Float64Array(FEATURES).fill(p),
      amplitudes: { kind: 'uniform', low: 1, high: 2 },
    }),
    width: WIDTH,
    directions,
    bias: Float32Array.of(0, 1, 0, 0, -2),
    seed: 4,
  });
}

const distribution = world();
const whole = await distribution.draw(reference, 0, 4 * BLOCK_ROWS);

describe('additiveDistribution', () => {
  test('x is the bias and the sum of what the labels say', () => {
    const { x, labels } = whole;
    for (let row = 0; row < labels.rows; row++) {
      for (let c = 0; c < WIDTH; c++) {
        let sum = distribution.bias![c];
        for (let e = labels.offsets[row]; e < labels.offsets[row + 1]; e++)
          sum += labels.values[e] * distribution.directions[labels.indices[e] * WIDTH + c];
        expect(x[row * WIDTH + c]).toBeCloseTo(sum, 5);
      }
    }
  });

  test('blocks by their numbers, in any order, are what is drawn by samples', async () => {
    const backend = loadBackend();
    const { x: all } = await distribution.draw(backend, 0, 4 * BLOCK_ROWS);
    const blocks = [2, 0, 3];
    const out = new Float32Array(blocks.length * BLOCK_ROWS * WIDTH);
    await distribution.drawBlocks(backend, blocks, out);
    const size = BLOCK_ROWS * WIDTH;
    for (const [place, block] of blocks.entries())
      expect(out.slice(place * size, (place + 1) * size)).toEqual(
        all.slice(block * size, (block + 1) * size),
      );
  });

  test('any portion, in any order, has the bytes that the whole has', async () => {
    const backend = loadBackend();
    const { x: all, labels: allLabels } = await distribution.draw(backend, 0, 4 * BLOCK_ROWS);
    await fc.assert(
      fc.asyncProperty(fc.nat(4 * BLOCK_ROWS), fc.nat(4 * BLOCK_ROWS), async (a, b) => {
        const [first, end] = [Math.min(a, b), Math.max(a, b)];
        const { x, labels } = await distribution.draw(backend, first, end - first);
        const [from, to] = [allLabels.offsets[first], allLabels.offsets[end]];
        expect(x).toEqual(all.slice(first * WIDTH, end * WIDTH));
        expect(labels).toEqual({
          rows: end - first,
          offsets: allLabels.offsets.slice(first, end + 1).map((offset) => offset - from),
          indices: allLabels.indices.slice(from, to),
          values: allLabels.values.slice(from, to),
        });
      }),
      { numRuns: 60 },
    );
  });

  test.skipIf(nativeProblem() !== undefined)(
    'labels are the same on both backends, x to rounding',
    async () => {
      for (const threads of [1, 2]) {
        const { x, labels } = await distribution.draw(createNativeBackend({ threads }), 0, 4 * BLOCK_ROWS);
        expect(labels).toEqual(whole.labels);
        for (let i = 0; i < x.length; i++) expect(Math.abs(x[i] - whole.x[i])).toBeLessThan(1e-5);
      }
    },
  );

  test('samples far out are drawn as readily, and blocks differ', async () => {
    const far = 2 ** 45 - 100;
    const { x, labels } = await distribution.draw(reference, far, 200);
    expect(x.slice(150 * WIDTH)).toEqual((await distribution.draw(reference, far + 150, 50)).x);
    expect(labels.rows).toBe(200);
    expect((await distribution.draw(reference, 0, 50)).x).not.toEqual(
      (await distribution.draw(reference, BLOCK_ROWS, 50)).x,
    );
  });

  test('features that always fire fill every place; features that never fire leave the bias', async () => {
    const always = await world(1).draw(reference, 0, 300);
    expect(always.labels.values).toHaveLength(300 * FEATURES);
    const never = await world(0).draw(reference, 0, 300);
    expect(never.labels.values).toHaveLength(0);
    expect(never.x).toEqual(new Float32Array(300 * WIDTH).map((_, i) => distribution.bias![i % WIDTH]));
  });

  test('the arrays are the caller’s: what is done to them is not seen again', async () => {
    const drawn = await distribution.draw(reference, 0, 10);
    drawn.x.fill(9);
    drawn.labels.values.fill(9);
    drawn.labels.indices.fill(0);
    expect((await distribution.draw(reference, 0, 10)).x).toEqual(whole.x.slice(0, 10 * WIDTH));
  });

  test('expected L0 and entropy are those of independent features', () => {
    expect(distribution.expectedL0).toBeCloseTo(3.6, 12);
    const h = -0.4 * Math.log2(0.4) - 0.6 * Math.log2(0.6);
    expect(distribution.entropy.kind).toBe('exact');
    expect('bits' in distribution.entropy && distribution.entropy.bits).toBeCloseTo(9 * h, 10);
  });

  test('numbers that are not of samples, and arrays of another size, are refused', async () => {
    await expect(distribution.draw(reference, -1, 3)).rejects.toThrow(/first: expected a whole number >= 0/);
    await expect(distribution.draw(reference, 0, 2.5)).rejects.toThrow(/count: expected a whole .* not 2.5/);
    const law = independentFirings({
      probabilities: new Float64Array(9),
      amplitudes: { kind: 'constant', value: 1 },
    });
    const wrong = { law, width: 4, directions: new Float32Array(45), seed: 1 };
    expect(() => additiveDistribution(wrong)).toThrow(/45 values were given for 9 rows of width 4/);
    const bias = new Float32Array(4);
    expect(() => additiveDistribution({ ...wrong, width: 5, bias })).toThrow(/bias: 4 values/);
  });
});
