/**
 * Hedging: a dictionary too narrow for its data mixes into a latent parts of features that it has no latent for, and a
 * wider one tells them apart. Chanin et al. 2025, "Feature hedging", arXiv 2505.11756, compare decoders as a whole; here it is
 * asked of each latent. It must not know how either dictionary was trained.
 */
import type { Dictionary } from '../../dictionaries/dictionary.ts';
import type { Backend } from '../../kernels/backend.ts';
import { tailOfCosine } from '../../toy/bounds/randomDirections.ts';
import type { Findings, TestedEdge } from './graph.ts';
import { type LiveRows, liveRows } from './liveRows.ts';
import { metaCode } from './metaCode.ts';

/** The narrow dictionary has a latent for what one of its rows has at least this cosine with. */
const KNOWN = 0.7;

/**
 * An edge from a latent to each latent of `wider` that its row has a part of beside its largest and that no row of the narrow
 * dictionary is near to. Its p-value is that of so large a part by one of as many random directions. InputError is the
 * caller's: widths must agree.
 */
export async function findHedging(backend: Backend, live: LiveRows, wider: Dictionary): Promise<Findings> {
  const { count, width, unit, latents } = live;
  const wide = await liveRows(
    backend,
    wider,
    Uint32Array.from({ length: wider.latents }, (_, u) => u),
  );
  const cosines = new Float32Array(count * wide.count);
  if (count === 0 || wide.count === 0) return { edges: [], tested: 0 };
  await backend.linear({
    x: unit,
    rows: count,
    weight: backend.pack(wide.unit, wide.count, width),
    out: cosines,
  });
  const known = new Uint8Array(wide.count);
  for (let i = 0; i < count; i++)
    for (let u = 0; u < wide.count; u++) if (cosines[i * wide.count + u] >= KNOWN) known[u] = 1;
  const edges: TestedEdge[] = [];
  let tested = 0;
  for (let i = 0; i < count; i++) {
    const row = cosines.subarray(i * wide.count, (i + 1) * wide.count);
    const { parts, coefficients } = metaCode(row, (a) =>
      wide.cosines.subarray(a * wide.count, (a + 1) * wide.count),
    );
    const main = coefficients.indexOf(Math.max(...coefficients));
    parts.forEach((to, p) => {
      if (p === main || known[to]) return;
      tested++;
      const one = tailOfCosine(Math.min(1, Math.max(0, row[to])), width) / 2;
      const pValue = Math.min(1, wide.count * one);
      edges.push({ kind: 'hedges', from: latents[i], to, atom: null, strength: coefficients[p], pValue });
    });
  }
  return { edges, tested };
}
