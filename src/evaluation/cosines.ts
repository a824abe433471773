/** Cosines of the rows of two sets of directions, without writing all of them down. It must not know what the directions are. */
import type { Backend } from '../kernels/backend.ts';

/** Rows whose cosines are made at a time. */
const CHUNK = 512;

/**
 * Visits the cosine, from -1 to 1, of each row of `a` with each row of `b`, both `[rows, width]`, neither need be of unit
 * length; 0 where one of the two is zero. O(a b width).
 */
export async function eachCosine(
  backend: Backend,
  a: Float32Array,
  b: Float32Array,
  width: number,
  visit: (row: number, column: number, cosine: number) => void,
): Promise<void> {
  const columns = b.length / width;
  const weight = backend.pack(await unitRows(backend, b, width), columns, width);
  const unit = await unitRows(backend, a, width);
  for (let start = 0; start < a.length / width; start += CHUNK) {
    const x = unit.slice(start * width, (start + CHUNK) * width);
    const rows = x.length / width;
    const out = new Float32Array(rows * columns);
    await backend.linear({ x, rows, weight, out });
    for (let r = 0; r < rows; r++) {
      for (let c = 0; c < columns; c++) visit(start + r, c, Math.max(-1, Math.min(1, out[r * columns + c])));
    }
  }
}

/** c_dec, `mean_{j<l} |cos(w_j, w_l)|` of the rows of `decoder [latents, width]`; NaN of fewer than two. */
export async function decoderCosine(backend: Backend, decoder: Float32Array, width: number): Promise<number> {
  const latents = decoder.length / width;
  let between = 0;
  await eachCosine(backend, decoder, decoder, width, (latent, other, cosine) => {
    if (other < latent) between += Math.abs(cosine);
  });
  return between / ((latents * (latents - 1)) / 2);
}

async function unitRows(backend: Backend, rows: Float32Array, width: number): Promise<Float32Array> {
  const weight = rows.slice();
  await backend.unitRows({ weight, rows: rows.length / width, width });
  return weight;
}
