/**
 * By what law features fire together: written as a forest, in which a node fires only where its parent does, and turned
 * into the plan that a backend draws by, exact firing probabilities and the entropy. Every world with known features is
 * written this way. It must not know where features point.
 */

import { type FiringPlan, NO_FEATURE } from '../kernels/firingOperations.ts';
import { normalQuantile } from '../math/normal.ts';
import { poissonCumulative } from '../math/poisson.ts';
import { type Amplitudes, amplitudeArrays } from './amplitudes.ts';
import { type Coupling, coupledRoot } from './coupling.ts';
import type { Entropy } from './distribution.ts';
import { supportEntropy } from './supportEntropy.ts';

export interface FiringNode {
  /** None where the node only decides about its children. A feature may have several nodes that exclude each other. */
  readonly feature?: number;
  /** That it fires, given that its parent does. */
  readonly probability: number;
  /** Its amplitude is multiplied by the parent's amplitude over the parent's mean. */
  readonly scaled?: boolean;
  readonly children?: readonly ChildGroup[];
}

export interface ChildGroup {
  /** At most one of the nodes fires: their probabilities sum to at most 1. Otherwise each is on its own. */
  readonly exclusive: boolean;
  readonly nodes: readonly FiringNode[];
}

/** A feature that fires where two others do, itself no node of the forest. */
export interface Conjunction {
  readonly first: number;
  readonly second: number;
  readonly feature: number;
  /** Its amplitude is the product of theirs, not one of its own. */
  readonly product: boolean;
  /** That both fire: exact. */
  readonly probability: number;
}

export interface FiringLaw {
  readonly plan: FiringPlan;
  /** Exact, `[features]`. */
  readonly firingProbabilities: Float64Array;
  readonly entropy: Entropy;
}

/** What rounding may add to a sum of probabilities. */
const SLACK = 1e-9;

/**
 * The law of `features` features by a forest. `coupling`, where given, correlates the roots (in their order) by a Gaussian
 * copula; `positions` as in `FiringPlan`; `entropy`, where the world knows it better than `supportEntropy` finds out.
 * RangeError for what is no probability, and for a feature of two nodes that can fire together.
 */
export function firingLaw(options: {
  features: number;
  roots: readonly FiringNode[];
  amplitudes: Amplitudes;
  coupling?: Coupling;
  conjunctions?: readonly Conjunction[];
  positions?: Uint32Array;
  entropy?: Entropy;
}): FiringLaw {
  const { features, roots, amplitudes, coupling, conjunctions = [], positions } = options;
  if (coupling && coupling.loadings.length !== roots.length * coupling.rank)
    throw new RangeError(
      `loadings: ${coupling.loadings.length} values were given for ${roots.length} roots of rank ${coupling.rank}`,
    );
  const firingProbabilities = forestProbabilities(roots, features);
  for (const { feature, probability } of conjunctions) firingProbabilities[feature] = probability;
  const plan: FiringPlan = {
    features,
    ...forestArrays(roots, coupling),
    ...amplitudeArrays(amplitudes, features),
    conjunctions: {
      first: Uint32Array.from(conjunctions, ({ first }) => first),
      second: Uint32Array.from(conjunctions, ({ second }) => second),
      feature: Uint32Array.from(conjunctions, ({ feature }) => feature),
      product: Uint8Array.from(conjunctions, ({ product }) => Number(product)),
    },
    ...(positions && { positions }),
  };
  return { plan, firingProbabilities, entropy: options.entropy ?? supportEntropy(roots, coupling) };
}

/** The place of a node: for each level, its group and which of the group it is. */
type Path = readonly { group: ChildGroup; place: number }[];

/** The exact probability of each feature: the sum over its nodes of the products of probabilities on the way to them. */
function forestProbabilities(roots: readonly FiringNode[], features: number): Float64Array {
  const probabilities = new Float64Array(features);
  const paths = new Map<number, Path[]>();
  const visit = (node: FiringNode, parentProbability: number, path: Path): void => {
    const { feature, probability, children = [] } = node;
    if (!(probability >= 0 && probability <= 1))
      throw new RangeError(`feature ${feature}: ${probability} is not a probability`);
    if (feature !== undefined) {
      if (!(feature >= 0 && feature < features))
        throw new RangeError(`feature ${feature}: there are ${features}`);
      const others = paths.get(feature) ?? [];
      if (others.some((other) => !excludeEachOther(other, path)))
        throw new RangeError(`feature ${feature}: two of its nodes can fire together`);
      paths.set(feature, [...others, path]);
      probabilities[feature] += parentProbability * probability;
    }
    for (const group of children) {
      const total = group.nodes.reduce((sum, child) => sum + child.probability, 0);
      if (group.exclusive && total > 1 + SLACK)
        throw new RangeError(`children of feature ${feature}: exclusive probabilities sum to ${total}`);
      group.nodes.forEach((child, place) => {
        visit(child, parentProbability * probability, [...path, { group, place }]);
      });
    }
  };
  const forest: ChildGroup = { exclusive: false, nodes: roots };
  roots.forEach((root, place) => {
    visit(root, 1, [{ group: forest, place }]);
  });
  return probabilities;
}

function excludeEachOther(a: Path, b: Path): boolean {
  const parting = a.findIndex(
    ({ place }, level) => level >= b.length || b[level].place !== place || b[level].group !== a[level].group,
  );
  if (parting < 0 || parting >= b.length) return false;
  return a[parting].group === b[parting].group && a[parting].group.exclusive;
}

/** The forest as arrays, its roots by the bounds of their probabilities, those that never fire left out. */
function forestArrays(roots: readonly FiringNode[], coupling?: Coupling) {
  const ordered = roots
    .map((node, at) => {
      const { probability } = node;
      if (probability === 0) return { node, at, threshold: Infinity, residual: 1, bound: 0 };
      if (!coupling) return { node, at, threshold: 0, residual: 1, bound: probability };
      return { node, at, ...coupledRoot(coupling, at, probability) };
    })
    .filter(({ bound }) => bound > 0)
    .sort((a, b) => b.bound - a.bound || a.at - b.at);
  const classes = boundClasses(ordered.map(({ bound }) => bound));
  const nodes: FiringNode[] = ordered.map(({ node }) => node);
  const [groupOffsets, memberOffsets] = [[0], [nodes.length]];
  const exclusive: number[] = [];
  for (let i = 0; i < nodes.length; i++) {
    for (const group of nodes[i].children ?? []) {
      nodes.push(...group.nodes);
      memberOffsets.push(nodes.length);
      exclusive.push(Number(group.exclusive));
    }
    groupOffsets.push(exclusive.length);
  }
  const rank = coupling?.rank ?? 0;
  const loadings = new Float64Array(ordered.length * rank);
  ordered.forEach(({ at }, place) => {
    loadings.set(coupling?.loadings.subarray(at * rank, (at + 1) * rank) ?? [], place * rank);
  });
  return {
    roots: ordered.length,
    feature: Uint32Array.from(nodes, ({ feature }) => feature ?? NO_FEATURE),
    probability: Float64Array.from(nodes, ({ probability }) => probability),
    scaled: Uint8Array.from(nodes, ({ scaled }) => Number(scaled ?? false)),
    groupOffsets: Uint32Array.from(groupOffsets),
    memberOffsets: Uint32Array.from(memberOffsets),
    exclusive: Uint8Array.from(exclusive),
    classOffsets: Uint32Array.from(classes.offsets),
    bound: Float64Array.from(classes.bounds),
    ...markCounts(classes),
    ...(coupling && {
      coupling: {
        rank,
        loadings,
        threshold: Float64Array.from(ordered, ({ threshold }) => threshold),
        residual: Float64Array.from(ordered, ({ residual }) => residual),
        ceiling: Float64Array.from(classes.bounds, (bound) => normalQuantile(bound)),
      },
    }),
  };
}

/** How many marks fall on a class: see `FiringPlan`. */
function markCounts({ offsets, bounds }: { offsets: readonly number[]; bounds: readonly number[] }) {
  const counts = bounds.map((bound, c) =>
    bound === 1 ? [] : poissonCumulative(-(offsets[c + 1] - offsets[c]) * Math.log1p(-bound)),
  );
  const countOffsets = new Uint32Array(counts.length + 1);
  counts.forEach((some, c) => {
    countOffsets[c + 1] = countOffsets[c] + some.length;
  });
  return { countOffsets, counts: Float64Array.from(counts.flat()) };
}

/** Roots of a class have bounds within this factor: most candidates are there for their own sake, and classes are few. */
const CLASS_RATIO = 1.5;

/** Runs of descending bounds; what is above 1 / CLASS_RATIO has the bound 1. */
function boundClasses(bounds: readonly number[]): { offsets: number[]; bounds: number[] } {
  const classes = { offsets: [0], bounds: [] as number[] };
  let end = 0;
  while (end < bounds.length) {
    const bound = bounds[end] * CLASS_RATIO > 1 ? 1 : bounds[end];
    while (end < bounds.length && bounds[end] * CLASS_RATIO > bound) end++;
    classes.bounds.push(bound);
    classes.offsets.push(end);
  }
  return classes;
}
