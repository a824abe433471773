/**
 * What everything downstream reads activations from: rows in sequences, any sequence at any time. Random access
 * by sequence is what makes a shuffle a pure function of its seed, and a resume exact. It must not know where
 * the rows come from, nor what is done with them.
 */

import { InputError } from '../formats/errors.ts';

/** Activations with where each row came from. Rows of one sequence stand together, in order of position. */
export interface ActivationRows {
  readonly rows: number;
  /** `[rows, width]` */
  readonly activations: Float32Array;
  /** The token at each row, `[rows]`. */
  readonly tokens: Int32Array;
  /** The document that each row is from, `[rows]`. */
  readonly documents: Int32Array;
  /** The id of the sequence that each row is from (its place in the corpus), `[rows]`. */
  readonly sequences: Int32Array;
  /** The place of each row in its sequence, `[rows]`. */
  readonly positions: Int32Array;
}

/**
 * Sequences `0 .. sequences - 1`, each of one row or more. The rows of a sequence carry one id in
 * `ActivationRows.sequences`, which no other sequence has.
 */
export interface ActivationSource {
  readonly width: number;
  readonly sequences: number;
  readonly totalRows: number;
  /** The number of rows of a sequence. */
  rowsOf(sequence: number): number;
  /** The document that a sequence is from. */
  documentOf(sequence: number): number;
  /**
   * The rows of the sequences asked for, in the order asked. Holds them all in memory, so ask for a part at a
   * time. InputError where a value is not finite. The caller owns the arrays.
   */
  read(sequences: ArrayLike<number>): Promise<ActivationRows>;
}

/** Reports how much of some long work is done; the unit is told where it is taken. */
export type Progress = (done: number, total: number) => void;

/** Rows of zeros, to be filled. */
export function allocateRows(rows: number, width: number): ActivationRows {
  return {
    rows,
    activations: new Float32Array(rows * width),
    tokens: new Int32Array(rows),
    documents: new Int32Array(rows),
    sequences: new Int32Array(rows),
    positions: new Int32Array(rows),
  };
}

/** Copies `count` rows of `from`, starting at `start`, to the row `at` of `to`. */
export function copyRows(
  from: ActivationRows,
  start: number,
  count: number,
  to: ActivationRows,
  at: number,
  width: number,
): void {
  const end = start + count;
  to.activations.set(from.activations.subarray(start * width, end * width), at * width);
  to.tokens.set(from.tokens.subarray(start, end), at);
  to.documents.set(from.documents.subarray(start, end), at);
  to.sequences.set(from.sequences.subarray(start, end), at);
  to.positions.set(from.positions.subarray(start, end), at);
}

/** RangeError where a sequence asked for is not there. */
export function checkSequences(asked: ArrayLike<number>, sequences: number): void {
  for (let i = 0; i < asked.length; i++) {
    if (!(Number.isInteger(asked[i]) && asked[i] >= 0 && asked[i] < sequences))
      throw new RangeError(`sequence ${asked[i]} was asked for; there are ${sequences}`);
  }
}

/**
 * Splits rows into sequences, which are runs of one id. Returns where each sequence starts, and the end:
 * `[sequences + 1]`. InputError where an id comes back after another.
 */
export function sequenceOffsets(ids: Int32Array, name: string): Uint32Array {
  const offsets: number[] = [];
  const seen = new Set<number>();
  for (let row = 0; row < ids.length; row++) {
    if (row > 0 && ids[row] === ids[row - 1]) continue;
    if (seen.has(ids[row]))
      throw new InputError(`${name}: the rows of sequence ${ids[row]} do not stand together (row ${row})`);
    seen.add(ids[row]);
    offsets.push(row);
  }
  return Uint32Array.from([...offsets, ids.length]);
}
