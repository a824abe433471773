import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { CompositionGraph } from '../../../src/evaluation/composition/graph.ts';
import { Random } from '../../../src/math/random.ts';
import { tiedDictionary } from '../dictionaries.ts';
import { analyse, basis, handMade, pairedGroups, WIDTH } from './handmade.ts';

const ROWS = 1500;
const classes = ({ nodes }: CompositionGraph) => nodes.map((node) => node.class);
const edgesOf = ({ edges }: CompositionGraph, kind: string) =>
  edges.filter((edge) => edge.kind === kind).map(({ from, to }) => [from, to]);
const repeat = <T>(count: number, value: T): T[] => new Array<T>(count).fill(value);

describe('compositions', () => {
  const pairs = [
    [0, 0],
    [0, 1],
    [1, 0],
    [2, 3],
    [3, 2],
  ] as const;

  test('latents for pairs are composed of their atoms, which are atoms', async () => {
    const { decoder, codes } = pairedGroups(4, pairs, 0.6, ROWS);
    const graph = await analyse(await handMade(decoder, codes));
    expect(classes(graph)).toEqual([...repeat(8, 'atom'), ...repeat(5, 'composed')]);
    expect(edgesOf(graph, 'composed')).toEqual(
      pairs.flatMap(([i, j], p) => [
        [8 + p, i],
        [8 + p, 4 + j],
      ]),
    );
    for (const edge of graph.edges.filter(({ kind }) => kind === 'composed')) {
      expect(edge.strength).toBeGreaterThan(0.99);
      expect(edge.qValue).toBeLessThan(1e-6);
    }
  });

  test('where each pair of 5 by 5 has a latent and no atom has one, all are composed, of atoms without a latent', async () => {
    const all = Array.from({ length: 25 }, (_, p) => [Math.floor(p / 5), p % 5] as const);
    const { decoder, codes } = pairedGroups(5, all, 1, ROWS);
    const only = codes.map((row) => row.map(([j, value]): [number, number] => [j - 10, value]));
    const graph = await analyse(await handMade(decoder.slice(10), only));
    expect(graph.counts.composed).toBeGreaterThanOrEqual(23);
    expect(graph.atoms.count).toBeLessThanOrEqual(15);
    expect(edgesOf(graph, 'composed').every(([, to]) => to === -1)).toBe(true);
  });

  test('a latent that points the way of one atom and fires where two do is composed', async () => {
    // Latent 8 and 9 take the place of atoms 0 and 4 where both are on.
    const { decoder, codes } = pairedGroups(4, [], 0.6, ROWS);
    const placed = codes.map((row) =>
      row.length === 2 && row[0][0] === 0 && row[1][0] === 4
        ? row.map(([j, value]): [number, number] => [j === 0 ? 8 : 9, value])
        : row,
    );
    const graph = await analyse(await handMade([...decoder, decoder[0], decoder[4]], placed));
    expect(classes(graph)).toEqual([...repeat(8, 'atom'), 'composed', 'composed']);
  });

  test('a child that fires only with its parent is no composition', async () => {
    const { of } = basis(1);
    const random = new Random(2, 'tree');
    const codes = Array.from({ length: ROWS }, (): [number, number][] => {
      if (random.uniform() > 0.3) return [[4 + random.below(4), 1]];
      const child = random.below(5);
      return child < 3
        ? [
            [0, 1],
            [1 + child, 1],
          ]
        : [[0, 1]];
    });
    const graph = await analyse(
      await handMade(
        Array.from({ length: 8 }, (_, i) => of(i)),
        codes,
      ),
    );
    expect(classes(graph)).toEqual(repeat(8, 'atom'));
    expect(graph.edges).toEqual([]);
  });
});

test('an absorber fires in the place of its parent', async () => {
  const { of, sum } = basis(1);
  const random = new Random(3, 'tree');
  const codes = Array.from({ length: ROWS }, (): [number, number][] => {
    if (random.uniform() > 0.4) return [[3 + random.below(4), 1]];
    const child = random.below(5);
    return child < 2 ? [[1 + child, Math.SQRT2]] : [[0, 1]];
  });
  const decoder = [of(0), sum([1, 0], [1, 1]), sum([1, 0], [1, 2]), ...[3, 4, 5, 6].map(of)];
  const graph = await analyse(await handMade(decoder, codes));
  expect(classes(graph)).toEqual(['atom', 'absorber', 'absorber', ...repeat(4, 'atom')]);
  expect(edgesOf(graph, 'absorbs')).toEqual([
    [1, 0],
    [2, 0],
  ]);
});

test('copies fire together, splits apart', async () => {
  const { of } = basis(1);
  const random = new Random(4, 'copies');
  // 1 copies 0; 3 has a third of what 2 has.
  const codes = Array.from({ length: ROWS }, (): [number, number][] => {
    const what = random.below(6);
    if (what === 0)
      return [
        [0, 0.5],
        [1, 0.5],
      ];
    if (what <= 3) return [[what === 1 ? 3 : 2, 1]];
    return [[what, 1]];
  });
  const decoder = [of(0), of(0), of(2), of(2), of(4), of(5)];
  const made = await handMade(decoder, [[[0, 1]], ...codes]);
  const graph = await analyse(made);
  expect(classes(graph)).toEqual(['atom', 'duplicate', 'atom', 'split', 'atom', 'atom']);
  expect(edgesOf(graph, 'duplicate')).toEqual([[1, 0]]);
  expect(edgesOf(graph, 'split')).toEqual([[3, 2]]);
});

describe('circles', () => {
  /** A point of a circle by the two of `tiles` latents that are next to it, and atoms of their own. */
  function circle(tiles: number, extent = 1) {
    const { of, sum } = basis(1);
    const random = new Random(5, 'circle');
    const angle = (t: number) => (2 * Math.PI * extent * t) / tiles;
    const decoder = [
      ...Array.from({ length: tiles }, (_, t) => sum([Math.cos(angle(t)), 0], [Math.sin(angle(t)), 1])),
      ...[2, 3, 4].map(of),
    ];
    const codes = Array.from({ length: ROWS }, (): [number, number][] => {
      if (random.uniform() < 0.6) return [[tiles + random.below(3), 1]];
      const [tile, part] = [random.below(tiles), random.uniform()];
      return part < 0.3
        ? [[tile, 1]]
        : [
            [tile, 1 - part],
            [(tile + 1) % tiles, part],
          ];
    });
    return handMade(decoder, codes);
  }

  test.each([4, 5, 8])('%d latents around a plane are of one feature', async (tiles) => {
    const graph = await analyse(await circle(tiles));
    expect(classes(graph)).toEqual([...repeat(tiles, 'manifold'), ...repeat(3, 'atom')]);
    const next = new Map(edgesOf(graph, 'manifold') as [number, number][]);
    expect([...Array(tiles).keys()].map((t) => next.get(t))).toEqual(
      next.get(0) === 1
        ? [...Array(tiles).keys()].map((t) => (t + 1) % tiles)
        : [...Array(tiles).keys()].map((t) => (t + tiles - 1) % tiles),
    );
  });

  test('two features with an opposite each are no circle', async () => {
    const { sum } = basis(1);
    const random = new Random(6, 'opposites');
    const codes = Array.from({ length: ROWS }, () =>
      [0, 2].flatMap((first): [number, number][] => {
        const u = random.uniform();
        return u < 0.2 ? [[first, 1]] : u < 0.4 ? [[first + 1, 1]] : [];
      }),
    );
    const decoder = [sum([1, 0]), sum([-1, 0]), sum([1, 1]), sum([-1, 1])];
    const graph = await analyse(await handMade(decoder, codes));
    expect(classes(graph)).toEqual(repeat(4, 'atom'));
  });
});

test('latents that never fire, hardly ever, and nearly always', async () => {
  const { of } = basis(1);
  const codes = Array.from({ length: 200 }, (_, r): [number, number][] => [
    ...(r < 150 ? [[0, 1] as [number, number]] : []),
    ...(r < 10 ? [[1, 1] as [number, number]] : []),
    ...(r % 4 === 0 ? [[3, 1] as [number, number]] : []),
  ]);
  const graph = await analyse(await handMade([of(0), of(1), of(2), of(3)], codes));
  expect(classes(graph)).toEqual(['dense', 'rare', 'dead', 'atom']);
  expect(graph.counts).toMatchObject({ dense: 1, rare: 1, dead: 1, atom: 1, composed: 0 });
});

test('a narrow dictionary hedges: a wider one has its latents apart', async () => {
  const { of, sum } = basis(1);
  const random = new Random(7, 'hedging');
  const codes = Array.from({ length: 600 }, (): [number, number][] => [[random.below(3), 1]]);
  const made = await handMade([sum([0.8, 0], [0.6, 3]), of(1), of(2)], codes);
  const wide = Float32Array.from([0, 1, 2, 3, 4].flatMap(of));
  const wider = tiedDictionary(wide, WIDTH, made.dictionary.selection);
  const graph = await analyse(made, { wider });
  expect(graph.edges).toMatchObject([{ kind: 'hedges', from: 0, to: 3, strength: expect.closeTo(0.6, 5) }]);
  expect(classes(graph)).toEqual(repeat(3, 'atom'));
});

describe('random dictionaries', () => {
  /** Twenty worlds without structure: at a level of 5 % one of them has a composition by chance, seldom more than four. */
  test('have compositions no more often than by chance, and no copies or circles', async () => {
    let composed = 0;
    for (let seed = 0; seed < 20; seed++) {
      const random = new Random(seed, 'random');
      const decoder = Array.from({ length: 40 }, () => {
        const row = Array.from({ length: WIDTH }, () => random.normal());
        const norm = Math.hypot(...row);
        return row.map((value) => value / norm);
      });
      const codes = Array.from({ length: 1000 }, () =>
        [...new Set([random.below(40), random.below(40), random.below(40)])].map((j): [number, number] => [
          j,
          0.5 + random.uniform(),
        ]),
      );
      const { counts } = await analyse(await handMade(decoder, codes));
      if (counts.composed > 0) composed++;
      expect(counts).toMatchObject({ manifold: 0, duplicate: 0, split: 0 });
      // By chance a row has enough of another, and codes at random know nothing of it.
      expect(counts.absorber).toBeLessThanOrEqual(2);
    }
    expect(composed).toBeLessThanOrEqual(4);
  });
});

test('classes follow latents that change places, and care for no scale of theirs', async () => {
  const { decoder, codes } = pairedGroups(
    4,
    [
      [0, 0],
      [1, 2],
    ],
    0.5,
    1500,
  );
  const expected = classes(await analyse(await handMade(decoder, codes)));
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 0, max: 1e6 }), async (seed) => {
      const random = new Random(seed, 'places');
      const order = [...random.permutation(decoder.length)];
      const scale = order.map(() => 0.2 + 3 * random.uniform());
      const place = order.map((_, j) => order.indexOf(j));
      const moved = codes.map((row) =>
        row.map(([j, value]): [number, number] => [place[j], value / scale[place[j]]]),
      );
      const rows = order.map((j, at) => decoder[j].map((value) => scale[at] * value));
      const found = classes(await analyse(await handMade(rows, moved)));
      expect(found).toEqual(order.map((j) => expected[j]));
    }),
    { numRuns: 4 },
  );
});

test('what does not fit is refused by name', async () => {
  const { decoder, codes } = pairedGroups(4, [], 0.5, 100);
  const made = await handMade(decoder, codes);
  await expect(analyse({ ...made, x: made.x.subarray(1) })).rejects.toThrow(
    /x: found 1999 values .* expected 2000/,
  );
  await expect(analyse(made, { documents: new Uint32Array(3) })).rejects.toThrow(/documents: found 3/);
  const wider = { ...made.dictionary, outputWidth: 7 };
  await expect(analyse(made, { wider })).rejects.toThrow(/wider: found a width of 7, expected 20/);
  const codesBeyond = { ...made.codes, indices: made.codes.indices.map((j) => j + 7) };
  await expect(analyse({ ...made, codes: codesBeyond })).rejects.toThrow(/codes: found a latent beyond .* 8/);
});
