/** Latents of two dictionaries that point the same way: what is there is found, and what is not is told from chance. */
import { describe, expect, it } from 'vitest';
import { CHANCE, matchDecoders } from '../../src/evaluation/matching.ts';
import { createNativeBackend } from '../../src/kernels/native.ts';
import { Random } from '../../src/math/random.ts';

const backend = createNativeBackend({ threads: 2 });
const [latents, width] = [400, 64];

function directions(seed: number, count = latents): Float32Array {
  const rows = new Float32Array(count * width);
  new Random(seed, 'test').fillNormal(rows, 1);
  return rows;
}

describe('matching decoders', () => {
  it('finds a dictionary in another order, whatever the lengths of its rows', async () => {
    const decoder = directions(1);
    const order = new Random(2, 'test').permutation(latents);
    const other = new Float32Array(decoder.length);
    for (const [to, from] of order.entries())
      for (let c = 0; c < width; c++) other[to * width + c] = (1 + to) * decoder[from * width + c];
    const { matches, own, nulls, threshold } = await matchDecoders(backend, decoder, other, width, 0);
    for (const [to, from] of order.entries()) expect(matches.other[from]).toBe(to);
    expect(Math.min(...matches.cosine)).toBeCloseTo(1, 5);
    expect([...matches.mutual].every((one) => one === 1)).toBe(true);
    expect(own.matched).toMatchObject({ value: 1, low: 1, high: 1 });
    expect(threshold).toBeLessThan(0.8);
    for (const one of nulls) expect(one.matched.high).toBeLessThan(0.05);
  });

  it('finds nothing in random directions', async () => {
    const { own, nulls } = await matchDecoders(backend, directions(1), directions(3, 500), width, 0);
    // A share of CHANCE exceeds the threshold, of which those that are not mutual are no matches.
    expect(own.matched.value).toBeLessThan(4 * CHANCE);
    expect(own.cosine.value).toBeCloseTo(nulls[1].cosine.value, 1);
  });

  it('does not take the opposite direction for the same', async () => {
    const decoder = directions(1);
    const { matches, own } = await matchDecoders(
      backend,
      decoder,
      decoder.map((one) => -one),
      width,
      0,
    );
    expect(own.matched.value).toBeLessThan(4 * CHANCE);
    expect(Math.max(...matches.cosine)).toBeLessThan(0.9);
  });

  it('has nulls of the other decoder’s own mean and covariance: a shared direction alone matches nothing', async () => {
    const shifted = (rows: Float32Array) => rows.map((value, i) => value + (i % width === 0 ? 30 : 0));
    const { own, nulls } = await matchDecoders(
      backend,
      shifted(directions(1)),
      shifted(directions(3)),
      width,
      0,
    );
    const [mixed, random] = nulls;
    expect(own.cosine.value).toBeGreaterThan(random.cosine.value + 0.3);
    expect(own.cosine.value).toBeLessThan(mixed.cosine.value + 0.02);
    expect(own.matched.value).toBeLessThan(0.1);
  });

  it('gives the same numbers for the same seed', async () => {
    const [one, two] = [directions(1), directions(3)];
    expect(await matchDecoders(backend, one, two, width, 7)).toEqual(
      await matchDecoders(backend, one, two, width, 7),
    );
  });
});
