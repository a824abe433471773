/**
 * What latents are to each other: a class for each, and edges with their significance. It must not know how either is
 * found.
 */
import type { MetaCode } from './metaCode.ts';

/**
 * The first of these that applies.
 * - `dead`: never fires; `rare`: too seldom to be tested; `dense`: on half of the rows or more.
 * - `manifold`: one of several that tile a plane around its origin and exclude each other.
 * - `composed`: fires where two atoms do rather than one.
 * - `absorber`: fires in the place of a more general latent, whose direction is a part of its own.
 * - `duplicate`: a copy of one that fires more often; `split`: it points the same way as one, and fires where that is silent.
 * - `atom`: none of these.
 */
export const LATENT_CLASSES = [
  'dead',
  'rare',
  'dense',
  'manifold',
  'composed',
  'absorber',
  'duplicate',
  'split',
  'atom',
] as const;
export type LatentClass = (typeof LATENT_CLASSES)[number];

/**
 * Edges by kind, each from `from` to `to`:
 * - `composed`: to an atom that it is composed of; strength is F1 of its firing against both atoms'.
 * - `absorbs`: to the latent in whose place it fires; strength is the share of firings that are missing.
 * - `duplicate`, `split`: to the latent that fires more often; strength is the cosine of their decoder rows.
 * - `manifold`: to the next on the circle; strength is the share of its decoder row that lies in the plane.
 * - `hedges`: to a latent of the wider dictionary that it has a part of, and that the narrow one has no latent for;
 *   strength is that part's coefficient.
 */
export const EDGE_KINDS = ['composed', 'absorbs', 'duplicate', 'split', 'manifold', 'hedges'] as const;
export type EdgeKind = (typeof EDGE_KINDS)[number];

/** An edge that was tested. */
export interface TestedEdge {
  readonly kind: EdgeKind;
  readonly from: number;
  /** A latent; -1 where no latent points the way of the atom. */
  readonly to: number;
  /** Of `composed`: which of `CompositionGraph.atoms`. Null for the other kinds. */
  readonly atom: number | null;
  readonly strength: number;
  /** Against shuffled firings, or random directions for `hedges`. */
  readonly pValue: number;
}

/** The edges of one kind that have an effect worth telling, of so many that were tested. */
export interface Findings {
  readonly edges: readonly TestedEdge[];
  readonly tested: number;
}

export interface CompositionEdge extends TestedEdge {
  /** The false-discovery rate among all edges of its kind at which it would still be called. */
  readonly qValue: number;
}

export interface CompositionNode {
  readonly latent: number;
  readonly class: LatentClass;
  readonly firings: number;
  /** The share of its decoder row that it and others, or its atoms, explain; NaN of latents that were not coded. */
  readonly explained: number;
}

export interface CompositionGraph {
  readonly rows: number;
  /** Edges of a higher q-value were tested and are left out. */
  readonly level: number;
  readonly nodes: readonly CompositionNode[];
  readonly edges: readonly CompositionEdge[];
  /** How many edges of each kind were tested. */
  readonly tested: Readonly<Record<EdgeKind, number>>;
  readonly counts: Readonly<Record<LatentClass, number>>;
  /** Unit directions `[count, width]`, the latent that points the same way as each or -1, and all latents in atoms. */
  readonly atoms: {
    readonly count: number;
    readonly directions: Float32Array;
    readonly latents: Int32Array;
    readonly codes: readonly (MetaCode | undefined)[];
  };
}
