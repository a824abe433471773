/** Where latents stand among the others: against slow exact versions and closed forms. */
import { describe, expect, it } from 'vitest';
import { Firings } from '../../../src/evaluation/composition/cofiring.ts';
import { companionsOf } from '../../../src/interpretation/atlas/companions.ts';
import { mapOf } from '../../../src/interpretation/atlas/map.ts';
import { nearestNeighbours } from '../../../src/interpretation/atlas/neighbours.ts';
import { medianSpread, spreadOf, spreadOfRandom } from '../../../src/interpretation/atlas/neurons.ts';
import { createNativeBackend } from '../../../src/kernels/native.ts';
import { Random } from '../../../src/math/random.ts';
import { sparse } from '../../evaluation/sparse.ts';

const backend = createNativeBackend({ threads: 2 });

function normals(count: number, seed: number): Float32Array {
  const values = new Float32Array(count);
  new Random(seed, 'test').fillNormal(values, 1);
  return values;
}

describe('the nearest neighbours', () => {
  const width = 5;
  const decoder = normals(60 * width, 1);
  decoder.fill(0, 7 * width, 8 * width);

  it('are the rows of highest cosine, with its sign, and none of a row of zeros', async () => {
    const { rows, count, nearest, cosines } = await nearestNeighbours(backend, decoder, width, 58);
    expect([...rows]).toEqual([...Array(60).keys()].filter((row) => row !== 7));
    expect(count).toBe(58);
    const dot = (a: number, b: number) => {
      let sum = 0;
      for (let c = 0; c < width; c++) sum += decoder[a * width + c] * decoder[b * width + c];
      return sum;
    };
    for (const [r, row] of rows.entries()) {
      const exact = [...rows]
        .filter((other) => other !== row)
        .map((other) => ({ other, cosine: dot(row, other) / Math.sqrt(dot(row, row) * dot(other, other)) }))
        .sort((a, b) => b.cosine - a.cosine);
      expect(Array.from(nearest.subarray(r * count, (r + 1) * count), (place) => rows[place])).toEqual(
        exact.map(({ other }) => other),
      );
      for (const [i, { cosine }] of exact.entries()) expect(cosines[r * count + i]).toBeCloseTo(cosine, 5);
    }
  });

  it('are as many as there are, and come in the order of rows where rows are equal', async () => {
    const one = await nearestNeighbours(backend, Float32Array.of(1, 2), 2, 15);
    expect([one.rows.length, one.count]).toEqual([1, 0]);
    expect((await nearestNeighbours(backend, new Float32Array(6), 2, 15)).rows).toHaveLength(0);
    const equal = await nearestNeighbours(backend, new Float32Array(40).fill(1), 2, 3);
    expect([...equal.nearest.subarray(0, 3)].includes(0)).toBe(false);
    expect([...equal.cosines.subarray(0, 3)].every((cosine) => cosine > 0.999999 && cosine <= 1)).toBe(true);
  });
});

describe('the map', () => {
  const width = 8;
  /** Four bundles of 20 directions each, about axes. */
  const decoder = normals(80 * width, 2).map(
    (value, at) => 0.1 * value + (at % width === Math.floor(at / width / 20) ? 1 : 0),
  );

  it('puts near directions near each other, the same for the same seed and any number of threads', async () => {
    const near = await nearestNeighbours(backend, decoder, width, 15);
    const places = await mapOf(backend, width, near, 3);
    const distance = (a: number, b: number) =>
      Math.hypot(places[2 * a] - places[2 * b], places[2 * a + 1] - places[2 * b + 1]);
    let correct = 0;
    for (let a = 0; a < 80; a++) {
      const order = [...Array(80).keys()]
        .filter((b) => b !== a)
        .sort((b, c) => distance(a, b) - distance(a, c));
      correct += order.slice(0, 10).filter((b) => Math.floor(b / 20) === Math.floor(a / 20)).length;
    }
    expect(correct / 800).toBeGreaterThan(0.95);
    const alone = createNativeBackend({ threads: 1 });
    const again = await mapOf(alone, width, await nearestNeighbours(alone, decoder, width, 15), 3);
    expect(again).toEqual(places);
    expect(await mapOf(backend, width, near, 4)).not.toEqual(places);
  });

  it('stays finite with few rows, one coordinate, and rows that are all alike', async () => {
    for (const [rows, d, of] of [
      [1, 3, normals(3, 1)],
      [2, 3, normals(6, 1)],
      [5, 3, normals(15, 1)],
      [30, 1, new Float32Array(30).fill(2)],
      [40, 3, new Float32Array(120).fill(1)],
    ] as const) {
      const places = await mapOf(backend, d, await nearestNeighbours(backend, of, d, 15), 0);
      expect(places).toHaveLength(2 * rows);
      expect(places.every(Number.isFinite)).toBe(true);
    }
  });
});

describe('the spread over neurons', () => {
  it('is m for m weights of the same magnitude, whatever their length and sign', () => {
    for (const m of [1, 2, 7]) {
      const row = Array.from({ length: 12 }, (_, c) => (c < m ? 3 * (-1) ** c : 0));
      const { effective, neurons, weights } = spreadOf(row, 10);
      expect(effective).toBeCloseTo(m, 12);
      expect(neurons.slice(0, m)).toEqual([...Array(m).keys()]);
      expect(weights[0]).toBeCloseTo(1 / Math.sqrt(m), 12);
      if (m > 1) expect(weights[1]).toBeCloseTo(-1 / Math.sqrt(m), 12);
    }
    expect(spreadOf([0, 0], 10)).toEqual({ neurons: [], weights: [], effective: NaN });
  });

  it('of random directions is near exp(digamma(d/2 + 1) - digamma(3/2)), as squared weights are Dirichlet', () => {
    // digamma(x) = ln x - 1 / 2x - 1 / 12x^2 for large x; digamma(3/2) = 2 - gamma - 2 ln 2.
    const [width, gamma] = [288, 0.5772156649015329];
    const x = width / 2 + 1;
    const expected = Math.exp(Math.log(x) - 1 / (2 * x) - 1 / (12 * x * x) - (2 - gamma - 2 * Math.log(2)));
    const { mean, low, high } = spreadOfRandom(width, 0);
    // The mean of the exponential is a little above the exponential of the mean.
    expect(mean.value / expected).toBeGreaterThan(0.995);
    expect(mean.value / expected).toBeLessThan(1.005);
    expect(low).toBeLessThan(mean.low);
    expect(mean.low).toBeLessThan(mean.value);
    expect(mean.high).toBeLessThan(high);
  });

  it('has a median that leaves out what is not known', () => {
    expect(medianSpread([3, NaN, 1, 2, 10], 0).value).toBe(2.5);
    expect(medianSpread([5, 1, 3], 0)).toMatchObject({ value: 3, n: 3 });
    expect(medianSpread([NaN], 0).value).toBeNaN();
  });
});

describe('companions', () => {
  /** On 1200 rows: 0 and 1 always together, 2 with them half of the time, 3 and 4 by chance, 5 on one row with 0. */
  const random = new Random(5, 'test');
  let fifth = false;
  const rows = Array.from({ length: 1200 }, (_, row) => {
    const active: number[] = [];
    const a = random.uniform() < 0.1;
    if (a) active.push(0, 1);
    if (a ? random.uniform() < 0.5 : random.uniform() < 0.02) active.push(2);
    if (random.uniform() < 0.3) active.push(3);
    if (random.uniform() < 0.3) active.push(4);
    if (a && row > 600 && !fifth) {
      fifth = true;
      active.push(5);
    }
    return active;
  });
  const firings = new Firings(sparse(rows), 7);
  const count = (...latents: number[]) =>
    rows.filter((active) => latents.every((latent) => active.includes(latent))).length;

  it('are those that fire on the same tokens more often than by chance, closest first, with exact counts', () => {
    const found = companionsOf(firings, 0, 10);
    expect(found.map(({ latent }) => latent)).toEqual([1, 2]);
    for (const { latent, lift, both } of found) {
      expect(both).toBe(count(0, latent));
      expect(lift).toBeCloseTo((both * 1200) / (count(0) * count(latent)), 12);
    }
    expect(companionsOf(firings, 0, 1)).toHaveLength(1);
  });

  it('are none of a latent that fires by chance or not at all', () => {
    expect(companionsOf(firings, 3, 10)).toEqual([]);
    expect(companionsOf(firings, 6, 10)).toEqual([]);
  });

  it('share tokens for more reasons than that a document is about both', () => {
    // Both fire on half of the rows of the first document, at random, and nowhere else.
    const own = Array.from({ length: 2000 }, (_, row) =>
      row < 200 ? [0, 1].filter(() => random.uniform() < 0.5) : [],
    );
    const documents = Uint32Array.from(own, (_, row) => Math.floor(row / 200));
    expect(companionsOf(new Firings(sparse(own), 2), 0, 10)).toHaveLength(1);
    expect(companionsOf(new Firings(sparse(own), 2, documents), 0, 10)).toEqual([]);
  });
});
