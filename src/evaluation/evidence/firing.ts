/**
 * What each latent does on held-out rows, in sums over groups of documents: how it fires, whether latents of other
 * dictionaries fire with it, what its part of the reconstruction is worth, and whether it withstands noise. One pass over the
 * rows; evidence is made of these sums by `components.ts`. It must not know what any of it is evidence for.
 */
import type { ActivationSource, Progress } from '../../activations/source.ts';
import { type Dictionary, decode, encode } from '../../dictionaries/dictionary.ts';
import type { Backend, SparseRows } from '../../kernels/backend.ts';
import { inTurns } from '../../kernels/inTurns.ts';
import { Random } from '../../math/random.ts';
import { NormalStream } from '../../math/ziggurat.ts';
import { groupDocuments } from '../fidelity.ts';

/** Sequences in memory at once. */
const SEQUENCES = 32;
/** Subjects looked at at the same time: while one is between two operations, the other keeps the threads busy. */
const IN_FLIGHT = 2;
/** Groups that documents are gathered into: intervals want few dozens, and each costs a table of latents. */
const GROUPS = 40;
/** Squared norm of the noise, over the mean squared distance of a row from the mean. */
const NOISE = 0.1;

/** `[groups, latents]` each, over the rows of a group; v is the row less all that other latents reconstruct of it, d the latent's unit decoder row. */
export interface LatentSums {
  readonly groups: number;
  readonly latents: number;
  /** Rows of each group. `[groups]` */
  readonly rows: Float64Array;
  /** `sum |x - mean|^2` of each group. `[groups]` */
  readonly variance: Float64Array;
  /** Rows on which the latent fires. */
  readonly fires: Float64Array;
  /** What the squared error would gain there without it: `sum |v|^2 - |v - a d|^2`. */
  readonly gain: Float64Array;
  /** `sum |v|^2` and `sum (v . d)^2` on rows on which it fires. */
  readonly whole: Float64Array;
  readonly along: Float64Array;
  /** Rows on which it fires and goes on firing when noise is added to the row. */
  readonly steady: Float64Array;
  /** `sum a` and `sum a^2`, a what the latent adds along d. */
  readonly amount: Float64Array;
  readonly amountSquare: Float64Array;
  /** `sum p^2` and `sum p^4` over all rows, `p = (x - mean) . d`. */
  readonly second: Float64Array;
  readonly fourth: Float64Array;
  /** For each counterpart: rows on which the latent and its counterpart fire, and on which the counterpart does. */
  readonly both: readonly Float64Array[];
  readonly counterpart: readonly Float64Array[];
}

/** A dictionary, and for each counterpart which of its latents stands for each of the dictionary's (-1 for none). */
export interface Subject {
  readonly dictionary: Dictionary;
  readonly counterpartOf: readonly Int32Array[];
}

/**
 * Sums over all of `source` of what each of `subjects` does there beside the same `counterparts`; rows are read, and counterparts
 * encoded, once for all. `mean [width]` of the activations. Only autoencoders: what is reconstructed is what is read. Noise is
 * drawn from `seed`. Holds about `120 GROUPS latents` bytes for each subject.
 */
export async function sumFirings(request: {
  backend: Backend;
  subjects: readonly Subject[];
  counterparts: readonly Dictionary[];
  source: ActivationSource;
  mean: Float32Array;
  seed: number;
  onProgress?: Progress;
}): Promise<{ sums: LatentSums[]; documents: number }> {
  const { backend, subjects, counterparts, source, mean, seed, onProgress } = request;
  const { width } = source;
  const { groupOf, groups } = groupDocuments(source, GROUPS);
  const sums = subjects.map(({ dictionary: { latents } }) => emptySums(groups, latents, counterparts.length));
  const directions = await Promise.all(
    subjects.map(async ({ dictionary: { decoderWeight, latents } }) => {
      const weight = decoderWeight.slice();
      await backend.unitRows({ weight, rows: latents, width });
      const packed = backend.pack(weight, latents, width, backend.fastestPrecision);
      return { weight, packed, lengths: rowNorms(decoderWeight, width) };
    }),
  );
  const firesOfOther = counterparts.map(({ latents }) => new Float64Array(groups * latents));
  for (let first = 0; first < source.sequences; first += SEQUENCES) {
    const end = Math.min(first + SEQUENCES, source.sequences);
    const part = Array.from({ length: end - first }, (_, i) => first + i);
    const { activations: x, rows, documents } = await source.read(part);
    const group = Uint32Array.from(documents, (document) => groupOf.get(document)!);
    const centered = new Float32Array(rows * width);
    await backend.center({ x, center: mean, rows, width, scale: 1, out: centered });
    const squares = rowSquares(centered, width);
    const square = squares.reduce((sum, value) => sum + value, 0);
    const noisy = withNoise(
      x,
      Math.sqrt((NOISE * square) / x.length),
      new Random(seed, 'noise', String(first)),
    );
    const others: SparseRows[] = [];
    for (const [c, dictionary] of counterparts.entries()) {
      others.push(await encode(backend, dictionary, x, rows));
      countFirings(others[c], { group, latents: dictionary.latents, fires: firesOfOther[c] });
    }
    const residuals = Array.from({ length: IN_FLIGHT }, () => new Float32Array(x.length));
    await inTurns(residuals, subjects.keys(), async (residual, i) => {
      const { dictionary, counterpartOf } = subjects[i];
      const { latents } = dictionary;
      const codes = await encode(backend, dictionary, x, rows);
      squares.forEach((value, r) => {
        sums[i].variance[group[r]] += value;
        sums[i].rows[group[r]]++;
      });
      await addWorth(backend, sums[i], {
        subject: dictionary,
        codes,
        x,
        directions: directions[i],
        group,
        residual,
      });
      const steady = await encode(backend, dictionary, noisy, rows);
      addTogether(codes, steady, { group, latents, others: latents, both: sums[i].steady });
      for (const [c, of] of counterpartOf.entries())
        addTogether(codes, others[c], {
          group,
          latents,
          of,
          others: counterparts[c].latents,
          both: sums[i].both[c],
        });
      const { second, fourth } = sums[i];
      await backend.addMoments({ x: centered, rows, weight: directions[i].packed, group, second, fourth });
    });
    onProgress?.(end, source.sequences);
  }
  for (const [i, { dictionary, counterpartOf }] of subjects.entries())
    for (const [c, of] of counterpartOf.entries())
      takeCounterparts(firesOfOther[c], counterparts[c].latents, {
        of,
        latents: dictionary.latents,
        counterpart: sums[i].counterpart[c],
      });
  return { sums, documents: groupOf.size };
}

function emptySums(groups: number, latents: number, counterparts: number): LatentSums {
  const table = () => new Float64Array(groups * latents);
  const tables = () => Array.from({ length: counterparts }, table);
  return {
    groups,
    latents,
    rows: new Float64Array(groups),
    variance: new Float64Array(groups),
    fires: table(),
    gain: table(),
    whole: table(),
    along: table(),
    steady: table(),
    amount: table(),
    amountSquare: table(),
    second: table(),
    fourth: table(),
    both: tables(),
    counterpart: tables(),
  };
}

/** The same sums over some of the groups together, as of a single one. */
export function sumOfGroups(sums: LatentSums, chosen: (group: number) => boolean): LatentSums {
  const { groups, latents, both, counterpart, ...tables } = sums;
  const kept = Array.from({ length: groups }, (_, group) => group).filter(chosen);
  const sum = (table: Float64Array) => {
    const columns = table.length / groups;
    const out = new Float64Array(columns);
    for (const group of kept)
      for (let j = 0, at = group * columns; j < columns; j++, at++) out[j] += table[at];
    return out;
  };
  return {
    groups: 1,
    latents,
    both: both.map(sum),
    counterpart: counterpart.map(sum),
    ...(Object.fromEntries(
      Object.entries(tables).map(([name, table]) => [name, sum(table)]),
    ) as typeof tables),
  };
}

/** Rows on which each latent fires, of all groups. `[latents]` */
export function firingsOf({ fires, latents }: LatentSums): Float64Array {
  const firings = new Float64Array(latents);
  fires.forEach((some, at) => {
    firings[at % latents] += some;
  });
  return firings;
}

function withNoise(x: Float32Array, sd: number, random: Random): Float32Array {
  const normals = new Float64Array(x.length);
  new NormalStream(random).fill(normals);
  return x.map((value, at) => value + sd * normals[at]);
}

function rowSquares(rows: Float32Array, width: number): Float64Array {
  const squares = new Float64Array(rows.length / width);
  for (let r = 0, at = 0; r < squares.length; r++)
    for (const end = at + width; at < end; at++) squares[r] += rows[at] * rows[at];
  return squares;
}

/**
 * With r the residual, a the latent's part of the reconstruction along d and `p = r . d`: v = r + a d, so
 * `|v|^2 = |r|^2 + 2 a p + a^2` and `v . d = p + a`.
 */
async function addWorth(
  backend: Backend,
  sums: LatentSums,
  of: {
    subject: Dictionary;
    codes: SparseRows;
    x: Float32Array;
    /** Unit decoder rows, and how long the decoder's are. */
    directions: { readonly weight: Float32Array; readonly lengths: Float64Array };
    group: Uint32Array;
    /** Room for what `x` is. */
    residual: Float32Array;
  },
): Promise<void> {
  const { subject, codes, x, directions, group, residual } = of;
  const { weight, lengths } = directions;
  const { width, latents } = subject;
  const { rows } = codes;
  const squares = new Float32Array(rows);
  const output = await decode(backend, subject, codes, x);
  await backend.residual({ a: x, b: output, rows, width, scale: 1, out: residual, squares });
  const dots = new Float32Array(codes.indices.length);
  await backend.dots({ codes, weight, m: residual, width, out: dots });
  for (let r = 0; r < rows; r++) {
    for (let e = codes.offsets[r]; e < codes.offsets[r + 1]; e++) {
      const at = group[r] * latents + codes.indices[e];
      const amount = codes.values[e] * lengths[codes.indices[e]];
      const gain = 2 * amount * dots[e] + amount * amount;
      sums.fires[at]++;
      sums.amount[at] += amount;
      sums.amountSquare[at] += amount * amount;
      sums.gain[at] += gain;
      sums.whole[at] += squares[r] + gain;
      sums.along[at] += (dots[e] + amount) ** 2;
    }
  }
}

/** Counts for each latent the rows on which both it and its counterpart fire: itself in other codes, or `of` it. */
function addTogether(
  codes: SparseRows,
  otherCodes: SparseRows,
  to: { group: Uint32Array; latents: number; of?: Int32Array; others: number; both: Float64Array },
): void {
  const { group, latents, of, others, both } = to;
  const on = new Uint8Array(others);
  for (let r = 0; r < codes.rows; r++) {
    const shift = group[r] * latents;
    const [from, end] = [otherCodes.offsets[r], otherCodes.offsets[r + 1]];
    for (let e = from; e < end; e++) on[otherCodes.indices[e]] = 1;
    for (let e = codes.offsets[r]; e < codes.offsets[r + 1]; e++) {
      const latent = codes.indices[e];
      const counterpart = of ? of[latent] : latent;
      if (counterpart >= 0 && on[counterpart]) both[shift + latent]++;
    }
    for (let e = from; e < end; e++) on[otherCodes.indices[e]] = 0;
  }
}

/** Adds the rows on which each latent fires to `fires [groups, latents]`. */
function countFirings(
  { rows, offsets, indices }: SparseRows,
  { group, latents, fires }: { group: Uint32Array; latents: number; fires: Float64Array },
): void {
  for (let r = 0; r < rows; r++)
    for (let e = offsets[r]; e < offsets[r + 1]; e++) fires[group[r] * latents + indices[e]]++;
}

/** Writes down for each latent the rows on which the one of `others` that stands for it fires, group by group. */
function takeCounterparts(
  fires: Float64Array,
  others: number,
  { of, latents, counterpart }: { of: Int32Array; latents: number; counterpart: Float64Array },
): void {
  for (let shift = 0, from = 0; shift < counterpart.length; shift += latents, from += others)
    for (let j = 0; j < latents; j++) if (of[j] >= 0) counterpart[shift + j] = fires[from + of[j]];
}

function rowNorms(weight: Float32Array, width: number): Float64Array {
  return Float64Array.from({ length: weight.length / width }, (_, j) => {
    let square = 0;
    for (let c = j * width; c < (j + 1) * width; c++) square += weight[c] * weight[c];
    return Math.sqrt(square);
  });
}
