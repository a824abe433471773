/**
 * Parts of a source, as sources: some of its columns, which are one hook point of several that stand beside each other, or
 * some of its sequences.
 */
import { type ActivationSource, checkSequences } from './source.ts';

/** Columns `start .. end` of `source`; the same sequences and labels. */
export function columnsOf(source: ActivationSource, start: number, end: number): ActivationSource {
  if (start === 0 && end === source.width) return source;
  const width = end - start;
  return {
    ...source,
    width,
    async read(asked) {
      const all = await source.read(asked);
      const activations = new Float32Array(all.rows * width);
      for (let r = 0; r < all.rows; r++)
        activations.set(
          all.activations.subarray(r * source.width + start, r * source.width + end),
          r * width,
        );
      return { ...all, activations };
    },
  };
}

/** The sequences of `source` that are named, in that order. */
export function sequencesOf(source: ActivationSource, sequences: Uint32Array): ActivationSource {
  checkSequences(sequences, source.sequences);
  return {
    width: source.width,
    sequences: sequences.length,
    totalRows: sequences.reduce((sum, s) => sum + source.rowsOf(s), 0),
    rowsOf: (s) => source.rowsOf(sequences[s]),
    documentOf: (s) => source.documentOf(sequences[s]),
    read: (asked) => {
      checkSequences(asked, sequences.length);
      return source.read(Array.from(asked, (s) => sequences[s]));
    },
  };
}
