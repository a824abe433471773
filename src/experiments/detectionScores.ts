/** Classes of latents that were found without labels, held against the truth. It must not know which worlds are asked. */
import { type Dictionary, decode } from '../dictionaries/dictionary.ts';
import { analyseComposition } from '../evaluation/composition/analyse.ts';
import type { CompositionGraph } from '../evaluation/composition/graph.ts';
import { rewriteInAtoms } from '../evaluation/composition/rewrite.ts';
import { scoreDirections } from '../evaluation/groundTruth.ts';
import { unexplained } from '../evaluation/unexplained.ts';
import type { Backend, SparseRows } from '../kernels/backend.ts';
import type { Distribution, Samples } from '../toy/distribution.ts';
import { standingOf } from './composedWorlds.ts';

/** A latent lies in the plane of a circle where this share of its decoder row's square does. */
const ON_CIRCLE = 0.8;
/** A latent for a child has this much of its parent's direction where it absorbs it. */
const ABSORBED = 0.4;
/** A latent points the way of a feature from this cosine on. */
const SAME = 0.9;

/** Numbers of latents, but for the last. */
export interface DetectionScores {
  readonly latents: number;
  readonly live: number;
  /** Of latents: composed by the truth, called composed, and both. */
  readonly composed: number;
  readonly called: number;
  readonly right: number;
  /** Of latents for children that have their parents' direction: all, and called absorbers. */
  readonly absorbers: number;
  readonly absorbersCalled: number;
  readonly calledAbsorbers: number;
  /** Of latents in the plane of a circle, and beside all: all, and called manifold. */
  readonly onCircles: number;
  readonly onCirclesCalled: number;
  readonly calledManifold: number;
  /** Unexplained share of variance after rewriting less before. */
  readonly lost: number;
}

/** What is told of a dictionary by its codes of `test`, held against the truth. `parentOf` a feature, -1 where it has none. */
export async function scoreDetection(
  backend: Backend,
  dictionary: Dictionary,
  world: Distribution,
  test: Samples,
  parentOf: (feature: number) => number = () => -1,
): Promise<DetectionScores> {
  const { codes, truth } = await standingOf(backend, dictionary, world, test);
  const graph = await analyseComposition({ backend, dictionary, x: test.x, codes, seed: 0 });
  const { latents } = dictionary;
  const isComposed = (j: number) => truth.standsFor[2 * j + 1] >= 0;
  const called = (name: string) => (j: number) => graph.nodes[j].class === name;
  const count = (...holds: ((j: number) => boolean)[]) =>
    Array.from({ length: latents }, (_, j) => j).filter((j) => holds.every((one) => one(j))).length;
  const { onCircle, absorbs } = await geometry(backend, dictionary, world, truth.standsFor, parentOf);
  const fires = (j: number) => !called('dead')(j) && !called('rare')(j);
  return {
    latents,
    live: count(fires),
    composed: count(isComposed),
    called: count(called('composed')),
    right: count(isComposed, called('composed')),
    absorbers: count(fires, absorbs),
    absorbersCalled: count(fires, absorbs, called('absorber')),
    calledAbsorbers: count(called('absorber')),
    onCircles: count(fires, onCircle),
    onCirclesCalled: count(onCircle, called('manifold')),
    calledManifold: count(called('manifold')),
    lost: await lostByRewriting(backend, dictionary, { codes, graph, x: test.x }),
  };
}

/**
 * Which latents lie in the plane of a circle, and which stand for a child and have its parent in them, of which there is a
 * latent too: one that points its way, for it need not fire as it does, that being the point.
 */
async function geometry(
  backend: Backend,
  dictionary: Dictionary,
  world: Distribution,
  standsFor: Int32Array,
  parentOf: (feature: number) => number,
) {
  const { decoderWeight, width, latents } = dictionary;
  const { features, firstDirection } = world;
  const directions = world.directions.length / width;
  const { cosines } = await scoreDirections(backend, decoderWeight, world.directions, width);
  const onCircle = (j: number) => {
    for (let i = 0; i < features; i++) {
      if (firstDirection[i + 1] - firstDirection[i] !== 2) continue;
      const at = j * directions + firstDirection[i];
      if (cosines[at] ** 2 + cosines[at + 1] ** 2 >= ON_CIRCLE) return true;
    }
    return false;
  };
  const hasLatent = (feature: number) => {
    for (let j = 0; j < latents; j++) if (cosines[j * directions + feature] >= SAME) return true;
    return false;
  };
  const absorbs = (j: number) => {
    if (standsFor[2 * j] < 0 || standsFor[2 * j + 1] >= 0) return false;
    const parent = parentOf(standsFor[2 * j]);
    return parent >= 0 && cosines[j * directions + parent] >= ABSORBED && hasLatent(parent);
  };
  return { onCircle, absorbs };
}

async function lostByRewriting(
  backend: Backend,
  dictionary: Dictionary,
  { codes, graph, x }: { codes: SparseRows; graph: CompositionGraph; x: Float32Array },
): Promise<number> {
  const { width, decoderBias: bias } = dictionary;
  const { decoderWeight: weight, rewrite } = await rewriteInAtoms(backend, dictionary, graph);
  const out = new Float32Array(x.length);
  await backend.decode({ codes: rewrite(codes), weight, bias, width, out });
  return unexplained(out, x, width) - unexplained(await decode(backend, dictionary, codes, x), x, width);
}
