import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Assignment, assign } from '../../src/math/assignment.ts';
import { Random } from '../../src/math/random.ts';

type Goal = 'minimise' | 'maximise';

/** The best total over every way to pair the lesser side with the greater. */
function bruteForce(cost: ArrayLike<number>, rows: number, columns: number, goal: Goal): number {
  const pick = goal === 'minimise' ? Math.min : Math.max;
  const wide = rows <= columns;
  const at = (few: number, many: number) => cost[wide ? few * columns + many : many * columns + few];
  const [few, many] = wide ? [rows, columns] : [columns, rows];
  const used = new Array<boolean>(many).fill(false);
  const best = (i: number): number => {
    if (i === few) return 0;
    let result: number | undefined;
    for (let j = 0; j < many; j++) {
      if (used[j]) continue;
      used[j] = true;
      const total = at(i, j) + best(i + 1);
      used[j] = false;
      result = result === undefined ? total : pick(result, total);
    }
    return result!;
  };
  return best(0);
}

/** Each row and column at most once, the two views agree, as many pairs as can be, and `total` is their sum. */
function checkPairs(found: Assignment, cost: ArrayLike<number>, rows: number, columns: number): void {
  const { columnOfRow, rowOfColumn, total } = found;
  let [pairs, sum] = [0, 0];
  columnOfRow.forEach((column, row) => {
    if (column < 0) return;
    pairs++;
    sum += cost[row * columns + column];
    expect(rowOfColumn[column]).toBe(row);
  });
  rowOfColumn.forEach((row, column) => {
    if (row >= 0) expect(columnOfRow[row]).toBe(column);
  });
  expect(pairs).toBe(Math.min(rows, columns));
  expect(total).toBe(sum);
}

const problem = (value: fc.Arbitrary<number>) =>
  fc.tuple(fc.integer({ min: 1, max: 7 }), fc.integer({ min: 1, max: 7 })).chain(([rows, columns]) =>
    fc.record({
      rows: fc.constant(rows),
      columns: fc.constant(columns),
      cost: fc.array(value, { minLength: rows * columns, maxLength: rows * columns }),
      goal: fc.constantFrom<Goal>('minimise', 'maximise'),
    }),
  );

describe('assign', () => {
  test('as good as the best of all pairings: whole costs with many ties, both goals, both shapes', () => {
    fc.assert(
      fc.property(problem(fc.integer({ min: -3, max: 3 })), ({ rows, columns, cost, goal }) => {
        const found = assign({ cost: Float64Array.from(cost), rows, columns, goal });
        checkPairs(found, cost, rows, columns);
        expect(found.total).toBe(bruteForce(cost, rows, columns, goal));
      }),
      { numRuns: 150 },
    );
  });

  test('as good as the best of all pairings: real costs', () => {
    fc.assert(
      fc.property(problem(fc.double({ min: -1, max: 1, noNaN: true })), ({ rows, columns, cost, goal }) => {
        const found = assign({ cost: Float64Array.from(cost), rows, columns, goal });
        checkPairs(found, cost, rows, columns);
        expect(found.total).toBeCloseTo(bruteForce(cost, rows, columns, goal), 12);
      }),
      { numRuns: 150 },
    );
  });

  test('a hidden permutation of 1,000 is found, and a random cost of 1,000 x 1,000 nears pi^2 / 6', () => {
    const n = 1000;
    const random = new Random(1, 'costs');
    const hidden = random.permutation(n);
    const cost = Float64Array.from({ length: n * n }, () => random.uniform());
    const uniform = assign({ cost, rows: n, columns: n, goal: 'minimise' });
    checkPairs(uniform, cost, n, n);
    // The mean over such costs tends to pi^2 / 6 (Aldous 2001), its standard deviation at n = 1000 is near 0.04.
    expect(Math.abs(uniform.total - Math.PI ** 2 / 6)).toBeLessThan(0.2);
    hidden.forEach((column, row) => {
      cost[row * n + column] = 1 + random.uniform();
    });
    const found = assign({ cost, rows: n, columns: n, goal: 'maximise' });
    expect(Array.from(found.columnOfRow)).toEqual(Array.from(hidden));
  });

  test('the transpose gives as good an assignment', () => {
    const [rows, columns] = [40, 90];
    const random = new Random(2, 'costs');
    const cost = Float64Array.from({ length: rows * columns }, () => random.normal());
    const turned = cost.map((_, i) => cost[(i % rows) * columns + Math.floor(i / rows)]);
    const a = assign({ cost, rows, columns, goal: 'maximise' });
    const b = assign({ cost: turned, rows: columns, columns: rows, goal: 'maximise' });
    expect(a.total).toBeCloseTo(b.total, 10);
    expect(b.rowOfColumn).toEqual(a.columnOfRow);
    expect(b.columnOfRow.filter((row) => row < 0)).toHaveLength(50);
  });

  test('all costs equal: still a whole assignment; none: an empty one', () => {
    const found = assign({ cost: new Float64Array(12), rows: 3, columns: 4, goal: 'minimise' });
    checkPairs(found, new Float64Array(12), 3, 4);
    const empty = assign({ cost: new Float64Array(0), rows: 0, columns: 4, goal: 'minimise' });
    expect(empty).toEqual({
      columnOfRow: new Int32Array(0),
      rowOfColumn: new Int32Array(4).fill(-1),
      total: 0,
    });
  });

  test('a cost of another length, or one that is not finite or too large, is refused and named', () => {
    expect(() => assign({ cost: new Float64Array(5), rows: 2, columns: 3, goal: 'minimise' })).toThrow(
      /5 values were given for 2 x 3/,
    );
    for (const bad of [NaN, Infinity, -Infinity, 2e300]) {
      const cost = Float64Array.of(0, 1, 2, 3, bad, 5);
      expect(() => assign({ cost, rows: 2, columns: 3, goal: 'minimise' })).toThrow(
        `row 1, column 1 is ${bad}`,
      );
    }
  });
});
