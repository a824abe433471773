/**
 * What latents do on held-out rows, and where some directions are strongest, in one pass: all that the atlas counts and is not in
 * the weights. It must not know what is made of it.
 */
import {
  type ActivationRows,
  type ActivationSource,
  allocateRows,
  type Progress,
} from '../../activations/source.ts';
import { type Dictionary, encode } from '../../dictionaries/dictionary.ts';
import { groupDocuments } from '../../evaluation/fidelity.ts';
import type { Backend, SparseRows } from '../../kernels/backend.ts';
import { ACTIVATION_BINS } from './shape.ts';
import { StrongestRows } from './strongestRows.ts';

/** Rows in memory at once, and what the last sequence of them has more. */
const ROWS_AT_ONCE = 4096;
/** Rows that are looked at, at most, in whole sequences: their codes are held in memory. */
export const MOST_ROWS = 65_536;
/** Groups of documents, one of which is left out at a time. */
export const GROUPS = 40;
/** Tokens that are shown of a direction. */
export const DIRECTION_EXAMPLES = 12;

export interface Observed {
  /** Where each row is from; activations are not kept. */
  readonly rows: ActivationRows;
  /** Of all rows. */
  readonly codes: SparseRows;
  readonly documents: number;
  readonly groups: number;
  /** `sum_t a_i(t)^2` over the rows of a group of documents. `[groups, latents]` */
  readonly energies: Float64Array;
  /** `[latents, ACTIVATION_BINS]`, edges as `binOf` has them. */
  readonly bins: Uint32Array;
  /** Of the directions, where there are any. */
  readonly strongest?: StrongestRows;
}

/** Reads the first sequences of `source`. `greatest [latents]` is where the bins of each latent end. */
export async function observe(request: {
  backend: Backend;
  dictionary: Dictionary;
  source: ActivationSource;
  greatest: ArrayLike<number>;
  /** `unit [any, width]`, onto which activations less `mean [width]` are projected. */
  directions?: { unit: Float32Array; mean: Float32Array };
  onProgress?: Progress;
}): Promise<Observed> {
  const { backend, dictionary, greatest, directions, onProgress } = request;
  const { latents } = dictionary;
  const source = firstOf(request.source);
  const { width } = source;
  const { groupOf, groups } = groupDocuments(source, GROUPS);
  const energies = new Float64Array(groups * latents);
  const bins = new Uint32Array(latents * ACTIVATION_BINS);
  const count = directions ? directions.unit.length / width : 0;
  const packed = directions && backend.pack(directions.unit, count, width);
  const strongest = directions && new StrongestRows(count, DIRECTION_EXAMPLES);
  const places = allocateRows(source.totalRows, 0);
  const parts: SparseRows[] = [];
  let done = 0;
  for (const part of partsOf(source)) {
    const read = await source.read(part);
    const { activations: x, rows } = read;
    const codes = await encode(backend, dictionary, x, rows);
    for (let r = 0; r < rows; r++) {
      const base = groupOf.get(read.documents[r])! * latents;
      for (let e = codes.offsets[r]; e < codes.offsets[r + 1]; e++) {
        const [latent, value] = [codes.indices[e], codes.values[e]];
        energies[base + latent] += value * value;
        if (value > 0) bins[latent * ACTIVATION_BINS + binOf(value, greatest[latent])]++;
      }
    }
    if (directions && packed && strongest) {
      const centered = new Float32Array(x.length);
      await backend.center({ x, center: directions.mean, rows, width, scale: 1, out: centered });
      const projections = new Float32Array(rows * count);
      await backend.linear({ x: centered, rows, weight: packed, out: projections });
      strongest.offer(read, projections);
    }
    for (const key of ['tokens', 'documents', 'sequences', 'positions'] as const)
      places[key].set(read[key], done);
    parts.push(codes);
    done += rows;
    onProgress?.(part[part.length - 1] + 1, source.sequences);
  }
  return { rows: places, codes: joined(parts), documents: groupOf.size, groups, energies, bins, strongest };
}

/** Bin b of 20 holds activations in `(b, b + 1] greatest / 20`; the last one also what is above. */
export function binOf(activation: number, greatest: number): number {
  const bin = Math.ceil((activation / greatest) * ACTIVATION_BINS) - 1;
  return bin < ACTIVATION_BINS ? Math.max(0, bin) : ACTIVATION_BINS - 1;
}

/** All sequences in order, some at a time. */
function* partsOf(source: ActivationSource): Generator<number[]> {
  let [part, rows]: [number[], number] = [[], 0];
  for (let s = 0; s < source.sequences; s++) {
    part.push(s);
    rows += source.rowsOf(s);
    if (rows < ROWS_AT_ONCE && s + 1 < source.sequences) continue;
    yield part;
    [part, rows] = [[], 0];
  }
}

/** As many sequences, from the first on, as have no more than `MOST_ROWS` rows; one at least. */
function firstOf(source: ActivationSource): ActivationSource {
  let [sequences, totalRows] = [0, 0];
  while (sequences < source.sequences) {
    const rows = source.rowsOf(sequences);
    if (sequences > 0 && totalRows + rows > MOST_ROWS) break;
    totalRows += rows;
    sequences++;
  }
  return { ...source, sequences, totalRows };
}

function joined(parts: readonly SparseRows[]): SparseRows {
  const [rows, entries] = parts.reduce(
    ([rows, entries], part) => [rows + part.rows, entries + part.offsets[part.rows]],
    [0, 0],
  );
  const all = {
    rows,
    offsets: new Uint32Array(rows + 1),
    indices: new Uint32Array(entries),
    values: new Float32Array(entries),
  };
  let [row, entry] = [0, 0];
  for (const part of parts) {
    const count = part.offsets[part.rows];
    all.indices.set(part.indices.subarray(0, count), entry);
    all.values.set(part.values.subarray(0, count), entry);
    for (let r = 1; r <= part.rows; r++) all.offsets[row + r] = entry + part.offsets[r];
    row += part.rows;
    entry += count;
  }
  return all;
}
