/**
 * What dictionaries of one width, trained to several sparsities from several seeds, say of themselves on held-out
 * activations: a curve for each criterion, with what random directions would give. It must not know how they were
 * trained, nor what the curves are taken for.
 */
import { type Dictionary, decode, encode } from '../../dictionaries/dictionary.ts';
import type { Backend } from '../../kernels/backend.ts';
import { Random } from '../../math/random.ts';
import { mean } from '../../math/statistics.ts';
import { randomCosine } from '../../toy/bounds/randomDirections.ts';
import { decoderCosine } from '../cosines.ts';
import { unexplained } from '../unexplained.ts';
import { consensus, type Latents, randomConsensus } from './consensus.ts';
import { bitsAt, type RatePoint, rateDistortion } from './descriptionLength.ts';
import { type HeldOut, meanRow, spreadOf } from './heldOut.ts';
import { belowChord } from './knee.ts';
import { commonRanks, hasRanks, projectionBeyond } from './projections.ts';
import type { Criterion, Curves } from './proposal.ts';

/** Distortions at which description lengths are compared, at equal ratios. */
const DISTORTIONS = 16;
/** Draws of random directions behind a null. */
const NULL_DRAWS = 3;
/** Products that are sorted for s_n at most. */
const MOST_PROJECTIONS = 4e6;

export interface SparsityMeasures {
  /** What was asked for, and the mean L0 on the held-out rows of all seeds; ascending. */
  readonly k: readonly number[];
  readonly l0: readonly number[];
  /** `[k][seed]` */
  readonly l0BySeed: readonly (readonly number[])[];
  readonly fvu: readonly (readonly number[])[];
  /** In the units that people read, `[k][seed]`: c_dec; s_n over the root mean squared norm; consensus; `belowChord`. */
  readonly values: Readonly<Record<Exclude<Criterion, 'descriptionLength'>, readonly (readonly number[])[]>>;
  /** Bits at each distortion, `[k][seed]`; Infinity where it is not reached. */
  readonly bits: readonly { readonly fvu: number; readonly values: readonly (readonly number[])[] }[];
  /** What random directions have of c_dec and s_n, in the same units, and the cosine of their best match. */
  readonly floors: {
    readonly decoderCosine: number;
    readonly projection: number;
    readonly consensus: number;
  };
}

/** Measures `dictionaries[i][seed]`, which were trained to `ks[i]`. `seed` draws the random directions. Progress is in dictionaries. */
export async function measureSparsity(
  backend: Backend,
  ks: readonly number[],
  dictionaries: readonly (readonly Dictionary[])[],
  held: HeldOut,
  { seed, onProgress }: { seed: number; onProgress?: (done: number, total: number) => void },
): Promise<SparsityMeasures> {
  const { width, latents } = dictionaries[0][0];
  const scale = spreadOf(held);
  const total = ks.length * dictionaries[0].length;
  const nullCosine = await randomConsensus(backend, { latents, width, seed, draws: NULL_DRAWS });
  const ranks = commonRanks(ks, latents);
  const fewer = Math.min(held.rows, Math.ceil(MOST_PROJECTIONS / latents));
  const sorted = { x: held.x.subarray(0, fewer * width), rows: fewer, width };
  const found: { k: number; seeds: One[]; consensus: number[] }[] = [];
  for (const [i, trained] of dictionaries.entries()) {
    const seeds: One[] = [];
    for (const dictionary of trained) {
      const one = await measureOne(backend, dictionary, held);
      const projection = hasRanks(ks[i], latents)
        ? (await projectionBeyond(backend, dictionary, sorted, ranks)) / scale
        : Number.NaN;
      seeds.push({ ...one, projection });
      onProgress?.(i * trained.length + seeds.length, total);
    }
    found.push({ k: ks[i], seeds, consensus: await consensus(backend, seeds, width, nullCosine) });
  }
  const l0Of = ({ seeds }: { seeds: One[] }) => mean(seeds.map((one) => one.l0));
  found.sort((a, b) => l0Of(a) - l0Of(b));
  const each = <T>(of: (one: One) => T) => found.map(({ seeds }) => seeds.map(of));
  const l0 = found.map(l0Of);
  const fvu = each((one) => one.fvu);
  const below = fvu[0].map((_, s) =>
    belowChord(
      l0,
      fvu.map((at) => at[s]),
    ),
  );
  return {
    k: found.map((at) => at.k),
    l0,
    l0BySeed: each((one) => one.l0),
    fvu,
    values: {
      decoderCosine: each((one) => one.decoderCosine),
      projection: each((one) => one.projection),
      consensus: found.map((at) => at.consensus),
      knee: l0.map((_, i) => below.map((ofSeed) => ofSeed[i])),
    },
    bits: distortionsOf(fvu).map((at) => ({ fvu: at, values: each(({ rates }) => bitsAt(rates, at)) })),
    floors: {
      decoderCosine: randomCosine(width),
      projection:
        ranks.length === 0
          ? Number.NaN
          : (await randomProjection(backend, latents, sorted, ranks, seed)) / scale,
      consensus: nullCosine,
    },
  };
}

/** Of one dictionary. */
interface One extends Latents {
  readonly l0: number;
  readonly fvu: number;
  readonly decoderCosine: number;
  readonly projection: number;
  readonly rates: readonly RatePoint[];
}

async function measureOne(
  backend: Backend,
  dictionary: Dictionary,
  held: HeldOut,
): Promise<Omit<One, 'projection'>> {
  const codes = await encode(backend, dictionary, held.x, held.rows);
  const alive = new Array<boolean>(dictionary.latents).fill(false);
  for (const latent of codes.indices) alive[latent] = true;
  return {
    decoderWeight: dictionary.decoderWeight,
    alive,
    l0: codes.values.length / held.rows,
    fvu: unexplained(await decode(backend, dictionary, codes, held.x), held.x, held.width),
    decoderCosine: await decoderCosine(backend, livingRows(dictionary, alive), held.width),
    rates: await rateDistortion(backend, dictionary, codes, held),
  };
}

/** The measures as curves of which the less is the better. */
export function curvesOf({ l0, values, bits }: SparsityMeasures): Curves {
  const negative = (of: readonly (readonly number[])[]) => of.map((at) => at.map((value) => -value));
  return {
    decoderCosine: { l0, values: values.decoderCosine },
    projection: { l0, values: values.projection },
    knee: { l0, values: negative(values.knee) },
    consensus: { l0, values: negative(values.consensus) },
    descriptionLength: bits.map(({ fvu, values }) => ({ l0, fvu, values })),
  };
}

/** From the largest mean FVU of the sweep down to its least. */
function distortionsOf(fvu: readonly (readonly number[])[]): number[] {
  const means = fvu.map(mean);
  const [most, least] = [Math.max(...means), Math.min(...means)];
  return Array.from({ length: DISTORTIONS }, (_, i) => most * (least / most) ** (i / (DISTORTIONS - 1)));
}

function livingRows({ decoderWeight, width, latents }: Dictionary, alive: readonly boolean[]): Float32Array {
  const living = Array.from({ length: latents }, (_, j) => j).filter((j) => alive[j]);
  const rows = new Float32Array(living.length * width);
  living.forEach((j, row) => {
    rows.set(decoderWeight.subarray(j * width, (j + 1) * width), row * width);
  });
  return rows;
}

async function randomProjection(
  backend: Backend,
  latents: number,
  held: HeldOut,
  ranks: readonly number[],
  seed: number,
): Promise<number> {
  const decoderWeight = new Float32Array(latents * held.width);
  new Random(seed, 'random projections').fillNormal(decoderWeight, 1);
  return projectionBeyond(backend, { decoderWeight, decoderBias: meanRow(held) }, held, ranks);
}
