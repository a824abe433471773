/**
 * A dictionary without its composed latents: what each says is said by its atoms. It must not know how these were found.
 */
import type { Dictionary } from '../../dictionaries/dictionary.ts';
import type { Backend, SparseRows } from '../../kernels/backend.ts';
import { codesOver, SUM } from './atoms.ts';
import type { CompositionGraph } from './graph.ts';
import { rowNorms } from './liveRows.ts';
import type { MetaCode } from './metaCode.ts';
import { type Replacement, replaceColumns } from './sparseProduct.ts';

export interface Rewriting {
  /** Decoder rows that are left, and those of atoms for which there was no latent; `[latents, width]`. */
  readonly decoderWeight: Float32Array;
  readonly latents: number;
  /** Which latent of the old dictionary each is, -1 for atoms for which there was none. */
  readonly from: Int32Array;
  /** The composed latents that were replaced. */
  readonly replaced: readonly number[];
  /** Codes of the old dictionary as codes of the new rows: the entry of a replaced latent is added to those of its atoms. */
  readonly rewrite: (codes: SparseRows) => SparseRows;
}

/**
 * Replaces the latents of class `composed` whose decoder rows others explain to nine tenths. Each is written over the rows
 * that stay, `w = sum_p c_p w_p + rest` (`metaCode`), and its activation f becomes `f c_p` of latent p: reconstructions change
 * by `f rest`, which is 0 where the composition is exact.
 */
export async function rewriteInAtoms(
  backend: Backend,
  dictionary: Dictionary,
  { nodes, atoms }: CompositionGraph,
): Promise<Rewriting> {
  const { decoderWeight, outputWidth: width, latents } = dictionary;
  const composed = nodes.filter((node) => node.class === 'composed').map(({ latent }) => latent);
  const lost = new Set(composed);
  const stays = Array.from({ length: latents }, (_, j) => j).filter((j) => !lost.has(j));
  // An atom for which no latent stays.
  const own = Array.from({ length: atoms.count }, (_, a) => a).filter(
    (a) => atoms.latents[a] < 0 || lost.has(atoms.latents[a]),
  );
  const usable = stays.filter((j) => nodes[j].class !== 'dead' && nodes[j].class !== 'rare');
  // A part is a latent, or an atom after all latents.
  const parts = [...usable, ...own.map((a) => latents + a)];
  const rowsOf = (some: readonly number[]) => {
    const rows = new Float32Array(some.length * width);
    some.forEach((part, at) => {
      const [matrix, row] = part < latents ? [decoderWeight, part] : [atoms.directions, part - latents];
      rows.set(matrix.subarray(row * width, (row + 1) * width), at * width);
    });
    return rows;
  };
  const candidates = rowsOf(parts);
  const whole = rowsOf(composed);
  const codes = await rescaledCodes(backend, { whole, candidates, width });
  const replaced = composed.filter((_, i) => codes[i].explained >= SUM);
  const codeOf = new Map(composed.map((latent, i) => [latent, codes[i]]));
  const used = new Set(replaced.flatMap((latent) => codeOf.get(latent)!.parts.map((c) => parts[c])));
  const gone = new Set(replaced);
  const kept = [
    ...Array.from({ length: latents }, (_, j) => j).filter((j) => !gone.has(j)),
    ...own.map((a) => latents + a).filter((part) => used.has(part)),
  ];
  const place = new Map(kept.map((part, at) => [part, at]));
  const onto = Array.from({ length: latents }, (_, j): Replacement => {
    if (!gone.has(j)) return [[place.get(j)!, 1]];
    const { parts: among, coefficients } = codeOf.get(j)!;
    return among.map((c, p) => [place.get(parts[c])!, coefficients[p]]);
  });
  return {
    decoderWeight: rowsOf(kept),
    latents: kept.length,
    from: Int32Array.from(kept, (part) => (part < latents ? part : -1)),
    replaced,
    rewrite: (old) => replaceColumns(old, onto, kept.length),
  };
}

/** Each of `whole` over `candidates`, neither of unit length: coefficients are of the rows as they are. */
async function rescaledCodes(
  backend: Backend,
  { whole, candidates, width }: { whole: Float32Array; candidates: Float32Array; width: number },
): Promise<MetaCode[]> {
  const [wholeNorms, norms] = [rowNorms(whole, width), rowNorms(candidates, width)];
  const [unitWhole, unit] = [whole.slice(), candidates.slice()];
  await backend.unitRows({ weight: unitWhole, rows: wholeNorms.length, width });
  await backend.unitRows({ weight: unit, rows: norms.length, width });
  const codes = await codesOver(backend, unitWhole, width, unit);
  return codes.map((code, j) => {
    const coefficients = code.coefficients.map((value, p) => (value * wholeNorms[j]) / norms[code.parts[p]]);
    return { ...code, coefficients };
  });
}
