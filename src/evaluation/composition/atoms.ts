/**
 * The atoms of a decoder: a few directions of which all of its rows are copies or sums. They begin as rows and are then
 * learned, a meta-dictionary (Leask et al. 2025, arXiv 2502.04878) of as many atoms as are needed, so that an atom is
 * found that several sums share and no latent stands for. It must not know when latents fire, but for how often.
 */
import type { Backend } from '../../kernels/backend.ts';
import { type MetaCode, metaCode } from './metaCode.ts';

/** Rows of at least this cosine point the same way. */
export const SAME = 0.9;
/** A row is a sum where its parts explain this share of its square; while atoms are learned, this share. */
const [SUM, NEARLY_SUM] = [0.9, 0.7];
const ROUNDS = 10;

export interface Atoms {
  /** Unit rows, `[count, width]`. */
  readonly directions: Float32Array;
  readonly count: number;
  /** The rows in atoms: `parts` are atoms. `[rows]` */
  readonly codes: readonly MetaCode[];
}

/** Unit rows `[rows, width]`, and how often the latent of each fires, `[rows]`. */
export interface DecoderRows {
  readonly unit: Float32Array;
  readonly rows: number;
  readonly width: number;
  readonly firings: ArrayLike<number>;
}

/**
 * Atoms and the rows in them. First, rows that point the same way as one that fires more often are left out, then those
 * that others nearly are the parts of, the best explained first; what remains are atoms, and these are learned: by turns,
 * the best sums (`metaCode`) and the best direction for each atom, `sum_j c_j (w_j - the other parts of w_j)`. Rows that
 * are no sums of what was learned become atoms in the end. Holds `[rows, rows]`.
 */
export async function findAtoms(backend: Backend, decoder: DecoderRows): Promise<Atoms> {
  const { unit, rows, width } = decoder;
  const first = await startingRows(backend, decoder);
  let directions = takeRows(unit, first, width);
  let codes = await codesOver(backend, decoder, directions);
  for (let round = 0; round < ROUNDS && rows > 0; round++) {
    directions = learned(decoder, codes, directions);
    codes = await codesOver(backend, decoder, directions);
  }
  const unexplained = Array.from({ length: rows }, (_, j) => j).filter((j) => codes[j].explained < SUM);
  // Of those that point the same way, one will do.
  const { leaders } = sameWay(await products(backend, takeRows(unit, unexplained, width), unexplained.length, width), unexplained.map((j) => decoder.firings[j]));
  const more = takeRows(unit, leaders.map((i) => unexplained[i]), width);
  directions = Float32Array.from([...directions, ...more]);
  codes = await codesOver(backend, decoder, directions);
  return withoutUnused(directions, width, codes);
}

/** The cosines of `rows` unit rows with each other. */
async function products(backend: Backend, unit: Float32Array, rows: number, width: number) {
  const out = new Float32Array(rows * rows);
  if (rows > 0) await backend.linear({ x: unit, rows, weight: backend.pack(unit, rows, width), out });
  return out;
}

function sameWay(cosines: Float32Array, firings: ArrayLike<number>): { leaders: number[] } {
  const rows = firings.length;
  const leaders: number[] = [];
  const byFirings = Array.from({ length: rows }, (_, i) => i).sort((a, b) => firings[b] - firings[a] || a - b);
  for (const row of byFirings)
    if (!leaders.some((leader) => cosines[row * rows + leader] >= SAME)) leaders.push(row);
  return { leaders };
}

async function startingRows(backend: Backend, { unit, rows, width, firings }: DecoderRows): Promise<number[]> {
  const cosines = await products(backend, unit, rows, width);
  const between = (a: number, b: number) => cosines[a * rows + b];
  const atoms = new Set(sameWay(cosines, firings).leaders);
  const codeOf = (row: number) => {
    const others = [...atoms].filter((other) => other !== row);
    return metaCode(others.map((other) => between(row, other)), others, between);
  };
  const isSum = ({ parts, explained }: MetaCode) => parts.length > 1 && explained >= NEARLY_SUM;
  const open = new Map([...atoms].map((row) => [row, codeOf(row)]));
  for (;;) {
    let best = -1;
    for (const [row, code] of open)
      if (isSum(code) && (best < 0 || code.explained > open.get(best)!.explained)) best = row;
    if (best < 0) return [...atoms].sort((a, b) => a - b);
    atoms.delete(best);
    open.delete(best);
    for (const [row, code] of open) if (code.parts.includes(best)) open.set(row, codeOf(row));
  }
}

async function codesOver(
  backend: Backend,
  { unit, rows, width }: DecoderRows,
  directions: Float32Array,
): Promise<MetaCode[]> {
  const count = directions.length / width;
  if (rows === 0 || count === 0) return [];
  const packed = backend.pack(directions, count, width);
  const cosines = new Float32Array(rows * count);
  await backend.linear({ x: unit, rows, weight: packed, out: cosines });
  const between = await products(backend, directions, count, width);
  const all = Array.from({ length: count }, (_, k) => k);
  return Array.from({ length: rows }, (_, j) =>
    metaCode(cosines.subarray(j * count, (j + 1) * count), all, (a, b) => between[a * count + b]),
  );
}

function learned({ unit, width }: DecoderRows, codes: readonly MetaCode[], directions: Float32Array): Float32Array {
  const next = directions.slice();
  const users = Array.from({ length: directions.length / width }, (): [number, number][] => []);
  codes.forEach(({ parts }, j) => {
    parts.forEach((atom, p) => users[atom].push([j, p]));
  });
  users.forEach((of, atom) => {
    const sum = new Float64Array(width);
    for (const [j, own] of of) {
      const { parts, coefficients } = codes[j];
      for (let c = 0; c < width; c++) {
        let left = unit[j * width + c];
        parts.forEach((part, p) => {
          if (p !== own) left -= coefficients[p] * next[part * width + c];
        });
        sum[c] += coefficients[own] * left;
      }
    }
    const norm = Math.hypot(...sum);
    if (norm > 0) next.set(sum.map((value) => value / norm), atom * width);
  });
  return next;
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

function takeRows(matrix: Float32Array, which: readonly number[], width: number): Float32Array {
  const out = new Float32Array(which.length * width);
  which.forEach((row, i) => {
    out.set(matrix.subarray(row * width, (row + 1) * width), i * width);
  });
  return out;
}
