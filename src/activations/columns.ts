/** Some columns of a source, as a source: one hook point of several that stand beside each other. */
import type { ActivationSource } from './source.ts';

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
