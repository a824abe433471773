/** The nearest rows of one decoder in another. It must not know why anyone asks. */
import type { Backend } from '../../kernels/backend.ts';

/** Rows whose cosines are made at a time. */
const CHUNK = 512;

export interface Nearest {
  /** The other decoder's row of largest cosine, the first of equals; -1 where there is none. `[rows]` */
  readonly row: Int32Array;
  /** That cosine, with its sign; 0 where there is none. `[rows]` */
  readonly cosine: Float64Array;
}

/**
 * For each row of `decoder [rows, width]` the nearest row of `other [others, width]`, by the cosine with its sign, since a
 * latent that points the other way is another latent. Without `other`, the nearest of its own other rows. Rows of 0 have a
 * cosine of 0 with all. Writes `[512, others]` at a time.
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
  const weight = backend.pack(b, others, width);
  const nearest = { row: new Int32Array(rows).fill(-1), cosine: new Float64Array(rows) };
  for (let start = 0; start < rows; start += CHUNK) {
    const x = a.slice(start * width, (start + CHUNK) * width);
    const count = x.length / width;
    const cosines = new Float32Array(count * others);
    await backend.linear({ x, rows: count, weight, out: cosines });
    for (let r = 0; r < count; r++) {
      const own = other ? -1 : start + r;
      let [best, at] = [-Infinity, -1];
      for (let c = 0; c < others; c++) {
        const cosine = cosines[r * others + c];
        if (cosine > best && c !== own) [best, at] = [cosine, c];
      }
      nearest.row[start + r] = at;
      nearest.cosine[start + r] = at < 0 ? 0 : Math.max(-1, Math.min(1, best));
    }
  }
  return nearest;
}

async function unit(backend: Backend, rows: Float32Array, width: number): Promise<Float32Array> {
  const weight = rows.slice();
  await backend.unitRows({ weight, rows: rows.length / width, width });
  return weight;
}
