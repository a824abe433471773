/**
 * Latents that fire where two atoms do: the atoms' firings are read from the codes, rewritten in atoms, and each latent is
 * held against one of them and against two at a time. It must not know how the atoms were found.
 */
import type { SparseRows } from '../../kernels/backend.ts';
import { compositionScores, countCompositions } from '../groundTruthComposition.ts';
import { common, Firings } from './cofiring.ts';
import type { Findings, TestedEdge } from './graph.ts';
import type { MetaCode } from './metaCode.ts';
import { keepEntries, type Replacement, replaceColumns } from './sparseProduct.ts';

/** An atom fires where its coefficient is above this share of what is usual of it. */
const FIRES = 0.35;

/**
 * Two edges, one for each atom, for each of `tested` latents whose firing has an F1 above .6 against two atoms', and a
 * greater one than against any single atom's: `compositionScores` with atoms in the place of true features. `to` is
 * `latentOf[atom]`. `metaCodes [latents]` of unit decoder rows over `latentOf.length` atoms, `norms [latents]` of the rows as
 * they are. `chance(explained)`: that a direction is so well a sum of atoms by chance; the p-value is the larger of that, of latents
 * that are sums, and that of its firings where both atoms' are.
 */
export function findConjunctions(
  codes: SparseRows,
  {
    metaCodes,
    norms,
    chance,
    latentOf,
    documents,
    firings,
    tested,
  }: {
    metaCodes: readonly (MetaCode | undefined)[];
    norms: Float64Array;
    chance: (explained: number) => number;
    latentOf: Int32Array;
    documents?: Uint32Array;
    firings: Firings;
    tested: readonly number[];
  },
): Findings {
  const [latents, features] = [metaCodes.length, latentOf.length];
  if (features === 0) return { edges: [], tested: 0 };
  const inAtoms = metaCodes.map(
    (code, latent): Replacement =>
      (code?.parts ?? []).map((atom, p) => [atom, norms[latent] * code!.coefficients[p]]),
  );
  const labels = firingsOf(replaceColumns(codes, inAtoms, features), features);
  const counts = countCompositions({ codes, labels, latents, features }, 1);
  const { standsFor } = compositionScores(counts, Float64Array.of(1));
  const ofAtoms = new Firings(labels, features, documents);
  const edges = tested.flatMap((from): TestedEdge[] => {
    const [first, second] = standsFor.subarray(2 * from, 2 * from + 2);
    if (second < 0) return [];
    const both = common(ofAtoms.of(first), ofAtoms.of(second));
    const together = firings.together(firings.of(from), both);
    const strength = (2 * together.both) / (firings.count(from) + both.length);
    const code = metaCodes[from];
    const pValue = Math.max(together.more, code && code.parts.length > 1 ? chance(code.explained) : 0);
    return [first, second].map((atom) => ({
      kind: 'composed',
      from,
      to: latentOf[atom],
      atom,
      strength,
      pValue,
    }));
  });
  return { edges, tested: 2 * tested.length };
}

/** Of `values [rows, atoms]` those that are large for their atom: `sum v^2 / sum v` is what is usual, blind to many small ones. */
function firingsOf(values: SparseRows, atoms: number): SparseRows {
  const [sums, squares] = [new Float64Array(atoms), new Float64Array(atoms)];
  values.values.forEach((value, e) => {
    sums[values.indices[e]] += value;
    squares[values.indices[e]] += value * value;
  });
  return keepEntries(values, (value, atom) => value * sums[atom] > FIRES * squares[atom]);
}
