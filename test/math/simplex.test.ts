import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Random } from '../../src/math/random.ts';
import { solveLinearProgram } from '../../src/math/simplex.ts';

/** The least cost over all vertices: every choice of m columns, solved by elimination. Undefined where none is feasible. */
function leastOfVertices(cost: number[], matrix: number[], right: number[]): number | undefined {
  const [n, m] = [cost.length, right.length];
  let least: number | undefined;
  const choose = (from: number, columns: number[]): void => {
    if (columns.length === m) {
      const z = solveSquare(right.map((value, i) => [...columns.map((j) => matrix[i * n + j]), value]));
      if (z?.every((value) => value >= -1e-9)) {
        const value = z.reduce((sum, v, c) => sum + v * cost[columns[c]], 0);
        if (least === undefined || value < least) least = value;
      }
      return;
    }
    for (let j = from; j < n; j++) choose(j + 1, [...columns, j]);
  };
  choose(0, []);
  return least;
}

/** Gauss and Jordan with pivoting, `rows [m, m + 1]`; undefined where singular. */
function solveSquare(rows: number[][]): number[] | undefined {
  const m = rows.length;
  for (let c = 0; c < m; c++) {
    const best = rows
      .slice(c)
      .reduce((at, row, i) => (Math.abs(row[c]) > Math.abs(rows[at][c]) ? c + i : at), c);
    [rows[c], rows[best]] = [rows[best], rows[c]];
    if (Math.abs(rows[c][c]) < 1e-9) return undefined;
    for (let i = 0; i < m; i++) {
      if (i === c) continue;
      const factor = rows[i][c] / rows[c][c];
      for (let j = c; j <= m; j++) rows[i][j] -= factor * rows[c][j];
    }
  }
  return rows.map((row, i) => row[m] / row[i]);
}

describe('solveLinearProgram', () => {
  test('the example of the textbooks: two machines, two products', () => {
    // max 3 x + 5 y with x <= 4, 2 y <= 12, 3 x + 2 y <= 18 is 36, at x = 2, y = 6.
    const found = solveLinearProgram({
      cost: [-3, -5, 0, 0, 0],
      matrix: [1, 0, 1, 0, 0, 0, 2, 0, 1, 0, 3, 2, 0, 0, 1],
      right: [4, 12, 18],
    });
    if (found.kind !== 'optimal') throw new Error(found.kind);
    expect(found.value).toBeCloseTo(-36, 10);
    expect(found.solution[0]).toBeCloseTo(2, 10);
    expect(found.solution[1]).toBeCloseTo(6, 10);
  });

  test('the best of all vertices, on whole numbers full of ties and copies', () => {
    const small = fc.integer({ min: -3, max: 3 });
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 3 }),
        fc.integer({ min: 0, max: 3 }),
        fc.infiniteStream(small),
        (m, more, stream) => {
          const n = m + more;
          const take = (count: number) => Array.from({ length: count }, () => stream.next().value as number);
          const [matrix, right] = [take(m * n), take(m)];
          const cost = take(n).map(Math.abs);
          const found = solveLinearProgram({ cost, matrix, right });
          if (found.kind === 'optimal') {
            for (let i = 0; i < m; i++) {
              const left = cost.reduce((sum, _, j) => sum + matrix[i * n + j] * found.solution[j], 0);
              expect(left).toBeCloseTo(right[i], 8);
            }
            expect(Math.min(...found.solution)).toBeGreaterThanOrEqual(0);
          }
          const rankIsFull = leastOfVertices(cost, matrix, right);
          if (rankIsFull !== undefined) {
            expect(found.kind).toBe('optimal');
            if (found.kind === 'optimal') expect(found.value).toBeCloseTo(rankIsFull, 8);
          }
        },
      ),
      { numRuns: 500 },
    );
  });

  test('equations said twice change nothing; equations that contradict each other are infeasible', () => {
    const twice = solveLinearProgram({ cost: [1, 2], matrix: [1, 1, 2, 2], right: [3, 6] });
    expect(twice).toMatchObject({ kind: 'optimal', value: 3 });
    const never = solveLinearProgram({ cost: [1, 2], matrix: [1, 1, 1, 1], right: [3, 4] });
    expect(never.kind).toBe('infeasible');
    expect(solveLinearProgram({ cost: [1], matrix: [1], right: [-1] }).kind).toBe('infeasible');
  });

  test('a cost that falls for ever is unbounded', () => {
    expect(solveLinearProgram({ cost: [-1, 0], matrix: [1, -1], right: [0] }).kind).toBe('unbounded');
  });

  test('Beale’s example, on which the steepest column alone goes in circles', () => {
    const found = solveLinearProgram({
      cost: [-0.75, 150, -0.02, 6, 0, 0, 0],
      matrix: [0.25, -60, -0.04, 9, 1, 0, 0, 0.5, -90, -0.02, 3, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1],
      right: [0, 0, 1],
    });
    expect(found.kind === 'optimal' && found.value).toBeCloseTo(-0.05, 10);
  });

  test('of 50 equations in 200 unknowns: a vertex, and no feasible point by chance is better', () => {
    const [m, n] = [50, 200];
    const random = new Random(1, 'program');
    const matrix = new Float64Array(m * n);
    random.fillNormal(matrix, 1);
    const point = Float64Array.from({ length: n }, () => Math.abs(random.normal()));
    const right = Float64Array.from({ length: m }, (_, i) =>
      point.reduce((sum, value, j) => sum + value * matrix[i * n + j], 0),
    );
    const cost = new Float64Array(n).fill(1);
    const found = solveLinearProgram({ cost, matrix, right });
    if (found.kind !== 'optimal') throw new Error(found.kind);
    expect(found.solution.filter((value) => value > 1e-9).length).toBeLessThanOrEqual(m);
    expect(found.value).toBeLessThan(point.reduce((a, b) => a + b));
    for (let i = 0; i < m; i++) {
      const left = found.solution.reduce((sum, value, j) => sum + value * matrix[i * n + j], 0);
      expect(left).toBeCloseTo(right[i], 7);
    }
  });

  test('lengths and values that do not fit are refused and named', () => {
    expect(() => solveLinearProgram({ cost: [1], matrix: [1, 2], right: [1] })).toThrow(
      'matrix: 2 values were given for 1 x 1',
    );
    expect(() => solveLinearProgram({ cost: [NaN], matrix: [1], right: [1] })).toThrow(
      'cost: value 0 is NaN',
    );
  });
});
