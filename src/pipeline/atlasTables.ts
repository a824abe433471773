/** The tables of an atlas, of what was observed and of the weights. It must not know where they are kept. */
import { setImmediate } from 'node:timers/promises';
import type { Progress } from '../activations/source.ts';
import type { Dictionary } from '../dictionaries/dictionary.ts';
import { Firings } from '../evaluation/composition/cofiring.ts';
import { companionsOf } from '../interpretation/atlas/companions.ts';
import { summariseKinds } from '../interpretation/atlas/directionKinds.ts';
import type { NamedDirection } from '../interpretation/atlas/directions.ts';
import { MAP, mapOf } from '../interpretation/atlas/map.ts';
import { type Neighbours, nearestNeighbours } from '../interpretation/atlas/neighbours.ts';
import { medianSpread, type Spread, spreadOf, spreadOfRandom } from '../interpretation/atlas/neurons.ts';
import type { Observed } from '../interpretation/atlas/observe.ts';
import { ACTIVATION_BINS } from '../interpretation/atlas/shape.ts';
import { eachServed, type Served } from '../interpretation/atlas/shares.ts';
import type { Backend } from '../kernels/backend.ts';
import type { Atlas, AtlasRow, Direction, DirectionExample } from '../runs/atlasSchema.ts';
import { storedInterval } from '../runs/schema.ts';
import type { TokenText } from './explain.ts';

/** Neighbours, companions, neurons and shares that are listed, at most. */
export const LISTED = 10;
/** Latents after which signals and progress bars have their turn. */
const AT_ONCE = 256;

export interface LatentMap {
  readonly near: Neighbours;
  /** Where each of `near.rows` stands, `[rows, 2]`. */
  readonly places: Float64Array;
}

/** Neighbours and places of the latents. Progress is in epochs. */
export async function placeLatents(
  backend: Backend,
  { decoderWeight, outputWidth: width }: Dictionary,
  seed: number,
  onProgress?: Progress,
): Promise<LatentMap> {
  const near = await nearestNeighbours(backend, decoderWeight, width, MAP.neighbours);
  return { near, places: await mapOf(backend, width, near, seed, onProgress) };
}

/** Rows of atlas.parquet. Progress is in latents. */
export async function latentRows(
  { decoderWeight, outputWidth: width, latents }: Dictionary,
  { rows, codes, bins }: Observed,
  { near, places }: LatentMap,
  onProgress?: Progress,
): Promise<AtlasRow[]> {
  const firings = new Firings(codes, latents, numbered(rows.documents));
  const table: AtlasRow[] = [];
  for (let latent = 0; latent < latents; latent++) {
    table.push({
      ...emptyRow(latent, spreadOf(decoderWeight.subarray(latent * width, (latent + 1) * width), LISTED)),
      ...companionColumns(firings, latent),
      activationCounts: [...bins.subarray(latent * ACTIVATION_BINS, (latent + 1) * ACTIVATION_BINS)],
    });
    if ((latent + 1) % AT_ONCE > 0 && latent + 1 < latents) continue;
    onProgress?.(latent + 1, latents);
    await setImmediate();
  }
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

/** Of atlas.json. */
export function spreads(
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
export async function serve(
  backend: Backend,
  { decoderWeight: decoder, outputWidth: width }: Dictionary,
  observed: Observed,
  { names, unit: directions }: { names: readonly NamedDirection[]; unit: Float32Array },
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
