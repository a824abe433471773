/**
 * How well dictionaries reconstruct activations that come without their model: the sums that can be had then. Metrics of
 * the model's predictions are left at zero predictions, which no number follows from.
 */
import type { ActivationSource, Progress } from '../activations/source.ts';
import { type Dictionary, decode, encode } from '../dictionaries/dictionary.ts';
import type { Backend } from '../kernels/backend.ts';
import { addReconstructions, emptySums, type GroupSums, MAX_GROUPS } from './sums.ts';

/** Sequences in memory at once. */
const SEQUENCES = 64;

/** The sums of each dictionary over all rows of `source`, and how many documents they are from. Progress is in sequences. */
export async function reconstructAll(
  backend: Backend,
  source: ActivationSource,
  dictionaries: Readonly<Record<string, Dictionary>>,
  onProgress?: Progress,
): Promise<{ sums: Record<string, GroupSums>; documents: number }> {
  const { groupOf, groups } = groupDocuments(source);
  const sums = Object.fromEntries(
    Object.entries(dictionaries).map(([name, { outputWidth, latents }]) => [
      name,
      emptySums(groups, outputWidth, latents),
    ]),
  );
  for (let first = 0; first < source.sequences; first += SEQUENCES) {
    const end = Math.min(first + SEQUENCES, source.sequences);
    const part = Array.from({ length: end - first }, (_, i) => first + i);
    const { activations: x, rows, documents } = await source.read(part);
    const rowGroups = Uint32Array.from(documents, (document) => groupOf.get(document)!);
    for (const [name, dictionary] of Object.entries(dictionaries)) {
      const codes = await encode(backend, dictionary, x, rows);
      addReconstructions(sums[name], x, await decode(backend, dictionary, codes, x), codes, rowGroups);
    }
    onProgress?.(end, source.sequences);
  }
  return { sums, documents: groupOf.size };
}

/** Gathers the documents of a source into at most `most` groups, whole documents each: the group of each document. */
export function groupDocuments(
  source: ActivationSource,
  most = MAX_GROUPS,
): { groupOf: Map<number, number>; groups: number } {
  const groupOf = new Map<number, number>();
  for (let s = 0; s < source.sequences; s++) {
    const document = source.documentOf(s);
    if (!groupOf.has(document)) groupOf.set(document, groupOf.size % most);
  }
  return { groupOf, groups: Math.min(most, groupOf.size) };
}
