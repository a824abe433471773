/** The unit decoder rows of the latents that fire often enough to be tested, and their cosines. */
import type { Dictionary } from '../../dictionaries/dictionary.ts';
import type { Backend } from '../../kernels/backend.ts';

export interface LiveRows {
  /** Which latents, ascending, `[count]`. */
  readonly latents: Uint32Array;
  readonly count: number;
  readonly width: number;
  /** `[count, width]` */
  readonly unit: Float32Array;
  /** `[count, count]` */
  readonly cosines: Float32Array;
}

/** The rows of `latents` of a dictionary. Holds `[latents, latents]`: 85 MB for 4,608, 1 GB for 16,384. */
export async function liveRows(
  backend: Backend,
  dictionary: Dictionary,
  latents: Uint32Array,
): Promise<LiveRows> {
  const { decoderWeight, outputWidth: width } = dictionary;
  const count = latents.length;
  const unit = new Float32Array(count * width);
  latents.forEach((latent, i) => {
    unit.set(decoderWeight.subarray(latent * width, (latent + 1) * width), i * width);
  });
  const cosines = new Float32Array(count * count);
  if (count > 0) {
    await backend.unitRows({ weight: unit, rows: count, width });
    await backend.linear({ x: unit, rows: count, weight: backend.pack(unit, count, width), out: cosines });
  }
  return { latents, count, width, unit, cosines };
}

/** Those of its rows for which `keeps(latent, row)` holds. */
export function someRows(live: LiveRows, keeps: (latent: number, row: number) => boolean): LiveRows {
  const { width } = live;
  const kept = Array.from(live.latents.keys()).filter((i) => keeps(live.latents[i], i));
  const count = kept.length;
  const unit = new Float32Array(count * width);
  const cosines = new Float32Array(count * count);
  kept.forEach((i, at) => {
    unit.set(live.unit.subarray(i * width, (i + 1) * width), at * width);
    kept.forEach((j, other) => {
      cosines[at * count + other] = live.cosines[i * live.count + j];
    });
  });
  return { latents: Uint32Array.from(kept, (i) => live.latents[i]), count, width, unit, cosines };
}

/** Where the row of each of `latents` latents stands, -1 where it is not among them. */
export function placesOf(live: LiveRows, latents: number): Int32Array {
  const place = new Int32Array(latents).fill(-1);
  live.latents.forEach((latent, i) => {
    place[latent] = i;
  });
  return place;
}

/** The lengths of the rows of `matrix [rows, width]`. */
export function rowNorms(matrix: Float32Array, width: number): Float64Array {
  return Float64Array.from({ length: matrix.length / width }, (_, row) =>
    Math.hypot(...matrix.subarray(row * width, (row + 1) * width)),
  );
}
