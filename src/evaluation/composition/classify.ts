/** One class for each latent, from the edges that are significant. It must not know how edges are found. */
import type { Firings } from './cofiring.ts';
import type { CompositionEdge, CompositionNode, EdgeKind, LatentClass } from './graph.ts';
import type { MetaCode } from './metaCode.ts';

/** A latent that fires on fewer rows is not tested. */
export const LEAST_FIRINGS = 20;
/** A latent that fires on this share of the rows is dense. */
const DENSE = 0.5;
/** Edges that make the latent that they come from something else than an atom, the first that it has. */
const CLASS_OF: readonly (readonly [EdgeKind, LatentClass])[] = [
  ['manifold', 'manifold'],
  ['composed', 'composed'],
  ['absorbs', 'absorber'],
  ['duplicate', 'duplicate'],
  ['split', 'split'],
];

/** The class of each latent; `metaCodes [latents]`. */
export function classify({
  edges,
  firings,
  metaCodes,
}: {
  edges: readonly CompositionEdge[];
  firings: Firings;
  metaCodes: readonly (MetaCode | undefined)[];
}): CompositionNode[] {
  const kindsFrom = Array.from({ length: firings.latents }, () => new Set<EdgeKind>());
  for (const { kind, from } of edges) kindsFrom[from].add(kind);
  return kindsFrom.map((kinds, latent): CompositionNode => {
    const count = firings.count(latent);
    const found = CLASS_OF.find(([kind]) => kinds.has(kind))?.[1] ?? 'atom';
    const frequency: LatentClass | undefined =
      count === 0
        ? 'dead'
        : count < LEAST_FIRINGS
          ? 'rare'
          : count >= DENSE * firings.rows
            ? 'dense'
            : undefined;
    return {
      latent,
      class: frequency ?? found,
      firings: count,
      explained: metaCodes[latent]?.explained ?? NaN,
    };
  });
}
