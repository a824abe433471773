/**
 * What each latent of a dictionary is to the others, without labels: from its decoder, and from codes of rows that it was
 * not trained on. It must not know what the activations are of.
 */
import type { Dictionary } from '../../dictionaries/dictionary.ts';
import { InputError } from '../../formats/errors.ts';
import type { Backend, SparseRows } from '../../kernels/backend.ts';
import { falseDiscoveryRates } from '../../math/falseDiscovery.ts';
import { findAbsorption } from './absorption.ts';
import { findAtoms, SAME } from './atoms.ts';
import { chanceOfSums } from './chanceSums.ts';
import { findCircles } from './circles.ts';
import { classify, LEAST_FIRINGS } from './classify.ts';
import { Firings } from './cofiring.ts';
import { findConjunctions } from './conjunctions.ts';
import { findCopies } from './copies.ts';
import {
  type CompositionEdge,
  type CompositionGraph,
  EDGE_KINDS,
  type EdgeKind,
  type Findings,
  LATENT_CLASSES,
  type LatentClass,
} from './graph.ts';
import { findHedging } from './hedging.ts';
import { type LiveRows, liveRows, rowNorms, someRows } from './liveRows.ts';
import type { MetaCode } from './metaCode.ts';

export interface CompositionRequest {
  readonly backend: Backend;
  readonly dictionary: Dictionary;
  /** `[rows, outputWidth]`: what the dictionary reconstructs. */
  readonly x: Float32Array;
  /** The dictionary's codes of these rows. */
  readonly codes: SparseRows;
  /** The document of each row, from 0 on, `[rows]`; firings are shuffled within it. Without it, rows are of one. */
  readonly documents?: Uint32Array;
  /** A dictionary of the same activations with more latents, for hedging. */
  readonly wider?: Dictionary;
  /** The false-discovery rate of the edges that are kept, kind by kind; 0.05 where absent. */
  readonly level?: number;
  readonly seed: number;
}

/**
 * The graph of a dictionary's latents. InputError where shapes do not fit. Holds `[latents, latents]` twice; most of the time
 * goes into `rows latents width` products.
 */
export async function analyseComposition(request: CompositionRequest): Promise<CompositionGraph> {
  const { backend, dictionary, codes, documents, wider, level = 0.05, seed } = request;
  checkShapes(request);
  const firings = new Firings(codes, dictionary.latents, documents);
  const tested = Array.from({ length: dictionary.latents }, (_, j) => j).filter(
    (j) => firings.count(j) >= LEAST_FIRINGS,
  );
  const live = await liveRows(backend, dictionary, Uint32Array.from(tested));
  const x = centred(request);
  const circles = findCircles(live, firings, x);
  const onCircles = new Set(circles.flatMap(({ latents }) => latents));
  const flat = someRows(live, (latent) => !onCircles.has(latent));
  const atoms = await atomsOf(backend, flat, firings, seed);
  const chance = await chanceOfSums(
    backend,
    { unit: flat.unit, atoms: atoms.directions, width: flat.width },
    seed,
  );
  const norms = rowNorms(dictionary.decoderWeight, dictionary.outputWidth);
  const copies = findCopies(flat, firings);
  const circleEdges = circles.flatMap((circle) => circle.edges);
  const found: Record<EdgeKind, Findings> = {
    composed: findConjunctions(codes, {
      ...atoms,
      norms,
      chance,
      documents,
      firings,
      tested: [...flat.latents],
    }),
    absorbs: await findAbsorption(backend, flat, { centred: x, codes, firings }),
    duplicate: copies.duplicates,
    split: copies.splits,
    manifold: { edges: circleEdges, tested: circleEdges.length },
    hedges: wider ? await findHedging(backend, live, wider) : { edges: [], tested: 0 },
  };
  const edges = EDGE_KINDS.flatMap((kind) => significant(found[kind], level));
  const nodes = classify({ edges, firings, metaCodes: atoms.metaCodes });
  const countOf = (name: LatentClass) => nodes.filter((node) => node.class === name).length;
  return {
    rows: codes.rows,
    level,
    nodes,
    edges,
    tested: fromNames(EDGE_KINDS, (kind) => found[kind].tested),
    counts: fromNames(LATENT_CLASSES, countOf),
    atoms: {
      count: atoms.latentOf.length,
      directions: atoms.directions,
      latents: atoms.latentOf,
      codes: atoms.metaCodes,
    },
  };
}

/** Edges that are significant among those that were tested: those that are not told of count as tests without a result. */
function significant({ edges, tested }: Findings, level: number): CompositionEdge[] {
  const silent = new Array<number>(tested - edges.length).fill(1);
  const rates = falseDiscoveryRates([...edges.map(({ pValue }) => pValue), ...silent]);
  return edges.map((edge, i) => ({ ...edge, qValue: rates[i] })).filter(({ qValue }) => qValue <= level);
}

function fromNames<Name extends string>(
  names: readonly Name[],
  of: (name: Name) => number,
): Record<Name, number> {
  return Object.fromEntries(names.map((name) => [name, of(name)])) as Record<Name, number>;
}

/** The atoms of some rows: the code of each latent in them, and the latent that points the way of each. */
async function atomsOf(backend: Backend, live: LiveRows, firings: Firings, seed: number) {
  const { latents, unit, cosines, width } = live;
  const counts = Array.from(latents, (latent) => firings.count(latent));
  const { directions, codes, count } = await findAtoms(
    backend,
    { unit, cosines, width, firings: counts },
    seed,
  );
  const metaCodes = new Array<MetaCode | undefined>(firings.latents).fill(undefined);
  latents.forEach((latent, i) => {
    metaCodes[latent] = codes[i];
  });
  const latentOf = new Int32Array(count).fill(-1);
  const nearest = new Float64Array(count).fill(SAME);
  codes.forEach(({ parts, coefficients }, i) => {
    if (parts.length !== 1 || coefficients[0] < nearest[parts[0]]) return;
    nearest[parts[0]] = coefficients[0];
    latentOf[parts[0]] = latents[i];
  });
  return { directions, metaCodes, latentOf };
}

/** Activations less what the decoder adds to all of them. */
function centred({ dictionary, x }: CompositionRequest): Float32Array {
  const { decoderBias, outputWidth } = dictionary;
  return x.map((value, at) => value - decoderBias[at % outputWidth]);
}

function checkShapes({ dictionary, x, codes, documents, wider }: CompositionRequest): void {
  const { outputWidth, latents } = dictionary;
  if (x.length !== codes.rows * outputWidth)
    throw new InputError(
      `x: found ${x.length} values for ${codes.rows} rows of codes, expected ${codes.rows * outputWidth}; ` +
        'give the activations that the codes are of',
    );
  if (codes.indices.some((latent) => latent >= latents))
    throw new InputError(`codes: found a latent beyond the dictionary's ${latents}; give its own codes`);
  if (documents && documents.length !== codes.rows)
    throw new InputError(`documents: found ${documents.length}, expected one for each of ${codes.rows} rows`);
  if (wider && wider.outputWidth !== outputWidth)
    throw new InputError(
      `wider: found a width of ${wider.outputWidth}, expected ${outputWidth}; give a dictionary of the same activations`,
    );
}
