/**
 * The evidence for each latent of a dictionary: what dictionaries of other seeds and widths have of it, and what it does on
 * held-out rows. It needs no truth and no model. It must not know what is concluded from it.
 */
import type { ActivationSource, Progress } from '../../activations/source.ts';
import type { Dictionary } from '../../dictionaries/dictionary.ts';
import { InputError } from '../../formats/errors.ts';
import type { Backend } from '../../kernels/backend.ts';
import { type Components, componentsOf, type Neighbours } from './components.ts';
import { type LatentSums, sumFirings, sumOfGroups } from './firing.ts';
import { nearestRows, remainders } from './nearest.ts';

export interface EvidenceRequest {
  readonly backend: Backend;
  /** Dictionaries to gather evidence for, each beside the same others. */
  readonly subjects: readonly Dictionary[];
  /** Dictionaries of the same recipe, from other seeds: at least two. */
  readonly seeds: readonly Dictionary[];
  /** Dictionaries of the same recipe and other numbers of latents. */
  readonly widths: readonly Dictionary[];
  /** Dictionaries of the same family and width, and other L0. */
  readonly sparsities: readonly Dictionary[];
  /** Rows on which none of them was trained. */
  readonly source: ActivationSource;
  /** Mean of the activations, `[width]`. */
  readonly mean: Float32Array;
  readonly seed: number;
  readonly onProgress?: Progress;
}

/** The evidence, and what it was made of. */
export interface Evidence {
  readonly components: Components;
  readonly sums: LatentSums;
  readonly neighbours: Neighbours;
  /** What the first of the dictionaries of other widths has of each latent beside its nearest; NaN without one. `[latents]` */
  readonly remainders: Float64Array;
  /** Held-out documents that it is from. */
  readonly documents: number;
}

/** The evidence for each latent of each subject. InputError for a dictionary that is no autoencoder of the source's rows. */
export async function gatherEvidence(request: EvidenceRequest): Promise<Evidence[]> {
  const { backend, subjects, seeds, widths, sparsities, source, mean, seed, onProgress } = request;
  for (const dictionary of [...subjects, ...seeds, ...widths, ...sparsities])
    checkDictionary(dictionary, source);
  if (seeds.length < 2)
    throw new InputError(`${seeds.length} dictionaries of other seeds were given; evidence needs at least 2`);
  const neighbours: Neighbours[] = [];
  const left: Float64Array[] = [];
  for (const { decoderWeight, width, latents } of subjects) {
    const all = (others: readonly Dictionary[]) =>
      Promise.all(others.map((other) => nearestRows(backend, decoderWeight, width, other.decoderWeight)));
    neighbours.push({
      seeds: await all(seeds),
      widths: await all(widths),
      sparsities: await all(sparsities),
      own: await nearestRows(backend, decoderWeight, width),
    });
    const [wider] = widths;
    const [nearest] = neighbours[neighbours.length - 1].widths;
    left.push(
      wider
        ? await remainders(backend, decoderWeight, width, wider.decoderWeight, nearest)
        : new Float64Array(latents).fill(NaN),
    );
  }
  const { sums, documents } = await sumFirings({
    backend,
    subjects: subjects.map((dictionary, i) => ({
      dictionary,
      counterpartOf: neighbours[i].seeds.map(({ row }) => row),
    })),
    counterparts: seeds,
    source,
    mean,
    seed,
    onProgress,
  });
  return sums.map((own, i) => ({
    components: componentsOf(own, neighbours[i]),
    sums: own,
    neighbours: neighbours[i],
    remainders: left[i],
    documents,
  }));
}

/** What the components are without some groups of documents, for the interval of what follows from all of them; ratios have none here. */
export function componentsWithout(
  { sums, neighbours }: Evidence,
  left: (group: number) => boolean,
): Components {
  return componentsOf(
    sumOfGroups(sums, (group) => !left(group)),
    neighbours,
  );
}

function checkDictionary({ width, outputWidth, normalisation }: Dictionary, source: ActivationSource): void {
  if (width !== source.width || outputWidth !== width)
    throw new InputError(
      `a dictionary reads ${width} values and writes ${outputWidth}; evidence is gathered for autoencoders of the ${source.width} that are there`,
    );
  if (normalisation)
    throw new InputError(
      `a dictionary normalises each row (${normalisation}); evidence is gathered for others only`,
    );
}
