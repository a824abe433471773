/** The pieces that the analysis is made of, against slow exact versions. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { chanceOfSums } from '../../../src/evaluation/composition/chanceSums.ts';
import { common, Firings } from '../../../src/evaluation/composition/cofiring.ts';
import { metaCode } from '../../../src/evaluation/composition/metaCode.ts';
import { keepEntries, replaceColumns } from '../../../src/evaluation/composition/sparseProduct.ts';
import { poissonTails } from '../../../src/math/poisson.ts';
import { Random } from '../../../src/math/random.ts';
import { mean } from '../../../src/math/statistics.ts';
import { sparse } from '../sparse.ts';
import { backend, basis, WIDTH } from './handmade.ts';

const dot = (a: readonly number[], b: readonly number[]) =>
  a.reduce((sum, value, c) => sum + value * b[c], 0);

describe('metaCode', () => {
  const code = (row: number[], candidates: number[][]) =>
    metaCode(
      candidates.map((candidate) => dot(row, candidate)),
      (a) => candidates.map((candidate) => dot(candidates[a], candidate)),
    );

  test('finds a sum of two or three of many, with its coefficients', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1e6 }), fc.integer({ min: 2, max: 3 }), (seed, terms) => {
        const { of, sum } = basis(seed);
        const random = new Random(seed, 'sum');
        const chosen = [...random.permutation(WIDTH)].slice(0, terms);
        const weights = chosen.map(() => 0.7 + 0.5 * random.uniform());
        const row = sum(...chosen.map((i, t) => [weights[t], i] as const));
        const { parts, coefficients, explained } = code(
          row,
          Array.from({ length: WIDTH }, (_, i) => of(i)),
        );
        expect([...parts].sort((a, b) => a - b)).toEqual([...chosen].sort((a, b) => a - b));
        const norm = Math.hypot(...weights);
        parts.forEach((part, p) => {
          expect(coefficients[p]).toBeCloseTo(weights[chosen.indexOf(part)] / norm, 6);
        });
        expect(explained).toBeCloseTo(1, 6);
      }),
      { numRuns: 20 },
    );
  });

  test('an atom is no sum of what it is a part of, nor of what cancels', () => {
    const { of, sum } = basis(1);
    const [pair, difference] = [sum([1, 0], [1, 1]), sum([1, 0], [-1, 1])];
    // a = (ab + (a - b)) / sqrt 2 is a sum; a = sqrt 2 ab - b is not.
    expect(code(of(0), [pair, difference]).explained).toBeCloseTo(1, 6);
    expect(code(of(0), [pair, of(1)]).parts).toEqual([0]);
    // a = 1.67 (.6 a - .8 b) + 1.33 b cancels.
    expect(code(of(0), [sum([0.6, 0], [-0.8, 1]), of(1)]).parts).toEqual([0]);
  });

  test('takes no candidate whose cosine is NaN', () => {
    const between = [
      [1, 0],
      [0, 1],
    ];
    expect(metaCode([NaN, 0.5], (a) => between[a]).parts).toEqual([1]);
  });

  test('explains what it says', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1e6 }), (seed) => {
        const random = new Random(seed, 'rows');
        const unit = () => {
          const v = Array.from({ length: 6 }, () => random.normal());
          const norm = Math.hypot(...v);
          return v.map((value) => value / norm);
        };
        const candidates = Array.from({ length: 10 }, unit);
        const row = unit();
        const { parts, coefficients, explained } = code(row, candidates);
        const left = row.map((value, c) =>
          parts.reduce((rest, part, p) => rest - coefficients[p] * candidates[part][c], value),
        );
        expect(explained).toBeCloseTo(parts.length === 0 ? 0 : 1 - dot(left, left), 6);
      }),
      { numRuns: 50 },
    );
  });
});

describe('Firings', () => {
  test('what is expected together is the mean over shuffles within documents', () => {
    const random = new Random(1, 'documents');
    const documents = Uint32Array.from({ length: 120 }, (_, row) => Math.floor(row / 30));
    // Both fire in the first document, and hardly elsewhere.
    const fires = (row: number) => random.uniform() < (row < 30 ? 0.5 : 0.05);
    const lists = Array.from({ length: 120 }, (_, row) => [0, 1].filter(() => fires(row)));
    const firings = new Firings(sparse(lists), 2, documents);
    const [a, b] = [firings.of(0), firings.of(1)];
    const { both, expected, more, fewer } = firings.together(a, b);
    const shuffled = Array.from({ length: 4000 }, () => {
      const where = new Set<number>();
      for (let document = 0; document < 4; document++) {
        const count = b.filter((row) => documents[row] === document).length;
        for (const at of random.permutation(30).subarray(0, count)) where.add(30 * document + at);
      }
      return a.filter((row) => where.has(row)).length;
    });
    expect(expected).toBeCloseTo(mean(shuffled), 0);
    const share = (holds: (count: number) => boolean) => shuffled.filter(holds).length / shuffled.length;
    // Far out, where it matters, a Poisson variable is more spread than what is shuffled.
    for (let far = 0; far <= 30; far++) {
      const { above, below } = poissonTails(expected, far);
      const [over, under] = [share((count) => count >= far), share((count) => count <= far)];
      if (over < 0.1) expect(above).toBeGreaterThanOrEqual(over);
      if (under < 0.1) expect(below).toBeGreaterThanOrEqual(under);
    }
    expect([more, fewer]).toEqual(Object.values(poissonTails(expected, both)).reverse());
    // Without documents they would seem to belong together.
    expect(new Firings(sparse(lists), 2).together(a, b).more).toBeLessThan(0.01 * more);
  });

  test('counts those that fire with a latent', () => {
    const firings = new Firings(sparse([[0, 1], [0, 2], [1], [0, 1, 2]]), 3);
    const { others, counts } = firings.with(0);
    expect([others, [...counts]]).toEqual([
      [1, 2],
      [0, 2, 2],
    ]);
    expect([...common(firings.of(0), firings.of(2))]).toEqual([1, 3]);
  });
});

test('columns are replaced by sums of others, and entries kept', () => {
  const codes = sparse([
    [
      [0, 2],
      [1, 3],
    ],
    [],
    [[2, 1]],
  ]);
  const out = replaceColumns(
    codes,
    [
      [
        [1, 0.5],
        [0, 1],
      ],
      [[1, 2]],
      [],
    ],
    2,
  );
  expect(out).toEqual(
    sparse([
      [
        [0, 2],
        [1, 7],
      ],
      [],
      [],
    ]),
  );
  expect(keepEntries(codes, (value) => value >= 2)).toEqual(
    sparse([
      [
        [0, 2],
        [1, 3],
      ],
      [],
      [],
    ]),
  );
});

test('random directions are seldom sums by chance, and as seldom as is said', async () => {
  const random = new Random(2, 'atoms');
  const draw = async (rows: number) => {
    const unit = new Float32Array(rows * WIDTH);
    random.fillNormal(unit, 1);
    await backend.unitRows({ weight: unit, rows, width: WIDTH });
    return unit;
  };
  const [atoms, unit] = [await draw(40), await draw(200)];
  const chance = await chanceOfSums(backend, { unit, atoms, width: WIDTH }, 1);
  const other = await draw(2000);
  const explained = Array.from({ length: 2000 }, (_, j) => {
    const row = [...other.subarray(j * WIDTH, (j + 1) * WIDTH)];
    const rows = Array.from({ length: 40 }, (_, k) => [...atoms.subarray(k * WIDTH, (k + 1) * WIDTH)]);
    return metaCode(
      rows.map((atom) => dot(row, atom)),
      (a) => rows.map((atom) => dot(rows[a], atom)),
    ).explained;
  });
  for (const level of [0.2, 0.02, 0.005]) {
    const called = explained.filter((share) => chance(share) <= level).length / 2000;
    expect(called).toBeLessThan(2.2 * level);
    expect(called).toBeGreaterThan(level / 2.2);
  }
});
