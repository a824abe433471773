/**
 * The kinds of worlds on which the verdict is fitted and tested: each a way in which features of data may fire together and
 * lie in space, all of them with more features than dimensions, and all small. It must not know what is fitted.
 */
import type { Backend } from '../kernels/backend.ts';
import { Random } from '../math/random.ts';
import { additiveDistribution } from '../toy/additive.ts';
import type { Amplitude } from '../toy/amplitudes.ts';
import { bindingDirections, bindingFirings, conjunctionFirings } from '../toy/composition.ts';
import { lowRankFirings, randomLoadings } from '../toy/copula.ts';
import { randomDirections, spreadDirections } from '../toy/directions.ts';
import type { Distribution } from '../toy/distribution.ts';
import { type FiringLaw, firingLaw } from '../toy/firingLaw.ts';
import { zipfOfL0 } from '../toy/frequencies.ts';
import { regularTrees } from '../toy/hierarchy.ts';
import { independentFirings } from '../toy/independent.ts';
import { CIRCLE, type Curve, curveFirings, randomCurve } from '../toy/manifolds.ts';
import { correlatedSets, exclusiveSets } from '../toy/sets.ts';
import { synthSaeBench } from '../toy/synthSaeBench.ts';

const WIDTH = 48;
const SPREADING_STEPS = 100;
/** How strongly features fire differs from seed to seed: clearly or hardly at all, so that no verdict comes to rest on it. */
const AMPLITUDES: readonly Amplitude[] = [
  { kind: 'normal', mean: 1, sd: 0.25 },
  { kind: 'uniform', low: 0, high: 1 },
  { kind: 'folded normal', mean: 0, sd: 1 },
];
const amplitudesOf = (seed: number) => AMPLITUDES[seed % AMPLITUDES.length];

type Make = (backend: Backend, seed: number) => Distribution | Promise<Distribution>;

/** By the name of its kind, the world of a seed. */
export const WORLD_KINDS: Readonly<Record<string, Make>> = {
  /** Frequencies as of words, each feature on its own. */
  independent: (backend, seed) =>
    spread(
      backend,
      seed,
      independentFirings({ probabilities: zipf(128, 5), amplitudes: amplitudesOf(seed) }),
    ),
  /** Few causes that many features share. */
  correlated: (backend, seed) =>
    spread(
      backend,
      seed,
      lowRankFirings({
        probabilities: zipf(128, 5),
        loadings: randomLoadings(128, 4, 0.3, new Random(seed, 'calibration', 'loadings')),
        rank: 4,
        amplitudes: amplitudesOf(seed),
      }),
    ),
  /** Sets of four that often fire as one. */
  sets: (backend, seed) =>
    spread(
      backend,
      seed,
      correlatedSets({ sets: 30, size: 4, probability: 0.04, strength: 0.5, amplitudes: amplitudesOf(seed) }),
    ),
  /** Sets of which one feature fires at most. */
  exclusive: (backend, seed) =>
    spread(
      backend,
      seed,
      exclusiveSets({
        probabilities: Array.from({ length: 10 }, () => Array.from(zipf(12, 0.5))),
        amplitudes: amplitudesOf(seed),
      }),
    ),
  /** Features that only fire where their parent does, as strong as it is. */
  trees: (backend, seed) =>
    spread(
      backend,
      seed,
      firingLaw({
        features: 130,
        roots: regularTrees({
          trees: 10,
          branching: 3,
          depth: 2,
          exclusive: true,
          scaled: true,
          probabilityOf: (_, parent) => (parent === undefined ? 0.2 : 0.3),
        }),
        amplitudes: amplitudesOf(seed),
      }),
    ),
  /** Features that fire where two others do, with directions of their own. */
  conjunctions: (backend, seed) => {
    const random = new Random(seed, 'calibration', 'pairs');
    return spread(
      backend,
      seed,
      conjunctionFirings({
        probabilities: Array.from({ length: 60 }, () => 0.05 + 0.1 * random.uniform()),
        pairs: Array.from({ length: 40 }, (_, i) => [
          (2 * i) % 60,
          (2 * i + 1 + 2 * Math.floor(i / 30)) % 60,
        ]),
        product: false,
        amplitudes: amplitudesOf(seed),
      }),
    );
  },
  /** Fillers in roles: each role turns the whole space in its own way. */
  bindings: (_, seed) =>
    additiveDistribution({
      law: bindingFirings({
        roles: [0.9, 0.7, 0.6, 0.5, 0.4, 0.3],
        fillers: 20,
        amplitudes: amplitudesOf(seed),
      }),
      width: WIDTH,
      directions: bindingDirections({
        roles: 6,
        fillers: 20,
        width: WIDTH,
        random: new Random(seed, 'calibration', 'directions'),
      }),
      seed,
    }),
  /** Circles among features of one dimension. */
  circles: (backend, seed) => alongCurves(backend, seed, () => CIRCLE),
  /** Curves in three dimensions among features of one. */
  curves: (backend, seed) => {
    const random = new Random(seed, 'calibration', 'curves');
    return alongCurves(backend, seed, () => randomCurve(3, 2, random));
  },
  /** Trees and correlations together: a cut of SynthSAEBench. */
  mixture: (backend, seed) => synthSaeBench(backend, { features: 192, width: WIDTH, trees: 1 }, seed),
};

const zipf = (features: number, l0: number) => zipfOfL0({ features, exponent: 0.7, l0 });

/** A law in random directions, spread apart. */
function spread(backend: Backend, seed: number, law: FiringLaw): Promise<Distribution> {
  return spreadOver(backend, seed, law, law.plan.features);
}

async function spreadOver(
  backend: Backend,
  seed: number,
  law: FiringLaw,
  rows: number,
  curves?: readonly (Curve | undefined)[],
): Promise<Distribution> {
  const directions = randomDirections(rows, WIDTH, new Random(seed, 'calibration', 'directions'));
  await spreadDirections(backend, directions, WIDTH, SPREADING_STEPS);
  return additiveDistribution({ law, width: WIDTH, directions, curves, seed });
}

/** Twelve features on curves, and 72 of one dimension. */
function alongCurves(backend: Backend, seed: number, curve: () => Curve): Promise<Distribution> {
  const curves = Array.from({ length: 84 }, (_, i) => (i < 12 ? curve() : undefined));
  const law = curveFirings({
    probabilities: curves.map((on) => (on ? 0.1 : 0.045)),
    points: curves.map((on, i) => (on ? (i % 2 === 0 ? 'all' : 7) : 0)),
    amplitudes: amplitudesOf(seed),
  });
  const rows = curves.reduce((sum, on) => sum + (on?.dimensions ?? 1), 0);
  return spreadOver(backend, seed, law, rows, curves);
}
