/** How much each latent is active, by documents, and how well a dictionary does meanwhile. It must not know what is made of it. */
import type { ActivationSource } from '../../activations/source.ts';
import { type Dictionary, decode, encode } from '../../dictionaries/dictionary.ts';
import type { Backend } from '../../kernels/backend.ts';
import { groupDocuments } from '../fidelity.ts';
import { addReconstructions, emptySums, type GroupSums } from '../sums.ts';

/** Sequences in memory at once. */
const SEQUENCES = 64;

export interface Masses {
  /** `sum |activation|` of each latent over each group of documents, `[groups, latents]`. */
  readonly masses: Float64Array;
  readonly sums: GroupSums;
}

/** The masses of each dictionary over all rows of a source, which is read once. */
export async function measureMasses(
  backend: Backend,
  source: ActivationSource,
  dictionaries: readonly Dictionary[],
): Promise<Masses[]> {
  const { groupOf, groups } = groupDocuments(source);
  const found = dictionaries.map(({ outputWidth, latents }) => ({
    masses: new Float64Array(groups * latents),
    sums: emptySums(groups, outputWidth, latents),
  }));
  for (let first = 0; first < source.sequences; first += SEQUENCES) {
    const count = Math.min(SEQUENCES, source.sequences - first);
    const {
      activations: x,
      rows,
      documents,
    } = await source.read(Array.from({ length: count }, (_, i) => first + i));
    const groupOfRow = Uint32Array.from(documents, (document) => groupOf.get(document)!);
    for (const [d, dictionary] of dictionaries.entries()) {
      const { masses, sums } = found[d];
      const codes = await encode(backend, dictionary, x, rows);
      addReconstructions(sums, x, await decode(backend, dictionary, codes, x), codes, groupOfRow);
      for (let r = 0; r < rows; r++) {
        const at = groupOfRow[r] * dictionary.latents;
        for (let e = codes.offsets[r]; e < codes.offsets[r + 1]; e++)
          masses[at + codes.indices[e]] += Math.abs(codes.values[e]);
      }
    }
  }
  return found;
}
