/**
 * Linear programs in standard form, solved exactly but for rounding: the simplex method of Dantzig 1947 on a dense tableau,
 * in two phases, with the rule of Bland ("New finite pivoting rules for the simplex method", Mathematics of Operations
 * Research 2, 1977) where it stands still, so that it always ends. For a few hundred variables. It must not know what is
 * optimised.
 */

export type LinearSolution =
  | { readonly kind: 'optimal'; readonly solution: Float64Array; readonly value: number }
  | { readonly kind: 'infeasible' | 'unbounded' };

/** Numbers nearer to 0 than this are taken for rounding; rows are scaled to a largest magnitude of 1 first. */
const NOTHING = 1e-10;
/** The sum of infeasibilities, for the same rows, that may be left by rounding. */
const FEASIBLE = 1e-7;

/**
 * `min cost . z` over `z >= 0` with `matrix z = right`; `cost [n]`, `matrix [m, n]`, `right [m]`. The solution is a vertex:
 * at most m of its values are not 0. RangeError where lengths do not fit or a value is not finite.
 */
export function solveLinearProgram(program: {
  cost: ArrayLike<number>;
  matrix: ArrayLike<number>;
  right: ArrayLike<number>;
}): LinearSolution {
  const tableau = startingTableau(program);
  const { n, basis, rows } = tableau;
  // Phase 1: the sum of what the equations still lack.
  const lacking = new Float64Array(n + 1);
  for (const row of rows) for (let j = 0; j <= n; j++) lacking[j] -= row[j];
  pivotToOptimum(tableau, lacking);
  if (-lacking[n] > FEASIBLE) return { kind: 'infeasible' };
  dropArtificial(tableau);
  // Phase 2: costs less what the basis already pays for.
  const reduced = new Float64Array(n + 1);
  for (let j = 0; j < n; j++) reduced[j] = program.cost[j];
  for (const [i, row] of rows.entries()) {
    const price = program.cost[basis[i]];
    for (let j = 0; j <= n; j++) reduced[j] -= price * row[j];
  }
  if (!pivotToOptimum(tableau, reduced)) return { kind: 'unbounded' };
  const solution = new Float64Array(n);
  let value = 0;
  for (const [i, row] of rows.entries()) {
    solution[basis[i]] = Math.max(0, row[n]);
    value += program.cost[basis[i]] * solution[basis[i]];
  }
  return { kind: 'optimal', solution, value };
}

/** Equations solved for their basic variables: row i reads `z[basis[i]] + sum_j row[j] z[j] = row[n]`, `row[n] >= 0`. */
interface Tableau {
  readonly n: number;
  readonly rows: Float64Array[];
  /** `n` and above are artificial variables, which the first phase brings to 0 and which never come back. */
  readonly basis: number[];
}

function startingTableau({
  cost,
  matrix,
  right,
}: {
  cost: ArrayLike<number>;
  matrix: ArrayLike<number>;
  right: ArrayLike<number>;
}): Tableau {
  const [n, m] = [cost.length, right.length];
  if (matrix.length !== m * n)
    throw new RangeError(`matrix: ${matrix.length} values were given for ${m} x ${n}`);
  for (const [name, values] of Object.entries({ cost, matrix, right }))
    for (let i = 0; i < values.length; i++)
      if (!Number.isFinite(values[i])) throw new RangeError(`${name}: value ${i} is ${values[i]}`);
  const rows = Array.from({ length: m }, (_, i) => {
    const row = new Float64Array(n + 1);
    for (let j = 0; j < n; j++) row[j] = matrix[i * n + j];
    row[n] = right[i];
    const largest = row.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    const factor = (row[n] < 0 ? -1 : 1) / (largest || 1);
    return row.map((value) => factor * value);
  });
  return { n, rows, basis: Array.from({ length: m }, (_, i) => n + i) };
}

/** Pivots until no reduced cost is negative; false where the objective falls for ever. */
function pivotToOptimum(tableau: Tableau, reduced: Float64Array): boolean {
  const { n, rows, basis } = tableau;
  let still = 0;
  for (;;) {
    // Bland's rule, the first column that helps, cannot cycle; the steepest is faster.
    const careful = still > rows.length;
    let column = -1;
    for (let j = 0; j < n; j++) {
      if (reduced[j] >= -NOTHING) continue;
      if (column < 0 || reduced[j] < reduced[column]) column = j;
      if (careful) break;
    }
    if (column < 0) return true;
    let leaving = -1;
    let least = Infinity;
    for (const [i, row] of rows.entries()) {
      if (row[column] <= NOTHING) continue;
      const ratio = row[n] / row[column];
      if (ratio < least || (ratio === least && basis[i] < basis[leaving])) [least, leaving] = [ratio, i];
    }
    if (leaving < 0) return false;
    still = least > NOTHING ? 0 : still + 1;
    pivot(tableau, leaving, column, reduced);
  }
}

/** Makes `column` basic in the place of row `leaving`'s variable. */
function pivot({ rows, basis }: Tableau, leaving: number, column: number, reduced?: Float64Array): void {
  const row = rows[leaving];
  const scale = 1 / row[column];
  for (let j = 0; j < row.length; j++) row[j] *= scale;
  row[column] = 1;
  for (const other of reduced ? [...rows, reduced] : rows) {
    const factor = other[column];
    if (other === row || factor === 0) continue;
    for (let j = 0; j < row.length; j++) other[j] -= factor * row[j];
    other[column] = 0;
  }
  basis[leaving] = column;
}

/** Artificial variables that are basic at 0 give way; an equation that has nothing else says nothing. */
function dropArtificial(tableau: Tableau): void {
  const { n, rows, basis } = tableau;
  for (let i = rows.length - 1; i >= 0; i--) {
    if (basis[i] < n) continue;
    let column = 0;
    for (let j = 1; j < n; j++) if (Math.abs(rows[i][j]) > Math.abs(rows[i][column])) column = j;
    if (Math.abs(rows[i][column]) > NOTHING) pivot(tableau, i, column);
    else {
      rows.splice(i, 1);
      basis.splice(i, 1);
    }
  }
}
