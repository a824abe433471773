/**
 * Latents that fire where two atoms do: the atoms' firings are read from the codes, rewritten in atoms, and each latent is
 * held against one of them and against two at a time. It must not know how the atoms were found.
 */
import type { SparseRows } from '../../kernels/backend.ts';
import { compressRows } from '../inference/problem.ts';
import type { MetaCode } from './metaCode.ts';

/** An atom fires where its coefficient is above this share of what is usual of it. */
const FIRES = 0.35;

/** `codes [rows, latents]` with each latent in its atoms, `codes metaCode`: `[rows, atoms]`. Latents without a code are left out. */
export function inAtoms(codes: SparseRows, metaCodes: readonly (MetaCode | undefined)[], atoms: number): SparseRows {
  const sums = new Float64Array(atoms);
  const rows = Array.from({ length: codes.rows }, (_, row) => {
    const touched: number[] = [];
    for (let e = codes.offsets[row]; e < codes.offsets[row + 1]; e++) {
      const code = metaCodes[codes.indices[e]];
      code?.parts.forEach((atom, p) => {
        if (sums[atom] === 0) touched.push(atom);
        sums[atom] += codes.values[e] * code.coefficients[p];
      });
    }
    const entries = touched.sort((a, b) => a - b).map((atom): [number, number] => [atom, sums[atom]]);
    for (const atom of touched) sums[atom] = 0;
    return entries.filter(([, value]) => value !== 0);
  });
  return compressRows(rows);
}

/** Of `values [rows, atoms]` those that are large for their atom: `sum v^2 / sum v` is what is usual, blind to many small ones. */
export function firingsOf(values: SparseRows, atoms: number): SparseRows {
  const [sums, squares] = [new Float64Array(atoms), new Float64Array(atoms)];
  values.values.forEach((value, e) => {
    sums[values.indices[e]] += value;
    squares[values.indices[e]] += value * value;
  });
  const rows = Array.from({ length: values.rows }, (_, row) => {
    const kept: [number, number][] = [];
    for (let e = values.offsets[row]; e < values.offsets[row + 1]; e++) {
      const atom = values.indices[e];
      if (values.values[e] * sums[atom] > FIRES * squares[atom]) kept.push([atom, values.values[e]]);
    }
    return kept;
  });
  return compressRows(rows);
}
