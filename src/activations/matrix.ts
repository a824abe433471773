/**
 * A source over a matrix of which any rows can be read, with labels in memory. It must not know where the matrix is, nor
 * how a file holds it.
 */
import { InputError } from '../formats/errors.ts';
import { firstNonFinite } from '../math/finite.ts';
import { type ActivationSource, allocateRows, checkSequences, sequenceOffsets } from './source.ts';

export interface Matrix {
  /** Of the file, in errors. */
  readonly name: string;
  readonly rows: number;
  readonly width: number;
  /** Rows `first .. first + count`, `[count, width]`; at once where they are in memory. */
  readRows(first: number, count: number): Float32Array | Promise<Float32Array>;
}

/** What is said of each row, `[rows]` each; see `ActivationRows`. */
export type Labels = { -readonly [L in (typeof LABELS)[number]]?: Int32Array };

const LABELS = ['tokens', 'documents', 'sequences', 'positions'] as const;

/** Rows of a file that says nothing of sequences are taken in runs of so many, each for a sequence and a document. */
const RUN = 128;

/** InputError where labels do not fit the matrix, or on reading where a value is not finite. */
export function matrixSource(matrix: Matrix, labels: Labels = {}): ActivationSource {
  const { rows, width, name } = matrix;
  if (rows < 1 || width < 1)
    throw new InputError(`${name}: ${rows} rows of width ${width}; expected one at least`);
  for (const label of LABELS) {
    const given = labels[label]?.length ?? rows;
    if (given !== rows)
      throw new InputError(`${name}: ${label}: ${given} values were given for ${rows} rows of activations`);
  }
  const sequences = labels.sequences ?? Int32Array.from({ length: rows }, (_, row) => Math.floor(row / RUN));
  const offsets = sequenceOffsets(sequences, `${name}: sequences`);
  const documents = labels.documents ?? sequences;
  const whole: Labels = { ...labels, sequences, documents };
  const rowsOf = (sequence: number) => offsets[sequence + 1] - offsets[sequence];
  return {
    width,
    sequences: offsets.length - 1,
    totalRows: rows,
    rowsOf,
    documentOf: (sequence) => documents[offsets[sequence]],
    async read(asked) {
      checkSequences(asked, offsets.length - 1);
      const wanted = Array.from(asked);
      const result = allocateRows(
        wanted.reduce((sum, sequence) => sum + rowsOf(sequence), 0),
        width,
      );
      let at = 0;
      for (const { first, count } of stretches(wanted, offsets)) {
        const read = matrix.readRows(first, count);
        // Sequences of one row are many, and each would wait its turn.
        result.activations.set(read instanceof Promise ? await read : read, at * width);
        for (const label of LABELS)
          if (whole[label]) result[label].set(whole[label].subarray(first, first + count), at);
        if (!labels.positions) countPositions(result.sequences, at, count, result.positions);
        at += count;
      }
      const bad = firstNonFinite(result.activations);
      if (bad >= 0)
        throw new InputError(
          `${name}: an activation of sequence ${result.sequences[Math.floor(bad / width)]} is ` +
            `${result.activations[bad]}; expected finite numbers`,
        );
      return result;
    },
  };
}

/** Runs of rows that cover the sequences in the order asked; those that follow each other are read at once. */
function* stretches(
  sequences: readonly number[],
  offsets: Uint32Array,
): Generator<{ first: number; count: number }> {
  for (let i = 0; i < sequences.length; ) {
    let last = i;
    while (last + 1 < sequences.length && sequences[last + 1] === sequences[last] + 1) last++;
    const first = offsets[sequences[i]];
    yield { first, count: offsets[sequences[last] + 1] - first };
    i = last + 1;
  }
}

function countPositions(sequences: Int32Array, from: number, count: number, positions: Int32Array): void {
  for (let row = from; row < from + count; row++)
    positions[row] = row > from && sequences[row] === sequences[row - 1] ? positions[row - 1] + 1 : 0;
}
