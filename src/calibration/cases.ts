/**
 * Dictionaries on worlds of every kind, with the evidence for each of their latents beside the truth: what the verdict is fitted
 * on and tested with. Dictionaries differ in family, width and L0, right and wrong ones, and nulls are among them. It must not
 * know what is fitted.
 */
import { knownSource } from '../activations/knownSource.ts';
import { type Dictionary, encode } from '../dictionaries/dictionary.ts';
import { type DictionaryOptions, familyOptions } from '../dictionaries/families/index.ts';
import { companionsOf } from '../evaluation/evidence/companions.ts';
import { FEWEST_FIRINGS } from '../evaluation/evidence/components.ts';
import { gatherEvidence } from '../evaluation/evidence/evidence.ts';
import { type NullName, nullsNamed } from '../evaluation/nulls/index.ts';
import { trueLatents } from '../evaluation/trueLatents.ts';
import { INPUTS, verdictInputs } from '../evaluation/verdict/inputs.ts';
import type { Backend } from '../kernels/backend.ts';
import { Random } from '../math/random.ts';
import { trainDictionaries } from '../pipeline/toyDictionaries.ts';
import { BLOCK_ROWS, type Distribution } from '../toy/distribution.ts';
import { WORLD_KINDS } from './worlds.ts';

/** Blocks of samples that no dictionary is trained on. */
const TEST_BLOCKS = 64;
/** Latents over features, and latents that fire over features that do: half, as many, twice. */
const RATIOS = [0.5, 1, 2];
const FAMILIES = ['batchtopk', 'batchtopk', 'topk', 'matryoshka'] as const;
const NULLS: readonly NullName[] = [
  'random',
  'permuted-decoder',
  'frozen-decoder',
  'soft-frozen-decoder',
  'frozen-encoder',
  'shuffled',
];
const LEARNING_RATE = 3e-3;

/** A dictionary on a world: the evidence for its latents, and which are true. Latents that fire too rarely are left out. */
export interface Subject {
  readonly kind: string;
  readonly seed: number;
  /** `trained`, or the name of a null. */
  readonly name: string;
  readonly dictionary: DictionaryOptions;
  /** Of its latents, before any were left out; and features of the world. */
  readonly latents: number;
  readonly features: number;
  /** Features for which some true latent stands. */
  readonly found: number;
  /** `[rows, INPUTS.length]` and `[rows]`; rows are latents. */
  readonly inputs: readonly number[];
  readonly isTrue: readonly number[];
  /** `[rows]`: what the wider dictionary has of each beside its nearest. */
  readonly remainders: readonly number[];
}

/** The subjects of the world of a kind and a seed: a trained dictionary, and its nulls. */
export async function subjectsOf(
  backend: Backend,
  kind: string,
  seed: number,
  options: { steps: number; afterStep?: (step: number) => void },
): Promise<Subject[]> {
  const { steps, afterStep } = options;
  const world = await WORLD_KINDS[kind](backend, seed);
  const asked = dictionaryFor(world, new Random(seed, 'calibration', 'dictionary', kind));
  const nulls = nullsNamed(NULLS);
  const trained = nulls.flatMap(({ name, making }) =>
    making.kind === 'trained' ? [{ name, training: making.training }] : [],
  );
  const companions = companionsOf(asked);
  const wanted = [
    { dictionary: asked },
    ...companions.seeds.map((dictionary, i) => ({ dictionary, seed: seed + 1000 * (i + 1) })),
    ...companions.widths.map((dictionary) => ({ dictionary, seed: seed + 10_000 })),
    ...companions.sparsities.map((dictionary, i) => ({ dictionary, seed: seed + 20_000 + i })),
    ...trained.map(({ training }, i) => ({ dictionary: asked, seed: seed + 30_000 + i, ...training })),
  ];
  const all = await trainDictionaries(backend, world, wanted, {
    firstBlock: TEST_BLOCKS,
    steps,
    seed,
    learningRate: LEARNING_RATE,
    afterStep,
  });
  const take = <T>(count: readonly T[]) => all.splice(0, count.length);
  const [dictionary] = take([asked]);
  const [seeds, widths, sparsities, ofNulls] = [
    take(companions.seeds),
    take(companions.widths),
    take(companions.sparsities),
    take(trained),
  ];

  const rows = TEST_BLOCKS * BLOCK_ROWS;
  const { x, labels } = await world.draw(backend, 0, rows);
  const mean = meanOf(x, world.width);
  const codes = await encode(backend, dictionary, x, rows);
  const k = Math.max(1, Math.round(codes.indices.length / rows));
  const subjects: [string, Dictionary][] = [['trained', dictionary]];
  for (const { name, making } of nulls) {
    const at = trained.findIndex((one) => one.name === name);
    if (at >= 0) subjects.push([name, ofNulls[at]]);
    else if (making.kind === 'made')
      subjects.push([name, await making.make({ backend, dictionary, k, seed, mean, x, rows })]);
  }
  const source = knownSource(backend, world, { firstBlock: 0, sequences: TEST_BLOCKS });
  const evidence = await gatherEvidence({
    backend,
    subjects: subjects.map(([, subject]) => subject),
    seeds,
    widths,
    sparsities,
    source,
    mean,
    seed,
  });
  const described: Subject[] = [];
  for (const [i, [name, subject]] of subjects.entries()) {
    const own = name === 'trained' ? codes : await encode(backend, subject, x, rows);
    const truth = await trueLatents(backend, subject.decoderWeight, world, own, labels);
    const { components, remainders } = evidence[i];
    const inputs = verdictInputs(components, subject);
    const known = [...truth.isTrue.keys()].filter(
      (j) => components.density.value[j] * rows >= FEWEST_FIRINGS,
    );
    described.push({
      kind,
      seed,
      name,
      dictionary: asked,
      latents: subject.latents,
      features: world.features,
      found: new Set(known.filter((j) => truth.isTrue[j]).map((j) => truth.feature[j])).size,
      inputs: known.flatMap((j) => [...inputs.subarray(j * INPUTS.length, (j + 1) * INPUTS.length)]),
      isTrue: known.map((j) => truth.isTrue[j]),
      remainders: known.map((j) => remainders[j]),
    });
  }
  return described;
}

/** A family, a width and an L0, from right to wrong by a factor of two. */
function dictionaryFor(world: Distribution, random: Random): DictionaryOptions {
  const of = <T>(choices: readonly T[]) => choices[random.below(choices.length)];
  const directions = world.directions.length / world.width;
  const [family, width, l0] = [of(FAMILIES), of(RATIOS), of(RATIOS)];
  return familyOptions.parse({
    family,
    latents: Math.round(width * directions),
    k: Math.max(1, Math.round(l0 * world.expectedL0)),
  });
}

function meanOf(x: Float32Array, width: number): Float32Array {
  const mean = new Float64Array(width);
  x.forEach((value, at) => {
    mean[at % width] += (value * width) / x.length;
  });
  return Float32Array.from(mean);
}
