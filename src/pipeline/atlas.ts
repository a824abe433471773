/**
 * The atlas of a run: what the explorer reads beside features and examples. Where each latent stands among the others, which
 * words its examples hold, and how many latents neurons serve. It must not know of terminals or pages.
 */
import { join } from 'node:path';
import type { Progress } from '../activations/source.ts';
import type { Dictionary } from '../dictionaries/dictionary.ts';
import { Firings } from '../evaluation/composition/cofiring.ts';
import { InputError } from '../formats/errors.ts';
import { readParquetGroups } from '../formats/parquet.ts';
import { COMPANION_LEVEL, companionsOf } from '../interpretation/atlas/companions.ts';
import { summariseKinds } from '../interpretation/atlas/directionKinds.ts';
import { directionsOf, type NamedDirection } from '../interpretation/atlas/directions.ts';
import { MAP, mapOf } from '../interpretation/atlas/map.ts';
import { type Neighbours, nearestNeighbours } from '../interpretation/atlas/neighbours.ts';
import { medianSpread, type Spread, spreadOf, spreadOfRandom } from '../interpretation/atlas/neurons.ts';
import { DIRECTION_EXAMPLES, type Observed, observe } from '../interpretation/atlas/observe.ts';
import { ACTIVATION_BINS } from '../interpretation/atlas/shape.ts';
import { eachServed, type Served, SHARE_FLOOR } from '../interpretation/atlas/shares.ts';
import { WordIndex } from '../interpretation/atlas/wordIndex.ts';
import { writeAtlas, writeWords } from '../runs/atlas.ts';
import type { Atlas, AtlasRow, Direction, DirectionExample } from '../runs/atlasSchema.ts';
import type { RunConfig } from '../runs/config.ts';
import { exists, RUN_FILES, readRun, updateRun } from '../runs/directory.ts';
import { type Feature, isEvaluated, storedInterval } from '../runs/schema.ts';
import { hooksOf, siteOf } from '../runs/site.ts';
import { readFeatures } from '../runs/tables.ts';
import { diskOf } from './disk.ts';
import { type TokenText, textsOf } from './explain.ts';
import { readLearned } from './learn.ts';
import { unreported } from './reporter.ts';
import { activationsOf, loadMaterial, type Material, type Workbench } from './subject.ts';

/** Neighbours, companions, neurons and shares that are listed, at most. */
const LISTED = 10;
const LEVEL = 0.95;
/** The atlas in the times and memory of run.json. */
const ATLAS_PHASE = 'atlas';

/**
 * Makes the atlas of the run in `dir`, once more where it is there, and puts its time and its bytes into run.json. InputError where
 * the run's latents are not explained.
 */
export async function atlasRun(bench: Workbench, dir: string): Promise<Atlas> {
  const run = await readRun(dir);
  if (!isEvaluated(run) || !(await exists(join(dir, RUN_FILES.features))))
    throw new InputError(
      `${dir}: its latents are not explained yet; explain them first: monosem evaluate ${dir}`,
    );
  const material = await loadMaterial(bench, run.config);
  const atlas = await makeAtlas(bench, run.config, material, dir);
  const { timing, memory } = bench.stopwatch;
  const own = <T>(of: Readonly<Record<string, T>>) => ({ [ATLAS_PHASE]: of[ATLAS_PHASE] });
  const disk = await diskOf(dir, material, hooksOf([siteOf(run.config)]));
  await updateRun(dir, { timing: own(timing), memory: own(memory), disk });
  return atlas;
}

/** Makes the files of the atlas of an explained run, in the place of those that are there. */
export async function makeAtlas(
  bench: Workbench,
  config: RunConfig,
  material: Material,
  dir: string,
): Promise<Atlas> {
  return unreported(bench.stopwatch, ATLAS_PHASE, async () => {
    const { seed } = config;
    const { dictionary, mean } = await readLearned(dir);
    const features = await featuresOf(dir, dictionary);
    const examples = await watched(bench, 'words', 'latents', (onProgress) =>
      indexWords(dir, features, onProgress),
    );
    const map = await watched(bench, 'map', 'epochs', (onProgress) =>
      placeLatents(bench, dictionary, seed, onProgress),
    );
    const reason = whyNoDirections(config, dictionary);
    const directions = reason === undefined ? { ...sampled(dictionary, features, seed), mean } : undefined;
    const observed = await watched(bench, 'held-out rows', 'sequences', (onProgress) =>
      observe({
        backend: bench.backend,
        dictionary,
        source: activationsOf(material, 'test', siteOf(config).inputs),
        greatest: features.map(({ maxActivation }) => maxActivation),
        directions,
        onProgress,
      }),
    );
    const rows = latentRows(dictionary, observed, map);
    const served = directions && (await serve(bench, dictionary, observed, directions, textsOf(material)));
    const summary: Atlas = {
      format: 1,
      seed,
      split: 'test',
      documents: observed.documents,
      tokens: observed.rows.rows,
      examples,
      level: LEVEL,
      parameters: {
        map: { ...MAP },
        listed: LISTED,
        companionLevel: COMPANION_LEVEL,
        shareFloor: SHARE_FLOOR,
        groups: observed.groups,
        directionExamples: DIRECTION_EXAMPLES,
      },
      effectiveNeurons: spreads(rows, dictionary, seed),
      directions: served ? served.summary : null,
      leftOut: reason === undefined ? [] : [{ part: 'directions', reason }],
    };
    await writeAtlas(dir, summary, { rows, directions: served });
    return summary;
  });
}

/** Does `work` under a progress bar, until a signal stops it. Its time is a part of the atlas's. */
async function watched<T>(
  { reporter, signal }: Workbench,
  name: string,
  unit: string,
  work: (onProgress: Progress) => Promise<T>,
): Promise<T> {
  const phase = reporter.begin(name, unit);
  try {
    return await work((done, total) => {
      signal?.throwIfAborted();
      phase.update(done, total);
    });
  } finally {
    phase.end();
  }
}

/** Why nothing can be said of the neurons; undefined where it can. */
function whyNoDirections(config: RunConfig, { width, outputWidth }: Dictionary): string | undefined {
  const site = siteOf(config);
  if (!site.autoencoder) return 'a transcoder does not reconstruct the activations that it reads';
  if (site.inputs.length > 1)
    return 'a crosscoder reads several hook points, whose neurons are not the axes of one space';
  return width === outputWidth ? undefined : `its decoder is ${outputWidth} wide, the hook point ${width}`;
}

async function featuresOf(dir: string, { latents }: Dictionary): Promise<Feature[]> {
  const path = join(dir, RUN_FILES.features);
  const features = await readFeatures(dir);
  const expected = features?.length === latents && features.every(({ latent }, i) => latent === i);
  if (!expected)
    throw new InputError(
      `${path}: found ${features?.length ?? 0} rows, expected latents 0 to ${latents - 1} in order; ` +
        `explain the run again: monosem evaluate ${dir}`,
    );
  return features;
}

const EXAMPLE_COLUMNS = ['latent', 'tokens', 'activations'] as const;

/** Makes words.parquet of examples.parquet, a row group of which is in memory at a time. Gives the examples read. */
async function indexWords(dir: string, features: readonly Feature[], onProgress: Progress): Promise<number> {
  const path = join(dir, RUN_FILES.examples);
  const index = new WordIndex();
  let before = 0;
  for await (const group of readParquetGroups(path, { columns: [...EXAMPLE_COLUMNS] })) {
    const [latents, tokens, activations] = EXAMPLE_COLUMNS.map((name) => group.columns.get(name)!);
    for (let i = 0; i < group.rows; i++) {
      const feature = features[latents[i]];
      if (!feature || latents[i] < before || !fit(tokens[i], activations[i]))
        throw new InputError(
          `${path}, row ${group.firstRow + i}: found latent ${latents[i]} after ${before}, expected those of ` +
            `${RUN_FILES.features} in order, each with as many tokens as activations; explain the run again: monosem evaluate ${dir}`,
        );
      index.add(latents[i], tokens[i], activations[i], feature.maxActivation);
      before = latents[i];
    }
    onProgress(before + 1, features.length);
  }
  await writeWords(dir, index.groups());
  return index.examples;
}

/** Whether these are texts and as many numbers. */
function fit(tokens: unknown, activations: unknown): boolean {
  return (
    Array.isArray(tokens) &&
    tokens.every((token) => typeof token === 'string') &&
    (Array.isArray(activations) || activations instanceof Float32Array) &&
    activations.length === tokens.length
  );
}

function sampled({ decoderWeight, outputWidth }: Dictionary, features: readonly Feature[], seed: number) {
  const fires = (latent: number) => features[latent].firings > 0;
  const { names, unit } = directionsOf(decoderWeight, outputWidth, fires, seed);
  return { names, of: unit };
}

interface LatentMap {
  readonly near: Neighbours;
  /** Where each of `near.rows` stands, `[rows, 2]`. */
  readonly places: Float64Array;
}

async function placeLatents(
  { backend }: Workbench,
  { decoderWeight, outputWidth: width }: Dictionary,
  seed: number,
  onProgress: Progress,
): Promise<LatentMap> {
  const near = await nearestNeighbours(backend, decoderWeight, width, MAP.neighbours);
  return { near, places: await mapOf(backend, width, near, seed, onProgress) };
}

/** Rows of atlas.parquet. */
function latentRows(
  { decoderWeight, outputWidth: width, latents }: Dictionary,
  { rows, codes, bins }: Observed,
  { near, places }: LatentMap,
): AtlasRow[] {
  const firings = new Firings(codes, latents, numbered(rows.documents));
  const table = Array.from({ length: latents }, (_, latent) => ({
    ...emptyRow(latent, spreadOf(decoderWeight.subarray(latent * width, (latent + 1) * width), LISTED)),
    ...companionColumns(firings, latent),
    activationCounts: [...bins.subarray(latent * ACTIVATION_BINS, (latent + 1) * ACTIVATION_BINS)],
  }));
  near.rows.forEach((latent, r) => {
    [table[latent].x, table[latent].y] = places.subarray(2 * r, 2 * r + 2);
    Object.assign(table[latent], neighbourColumns(near, r));
  });
  return table;
}

function emptyRow(latent: number, { neurons, weights, effective }: Spread) {
  return {
    latent,
    x: NaN,
    y: NaN,
    neighbours: [] as number[],
    neighbourCosines: [] as number[],
    neurons,
    neuronWeights: weights,
    effectiveNeurons: effective,
  };
}

function neighbourColumns({ rows, count, nearest, cosines }: Neighbours, r: number) {
  const listed = [r * count, r * count + Math.min(count, LISTED)] as const;
  return {
    neighbours: Array.from(nearest.subarray(...listed), (place) => rows[place]),
    neighbourCosines: [...cosines.subarray(...listed)],
  };
}

function companionColumns(firings: Firings, latent: number) {
  const companions = companionsOf(firings, latent, LISTED);
  return {
    companions: companions.map(({ latent: other }) => other),
    companionLifts: companions.map(({ lift }) => lift),
    companionCounts: companions.map(({ both }) => both),
  };
}

function spreads(
  rows: readonly AtlasRow[],
  { outputWidth }: Dictionary,
  seed: number,
): Atlas['effectiveNeurons'] {
  const { mean, ...middle } = spreadOfRandom(outputWidth, seed);
  const effective = rows.map(({ effectiveNeurons }) => effectiveNeurons);
  return {
    median: storedInterval(medianSpread(effective, seed)),
    random: { mean: storedInterval(mean), ...middle },
  };
}

/** The tables of directions, and what atlas.json says of them. */
async function serve(
  { backend }: Workbench,
  { decoderWeight: decoder, outputWidth: width }: Dictionary,
  observed: Observed,
  { names, of: directions }: { names: readonly NamedDirection[]; of: Float32Array },
  text: TokenText,
): Promise<{
  summary: NonNullable<Atlas['directions']>;
  directions: Direction[];
  examples: DirectionExample[];
}> {
  const { energies, groups } = observed;
  const all: Served[] = [];
  const examples: DirectionExample[] = [];
  await eachServed(
    backend,
    { directions, decoder, width, energies, groups, listed: LISTED },
    (direction, served, along) => {
      all.push(served);
      examples.push(...examplesOf(observed, names[direction], direction, along, text));
    },
  );
  const { kinds, gaps } = summariseKinds(names, all);
  return {
    summary: {
      kinds: kinds.map((kind) => ({ ...kind, effective: storedInterval(kind.effective) })),
      gaps: gaps.map((gap) => ({ ...gap, effective: storedInterval(gap.effective) })),
    },
    directions: all.map(({ effective, low, high, features, latents, shares }, i) => ({
      ...names[i],
      effective,
      effectiveLow: low,
      effectiveHigh: high,
      features,
      latents,
      shares,
    })),
    examples,
  };
}

function examplesOf(
  { strongest, rows, codes }: Observed,
  name: NamedDirection,
  direction: number,
  along: Float32Array,
  text: TokenText,
): DirectionExample[] {
  return strongest!.of(direction).map(({ row, from, projection, window }, rank) => ({
    ...name,
    cluster: mostAlong(codes, row, along),
    rank,
    activation: projection,
    document: rows.documents[row],
    sequence: rows.sequences[row],
    position: rows.positions[row],
    tokens: Array.from(rows.tokens.subarray(from, from + window.length), text),
    activations: [...window],
    focus: row - from,
  }));
}

/** The latent that adds most along a direction in a row, by magnitude; -1 where none adds anything. */
function mostAlong(
  { offsets, indices, values }: Observed['codes'],
  row: number,
  along: Float32Array,
): number {
  let [most, latent] = [0, -1];
  for (let e = offsets[row]; e < offsets[row + 1]; e++) {
    const magnitude = Math.abs(values[e] * along[indices[e]]);
    if (magnitude > most) [most, latent] = [magnitude, indices[e]];
  }
  return latent;
}

/** Documents by the order in which they come, from 0. */
function numbered(documents: Int32Array): Uint32Array {
  const numbers = new Map([...new Set(documents)].map((document, i) => [document, i]));
  return Uint32Array.from(documents, (document) => numbers.get(document)!);
}
