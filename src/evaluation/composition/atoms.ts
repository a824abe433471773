/**
 * The atoms of a decoder: a few directions of which all of its rows are copies or sums. They begin as rows and are then
 * learned, a meta-dictionary (Leask et al. 2025, arXiv 2502.04878) of as many atoms as are needed, so that an atom is
 * found that several sums share and no latent stands for. It must not know when latents fire, but for how often.
 */
import type { Backend } from '../../kernels/backend.ts';
import { Random } from '../../math/random.ts';
import { type MetaCode, metaCode } from './metaCode.ts';

/** Rows of at least this cosine point the same way. */
export const SAME = 0.9;
/** A row is a sum where its parts explain this share of its square; before atoms are learned, this share. */
export const SUM = 0.9;
const NEARLY_SUM = 0.7;
const ROUNDS = 10;
/** A direction that fewer rows share is not learned: it would only be bent to fit them. */
const LEAST_USERS = 3;
/**
 * Atoms that no row stands for are sought among rows that share no atom, where these are not too few or too many, from random
 * ones of them: two fifths or half as many, several times, pairs only. An attempt costs its atoms, each row that is one of them, for
 * `(a_i + c) + (b_j - c)` is as good for any c, and twice the rows that are still no sums; it is given up where that is near the number of rows after a few rounds, and taken where it is much less.
 */
const HIDDEN = {
  least: 8,
  most: 1024,
  shares: [2 / 5, 1 / 2],
  tries: 10,
  rounds: [8, 32],
  parts: 2,
  near: 1,
  gain: 0.75,
};

export interface Atoms {
  /** Unit rows, `[count, width]`. */
  readonly directions: Float32Array;
  readonly count: number;
  /** The rows in atoms: `parts` are atoms. `[rows]` */
  readonly codes: readonly MetaCode[];
}

/** Unit rows `[rows, width]`, their cosines `[rows, rows]`, and how often the latent of each fires, `[rows]`. */
export interface DecoderRows {
  readonly unit: Float32Array;
  readonly cosines: Float32Array;
  readonly width: number;
  readonly firings: ArrayLike<number>;
}

/**
 * Atoms, and the rows in them. First, rows that point the same way as one that fires more often are left out, then those
 * of which others nearly are the parts, the best explained first. What remains are atoms, and these are learned: by turns
 * the best sums (`metaCode`) and the best direction for each atom, `sum_j c_j (w_j - the other parts of w_j)`. Rows that
 * are no sums of what was learned become atoms in the end. `seed` decides where atoms without a row are sought from.
 */
export async function findAtoms(backend: Backend, decoder: DecoderRows, seed: number): Promise<Atoms> {
  const { unit, width } = decoder;
  if (unit.length === 0) return { directions: new Float32Array(), count: 0, codes: [] };
  let { directions, codes } = await learn(
    backend,
    unit,
    width,
    takeRows(unit, startingRows(decoder), width),
    ROUNDS,
  );
  const { shared, alone } = splitBySharing(codes, directions.length / width);
  const hidden = await hiddenAtoms(backend, takeRows(unit, sameWay(decoder, alone), width), width, seed);
  if (hidden) {
    directions = joined(takeRows(directions, shared, width), hidden);
    codes = await codesOver(backend, unit, width, directions);
  }
  const open = [...codes.keys()].filter((j) => codes[j].explained < SUM);
  directions = joined(directions, takeRows(unit, sameWay(decoder, open), width));
  return withoutUnused(directions, width, await codesOver(backend, unit, width, directions));
}

/** One of `among` for each way that they point, the first by firings. */
function sameWay({ cosines, firings }: DecoderRows, among: readonly number[]): number[] {
  const leaders: number[] = [];
  for (const row of [...among].sort((a, b) => firings[b] - firings[a] || a - b))
    if (!leaders.some((leader) => cosines[row * firings.length + leader] >= SAME)) leaders.push(row);
  return leaders;
}

/** Rows of which none points as another does, nor nearly is a sum of others. O(rows^2) for each sum that is left out. */
function startingRows(decoder: DecoderRows): number[] {
  const rows = decoder.firings.length;
  const cosinesOf = (row: number) => decoder.cosines.subarray(row * rows, (row + 1) * rows);
  const leaders = sameWay(
    decoder,
    Array.from({ length: rows }, (_, j) => j),
  );
  const isAtom = new Uint8Array(rows);
  for (const leader of leaders) isAtom[leader] = 1;
  const codeOf = (row: number) => {
    const cosines = cosinesOf(row).map((cosine, other) => (other !== row && isAtom[other] ? cosine : NaN));
    return metaCode(cosines, cosinesOf);
  };
  const open = new Map(leaders.map((row) => [row, codeOf(row)]));
  for (;;) {
    let best = -1;
    for (const [row, { parts, explained }] of open)
      if (parts.length > 1 && explained >= NEARLY_SUM && (best < 0 || explained > open.get(best)!.explained))
        best = row;
    if (best < 0) return [...isAtom.keys()].filter((row) => isAtom[row] === 1);
    isAtom[best] = 0;
    open.delete(best);
    for (const [row, code] of open) if (code.parts.includes(best)) open.set(row, codeOf(row));
  }
}

/** By turns the best sums, of at most `most` parts, and the best directions. */
async function learn(
  backend: Backend,
  unit: Float32Array,
  width: number,
  start: Float32Array,
  rounds: number,
  most?: number,
) {
  let directions = start;
  let codes = await codesOver(backend, unit, width, directions, most);
  for (let round = 0; round < rounds; round++) {
    directions = learned(unit, width, codes, directions);
    codes = await codesOver(backend, unit, width, directions, most);
  }
  return { directions, codes };
}

/** The best sum of `directions` for each row of `unit`, of at most `most` parts. */
export async function codesOver(
  backend: Backend,
  unit: Float32Array,
  width: number,
  directions: Float32Array,
  most?: number,
): Promise<MetaCode[]> {
  const [rows, count] = [unit.length / width, directions.length / width];
  if (rows === 0 || count === 0) return Array.from({ length: rows }, () => metaCode([], () => []));
  const packed = backend.pack(directions, count, width);
  const [cosines, between] = [new Float32Array(rows * count), new Float32Array(count * count)];
  await backend.linear({ x: unit, rows, weight: packed, out: cosines });
  await backend.linear({ x: directions, rows: count, weight: packed, out: between });
  return Array.from({ length: rows }, (_, j) =>
    metaCode(
      cosines.subarray(j * count, (j + 1) * count),
      (a) => between.subarray(a * count, (a + 1) * count),
      most,
    ),
  );
}

/** One atom after another, with the others as they are by then. */
function learned(
  unit: Float32Array,
  width: number,
  codes: readonly MetaCode[],
  directions: Float32Array,
): Float32Array {
  const next = directions.slice();
  usersOf(codes, directions.length / width).forEach((users, atom) => {
    if (users.length < LEAST_USERS) return;
    const sum = new Float64Array(width);
    for (const j of users) {
      const { parts, coefficients } = codes[j];
      const own = coefficients[parts.indexOf(atom)];
      for (let c = 0; c < width; c++) {
        let left = unit[j * width + c];
        parts.forEach((part, p) => {
          if (part !== atom) left -= coefficients[p] * next[part * width + c];
        });
        sum[c] += own * left;
      }
    }
    const norm = Math.hypot(...sum);
    if (norm > 0)
      next.set(
        sum.map((value) => value / norm),
        atom * width,
      );
  });
  return next;
}

/** The rows that each atom is a part of. */
function usersOf(codes: readonly MetaCode[], atoms: number): number[][] {
  const users = Array.from({ length: atoms }, (): number[] => []);
  codes.forEach(({ parts }, j) => {
    for (const part of parts) users[part].push(j);
  });
  return users;
}

/** Atoms that several rows are made of, and the rows that are made of no such atom, or are no sum at all. */
function splitBySharing(codes: readonly MetaCode[], atoms: number): { shared: number[]; alone: number[] } {
  const users = usersOf(codes, atoms);
  const alone = [...codes.keys()].filter(
    (j) => codes[j].explained < SUM || codes[j].parts.every((part) => users[part].length === 1),
  );
  const left = new Set(alone);
  const shared = [...users.keys()].filter((atom) => users[atom].some((j) => !left.has(j)));
  return { shared, alone };
}

/** Atoms that many rows are sums of, though none is a row; undefined where they are not much fewer than the rows. */
async function hiddenAtoms(
  backend: Backend,
  unit: Float32Array,
  width: number,
  seed: number,
): Promise<Float32Array | undefined> {
  const rows = unit.length / width;
  if (rows < HIDDEN.least || rows > HIDDEN.most) return undefined;
  let [least, best] = [HIDDEN.gain * rows, undefined as Float32Array | undefined];
  for (const share of HIDDEN.shares)
    for (let attempt = 0; attempt < HIDDEN.tries; attempt++) {
      const chosen = new Random(seed, 'hidden atoms', `${share}, ${attempt}`).permutation(rows);
      const start = takeRows(unit, [...chosen.subarray(0, Math.ceil(share * rows))], width);
      const cost = (codes: readonly MetaCode[]) =>
        codes.reduce(
          (sum, { parts, explained }) => sum + (explained < SUM ? 2 : parts.length > 1 ? 0 : 1),
          start.length / width,
        );
      const glimpse = await learn(backend, unit, width, start, HIDDEN.rounds[0], HIDDEN.parts);
      if (cost(glimpse.codes) > HIDDEN.near * rows) continue;
      const { directions, codes } = await learn(
        backend,
        unit,
        width,
        glimpse.directions,
        HIDDEN.rounds[1],
        HIDDEN.parts,
      );
      if (cost(codes) <= least) [least, best] = [cost(codes), directions];
    }
  return best;
}

function withoutUnused(directions: Float32Array, width: number, codes: readonly MetaCode[]): Atoms {
  const used = [...new Set(codes.flatMap(({ parts }) => parts))].sort((a, b) => a - b);
  const place = new Map(used.map((atom, k) => [atom, k]));
  return {
    directions: takeRows(directions, used, width),
    count: used.length,
    codes: codes.map((code) => ({ ...code, parts: code.parts.map((atom) => place.get(atom)!) })),
  };
}

/** Some rows of a matrix, in the order asked for. */
function takeRows(matrix: Float32Array, which: ArrayLike<number>, width: number): Float32Array {
  const out = new Float32Array(which.length * width);
  for (let i = 0; i < which.length; i++)
    out.set(matrix.subarray(which[i] * width, (which[i] + 1) * width), i * width);
  return out;
}

function joined(a: Float32Array, b: Float32Array): Float32Array {
  const out = new Float32Array(a.length + b.length);
  out.set(a);
  out.set(b, a.length);
  return out;
}
