/** The nearest rows of a decoder, by the angle between them. It must not know what they are shown for. */
import type { Backend } from '../../kernels/backend.ts';

/** Added to each cosine, for the backend selects among what is above 0. */
const LIFT = 2;
const CHUNK = 4096;

/** Lists are `[rows.length, count]`, highest cosine first. */
export interface Neighbours {
  /** Rows of the decoder that are not zero, ascending; the others have no direction. */
  readonly rows: Uint32Array;
  /** These rows, of unit length. `[rows.length, width]` */
  readonly unit: Float32Array;
  readonly count: number;
  /** Places in `rows`. */
  readonly nearest: Int32Array;
  readonly cosines: Float64Array;
}

/**
 * Of each row of `decoder [any, width]` that is not zero the `count` others of highest cosine, with its sign; fewer where there
 * are fewer. Rows x rows is never written.
 */
export async function nearestNeighbours(
  backend: Backend,
  decoder: Float32Array,
  width: number,
  count: number,
): Promise<Neighbours> {
  const rows = nonZeroRows(decoder, width);
  const n = rows.length;
  const most = Math.max(0, Math.min(count, n - 1));
  const unit = new Float32Array(n * width);
  rows.forEach((row, i) => {
    unit.set(decoder.subarray(row * width, (row + 1) * width), i * width);
  });
  await backend.unitRows({ weight: unit, rows: n, width });
  const found = {
    rows,
    unit,
    count: most,
    nearest: new Int32Array(n * most),
    cosines: new Float64Array(n * most),
  };
  if (most === 0) return found;
  const bias = new Float32Array(n).fill(LIFT);
  for (let start = 0; start < n; start += CHUNK) {
    const x = unit.slice(start * width, (start + CHUNK) * width);
    const operands = { x, rows: x.length / width, width, weight: unit, bias, columns: n };
    // One more, for a row is nearest to itself.
    const codes = await backend.encodeTopK({ ...operands, k: most + 1 });
    for (let r = 0; r < codes.rows; r++) keep(found, width, start + r, others(codes, r, start + r));
  }
  return found;
}

/** What a row of codes has beside the row itself. */
function others(
  { offsets, indices }: { offsets: Uint32Array; indices: Uint32Array },
  r: number,
  own: number,
): number[] {
  return Array.from(indices.subarray(offsets[r], offsets[r + 1])).filter((index) => index !== own);
}

function keep(found: Neighbours, width: number, row: number, near: number[]): void {
  const { unit, count, nearest, cosines } = found;
  near
    .map((index) => ({ index, cosine: cosine(unit, width, row, index) }))
    .sort((a, b) => b.cosine - a.cosine || a.index - b.index)
    .slice(0, count)
    .forEach(({ index, cosine }, i) => {
      nearest[row * count + i] = index;
      cosines[row * count + i] = cosine;
    });
}

function cosine(unit: Float32Array, width: number, a: number, b: number): number {
  let sum = 0;
  for (let c = 0; c < width; c++) sum += unit[a * width + c] * unit[b * width + c];
  return Math.max(-1, Math.min(1, sum));
}

function nonZeroRows(decoder: Float32Array, width: number): Uint32Array {
  const rows: number[] = [];
  for (let row = 0; row < decoder.length / width; row++)
    if (decoder.subarray(row * width, (row + 1) * width).some((value) => value !== 0)) rows.push(row);
  return Uint32Array.from(rows);
}
