/** Which rows of a long table are to be drawn: only those in sight, all of one height. It must not know what rows hold. */

/** Rows drawn above and below those in sight, so that a quick scroll shows no gap. */
const BEYOND = 8;

export interface Sight {
  /** How far the table is scrolled, and how much of its body is in sight, in pixels. */
  readonly top: number;
  readonly height: number;
}

/** The rows from `first` until before `end`. */
export function rowsInSight(
  { top, height }: Sight,
  rowHeight: number,
  count: number,
): { first: number; end: number } {
  const first = Math.min(count, Math.max(0, Math.floor(top / rowHeight) - BEYOND));
  const end = Math.max(first, Math.min(count, Math.ceil((top + height) / rowHeight) + BEYOND));
  return { first, end };
}

/** How far to scroll so that `row` is in sight whole; as far as now where it is. */
export function topThatShows(row: number, { top, height }: Sight, rowHeight: number): number {
  const [above, below] = [row * rowHeight, (row + 1) * rowHeight - height];
  return Math.max(0, Math.min(above, Math.max(below, top)));
}
