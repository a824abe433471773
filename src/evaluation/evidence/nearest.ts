/** The nearest rows of one decoder in another. It must not know why anyone asks. */
import type { Backend } from '../../kernels/backend.ts';

/** Added to each cosine: an encoder drops what is not above 0. */
const LIFT = 2;

export interface Nearest {
  /** The other decoder's row of largest cosine, the first of equals; -1 where there is none. `[rows]` */
  readonly row: Int32Array;
  /** That cosine, with its sign; 0 where there is none. `[rows]` */
  readonly cosine: Float64Array;
}

/**
 * For each row of `decoder [rows, width]` the nearest row of `other [others, width]`, by the cosine with its sign, since a
 * latent that points the other way is another latent. Without `other`, the nearest of its own other rows. Rows of 0 have a
 * cosine of 0 with all. The encoder that picks a row's strongest latents picks them here, so that rows x others is never written.
 */
export async function nearestRows(
  backend: Backend,
  decoder: Float32Array,
  width: number,
  other?: Float32Array,
): Promise<Nearest> {
  const a = await unit(backend, decoder, width);
  const b = other ? await unit(backend, other, width) : a;
  const [rows, others] = [a.length / width, b.length / width];
  const nearest = { row: new Int32Array(rows).fill(-1), cosine: new Float64Array(rows) };
  if (others === 0) return nearest;
  // Of its own rows, the nearest to a row is mostly that row itself.
  const { offsets, indices, values } = await backend.encodeTopK({
    x: a,
    rows,
    width,
    weight: b,
    bias: new Float32Array(others).fill(LIFT),
    columns: others,
    k: Math.min(others, other ? 1 : 2),
  });
  for (let r = 0; r < rows; r++) {
    let strongest = -Infinity;
    for (let e = offsets[r]; e < offsets[r + 1]; e++) {
      if (values[e] <= strongest || (!other && indices[e] === r)) continue;
      strongest = values[e];
      nearest.row[r] = indices[e];
    }
    if (nearest.row[r] >= 0) nearest.cosine[r] = cosineOf(a, r, b, nearest.row[r], width);
  }
  return nearest;
}

/**
 * What a wider dictionary has of each row beside its nearest: with `d` the unit row, `u` its nearest of `other` and `c` their cosine,
 * the largest `(d - c u) . v` over the rows v of `other`, 0 or more. Large where the row lies between two of the other's, as one
 * that stands for two things does when the other tells them apart. `[rows]`
 */
export async function remainders(
  backend: Backend,
  decoder: Float32Array,
  width: number,
  other: Float32Array,
  nearest: Nearest,
): Promise<Float64Array> {
  const left = await unit(backend, decoder, width);
  const weight = await unit(backend, other, width);
  const [rows, columns] = [left.length / width, weight.length / width];
  for (let r = 0; r < rows; r++) {
    const [at, cosine] = [nearest.row[r], nearest.cosine[r]];
    if (at < 0) continue;
    for (let c = 0; c < width; c++) left[r * width + c] -= cosine * weight[at * width + c];
  }
  const bias = new Float32Array(columns);
  const { offsets, values } = await backend.encodeTopK({ x: left, rows, width, weight, bias, columns, k: 1 });
  return Float64Array.from({ length: rows }, (_, r) =>
    offsets[r] < offsets[r + 1] ? values[offsets[r]] : 0,
  );
}

/** Of unit rows, or of a row of 0. */
function cosineOf(a: Float32Array, i: number, b: Float32Array, j: number, width: number): number {
  let dot = 0;
  for (let c = 0; c < width; c++) dot += a[i * width + c] * b[j * width + c];
  return Math.max(-1, Math.min(1, dot));
}

async function unit(backend: Backend, rows: Float32Array, width: number): Promise<Float32Array> {
  const weight = rows.slice();
  await backend.unitRows({ weight, rows: rows.length / width, width });
  return weight;
}
