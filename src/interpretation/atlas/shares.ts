/**
 * How many latents a direction serves. Along a unit direction u, latent i adds `c_i(t) = a_i(t) (w_i . u)` to the reconstruction
 * of token t, w_i its decoder row; its share is `sum_t c_i(t)^2 / sum_i sum_t c_i(t)^2`, and the effective number of latents is
 * `exp(entropy of shares)`. Squares of c_i are a product, so `sum_t c_i(t)^2 = (w_i . u)^2 E_i`, `E_i = sum_t a_i(t)^2`: tokens
 * are summed once for all directions. With `P_i = (w_i . u)^2` and `Z = sum_i P_i E_i`,
 * `entropy = ln Z - (sum_i P_i ln P_i E_i + sum_i P_i E_i ln E_i) / Z`, three products, for energies E with any documents left out.
 * It must not know what the directions are.
 */
import type { Backend, PackedMatrix } from '../../kernels/backend.ts';
import { jackknifeInterval } from '../../math/jackknife.ts';
import { largest } from '../../math/largest.ts';

/** Latents with a share above it are counted. */
export const SHARE_FLOOR = 0.01;
/** Directions whose products with all latents are in memory at once. */
const BLOCK = 128;

/** Of one direction. */
export interface Served {
  /** NaN where no latent adds anything. */
  readonly effective: number;
  /** The 95 % interval over groups of documents, from leaving out one at a time. */
  readonly low: number;
  readonly high: number;
  /** `effective` without each group in turn. */
  readonly without: Float64Array;
  /** Latents with a share above `SHARE_FLOOR`. */
  readonly features: number;
  /** The largest shares, largest first. */
  readonly latents: number[];
  readonly shares: number[];
}

/**
 * What each of `directions [any, width]` serves, and `w_i . u` of all latents with it, which `each` must not keep. `decoder
 * [latents, width]`, `energies [groups, latents]`.
 */
export async function eachServed(
  backend: Backend,
  of: {
    directions: Float32Array;
    decoder: Float32Array;
    width: number;
    energies: Float64Array;
    groups: number;
    listed: number;
  },
  each: (direction: number, served: Served, along: Float32Array) => void,
): Promise<void> {
  const { directions, decoder, width, energies, groups, listed } = of;
  const latents = decoder.length / width;
  const total = columnTotals(energies, latents);
  const left = leaveOneOut(backend, energies, total, groups);
  const packed = backend.pack(decoder, latents, width);
  const count = directions.length / width;
  for (let start = 0; start < count; start += BLOCK) {
    const x = directions.slice(start * width, (start + BLOCK) * width);
    const rows = x.length / width;
    const along = new Float32Array(rows * latents);
    await backend.linear({ x, rows, weight: packed, out: along });
    const without = await entropiesWithout(backend, along, rows, left);
    for (let r = 0; r < rows; r++) {
      const own = along.subarray(r * latents, (r + 1) * latents);
      const parts = without.subarray(r * groups, (r + 1) * groups);
      each(start + r, served(own, total, parts, listed), own);
    }
  }
}

/** Energies without each group, and `E ln E` of them, as weights `[groups, latents]`. */
interface LeftOut {
  readonly groups: number;
  readonly energy: PackedMatrix;
  readonly surprise: PackedMatrix;
}

function leaveOneOut(backend: Backend, energies: Float64Array, total: Float64Array, groups: number): LeftOut {
  const latents = total.length;
  // Shares do not change with the scale, and float32 is at its best near 1.
  const mean = total.reduce((sum, value) => sum + value, 0) / latents || 1;
  const energy = new Float32Array(groups * latents);
  for (let at = 0; at < energy.length; at++)
    energy[at] = Math.max(0, total[at % latents] - energies[at]) / mean;
  return {
    groups,
    energy: backend.pack(energy, groups, latents),
    surprise: backend.pack(energy.map(timesLog), groups, latents),
  };
}

/** `exp(entropy)` of each direction without each group, `[rows, groups]`. */
async function entropiesWithout(
  backend: Backend,
  along: Float32Array,
  rows: number,
  { groups, energy, surprise }: LeftOut,
): Promise<Float64Array> {
  const squares = along.map((value) => value * value);
  const product = async (x: Float32Array, weight: PackedMatrix) => {
    const out = new Float32Array(rows * groups);
    await backend.linear({ x, rows, weight, out });
    return out;
  };
  const z = await product(squares, energy);
  const ofEnergies = await product(squares, surprise);
  const ofSquares = await product(squares.map(timesLog), energy);
  return Float64Array.from(z, (sum, at) => Math.log(sum) - (ofEnergies[at] + ofSquares[at]) / sum);
}

function served(along: Float32Array, total: Float64Array, without: Float64Array, listed: number): Served {
  const masses = total.map((energy, i) => along[i] ** 2 * energy);
  const sum = masses.reduce((all, mass) => all + mass, 0);
  if (!(sum > 0))
    return {
      effective: NaN,
      low: NaN,
      high: NaN,
      without: without.fill(NaN),
      features: 0,
      latents: [],
      shares: [],
    };
  let [nats, features] = [0, 0];
  for (const mass of masses) {
    const share = mass / sum;
    nats -= timesLog(share);
    if (share > SHARE_FLOOR) features++;
  }
  const { low, high } = jackknifeInterval(nats, without);
  const latents = largest(masses.length, listed, (i) => masses[i] || -Infinity);
  return {
    effective: Math.exp(nats),
    // No direction is served by less than one.
    low: Math.max(1, Math.exp(low)),
    high: Math.exp(high),
    without: without.map(Math.exp),
    features,
    latents,
    shares: latents.map((i) => masses[i] / sum),
  };
}

function timesLog(value: number): number {
  return value > 0 ? value * Math.log(value) : 0;
}

function columnTotals(energies: Float64Array, latents: number): Float64Array {
  const total = new Float64Array(latents);
  for (let at = 0; at < energies.length; at++) total[at % latents] += energies[at];
  return total;
}
