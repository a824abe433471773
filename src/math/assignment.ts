/**
 * The linear assignment problem: pairs of rows and columns, each used once, whose costs sum to the least or the
 * most. It must not know what is matched.
 *
 * Shortest augmenting paths with potentials, after Jonker and Volgenant, "A shortest augmenting path algorithm for
 * dense and sparse linear assignment problems", Computing 38, 1987, in the rectangular form of Crouse, "On implementing
 * 2D rectangular assignment algorithms", IEEE Transactions on Aerospace and Electronic Systems 52, 2016. Exact, in
 * O(n^2 m) for n <= m, the lesser and the greater of rows and columns.
 */

/** Sums of costs along a path must stay finite. */
const LARGEST_COST = 1e300;

export interface Assignment {
  /** The column of each row, `[rows]`; -1 where a row has none, which only happens with more rows than columns. */
  readonly columnOfRow: Int32Array;
  /** The row of each column, `[columns]`; -1 where a column has none. */
  readonly rowOfColumn: Int32Array;
  /** The sum of the costs of the pairs, of which there are min(rows, columns). */
  readonly total: number;
}

/**
 * The best assignment for `cost [rows, columns]`. Of several equally good ones, always the same. RangeError where the
 * length does not fit or a cost is NaN or beyond 1e300 either way.
 */
export function assign(problem: {
  cost: Float64Array;
  rows: number;
  columns: number;
  goal: 'minimise' | 'maximise';
}): Assignment {
  const { cost, rows, columns, goal } = problem;
  if (cost.length !== rows * columns)
    throw new RangeError(`cost: ${cost.length} values were given for ${rows} x ${columns}`);
  for (let i = 0; i < cost.length; i++) {
    if (!(Math.abs(cost[i]) <= LARGEST_COST))
      throw new RangeError(`cost: row ${Math.floor(i / columns)}, column ${i % columns} is ${cost[i]}`);
  }
  const wide = rows <= columns;
  const sign = goal === 'minimise' ? 1 : -1;
  const oriented = new Float64Array(cost.length);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++)
      oriented[wide ? i * columns + j : j * rows + i] = sign * cost[i * columns + j];
  }
  const [few, many] = wide ? [rows, columns] : [columns, rows];
  const ofFew = leastAssignment(oriented, few, many);
  const ofMany = new Int32Array(many).fill(-1);
  for (let i = 0; i < few; i++) ofMany[ofFew[i]] = i;
  const [columnOfRow, rowOfColumn] = wide ? [ofFew, ofMany] : [ofMany, ofFew];
  let total = 0;
  for (let i = 0; i < rows; i++) if (columnOfRow[i] >= 0) total += cost[i * columns + columnOfRow[i]];
  return { columnOfRow, rowOfColumn, total };
}

/** The column of each row in the assignment of least cost, `cost [n, m]`, n <= m. */
function leastAssignment(cost: Float64Array, n: number, m: number): Int32Array {
  // Reduced costs `cost[i, j] - rowPotential[i] - columnPotential[j]` stay >= 0, and 0 on assigned pairs.
  const rowPotential = new Float64Array(n);
  const columnPotential = new Float64Array(m);
  const columnOfRow = new Int32Array(n).fill(-1);
  const rowOfColumn = new Int32Array(m).fill(-1);
  const distance = new Float64Array(m);
  const previousRow = new Int32Array(m);
  // The first `open` entries are the columns that the path search has not reached; the rest were reached.
  const order = new Int32Array(m);

  for (let start = 0; start < n; start++) {
    distance.fill(Infinity);
    for (let j = 0; j < m; j++) order[j] = m - 1 - j;
    let open = m;
    let row = start;
    let reached = 0;
    let sink = -1;
    while (sink < 0) {
      const base = row * m;
      const offset = reached - rowPotential[row];
      let least = Infinity;
      let place = -1;
      for (let p = 0; p < open; p++) {
        const j = order[p];
        const through = offset + cost[base + j] - columnPotential[j];
        if (through < distance[j]) {
          distance[j] = through;
          previousRow[j] = row;
        }
        // Of equally near columns a free one ends the search.
        if (distance[j] < least || (distance[j] === least && rowOfColumn[j] < 0)) {
          least = distance[j];
          place = p;
        }
      }
      reached = least;
      const column = order[place];
      open--;
      order[place] = order[open];
      order[open] = column;
      if (rowOfColumn[column] < 0) sink = column;
      else row = rowOfColumn[column];
    }
    rowPotential[start] += reached;
    for (let p = open; p < m; p++) {
      const j = order[p];
      const slack = reached - distance[j];
      columnPotential[j] -= slack;
      if (j !== sink) rowPotential[rowOfColumn[j]] += slack;
    }
    for (let column = sink; column >= 0; ) {
      const i = previousRow[column];
      rowOfColumn[column] = i;
      const next = columnOfRow[i];
      columnOfRow[i] = column;
      column = next;
    }
  }
  return columnOfRow;
}
