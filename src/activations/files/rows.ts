/** All rows of a source in their order, a part at a time, as they are written to files. */
import type { ActivationRows, ActivationSource, Progress } from '../source.ts';

/** Rows in memory at once, about. */
const PART_ROWS = 16384;

/** The source's rows, whole sequences at a time. Progress is in rows. */
export async function* rowParts(
  source: ActivationSource,
  onProgress?: Progress,
): AsyncGenerator<ActivationRows> {
  let done = 0;
  for (let s = 0; s < source.sequences; ) {
    const part: number[] = [];
    for (let rows = 0; s < source.sequences && rows < PART_ROWS; s++) {
      part.push(s);
      rows += source.rowsOf(s);
    }
    const rows = await source.read(part);
    yield rows;
    onProgress?.((done += rows.rows), source.totalRows);
  }
}

/** The bytes of the activations, little-endian float32, with the rows that they are of. */
export async function* activationPieces(
  source: ActivationSource,
  onProgress?: Progress,
): AsyncGenerator<{ bytes: Uint8Array; rows: ActivationRows }> {
  for await (const rows of rowParts(source, onProgress)) {
    const { buffer, byteOffset, byteLength } = rows.activations;
    yield { bytes: new Uint8Array(buffer, byteOffset, byteLength), rows };
  }
}
