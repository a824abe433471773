/**
 * Absorption without labels: latents that are silent exactly where a more specific one fires, though what they detect is
 * there. Chanin et al. 2024, "A is for absorption" (arXiv 2409.14507), with the latent's own decoder row in the place of a
 * probe. It must not know of words or letters.
 *
 * Latent p _would fire_ where the part of an activation along its decoder row is at least four fifths of what it is in the
 * middle of the rows on which it does fire. Of such rows, let it fire on a share `r` of those on which no latent fires that could absorb it; where q
 * fires and p would, of which there are m, it should on `r m`, and by chance on fewer only as a Poisson variable would be.
 */
import type { Backend, SparseRows } from '../../kernels/backend.ts';
import { poissonTails } from '../../math/poisson.ts';
import { quantile } from '../../math/statistics.ts';
import type { Firings } from './cofiring.ts';
import type { Findings, TestedEdge } from './graph.ts';
import { type LiveRows, placesOf, someRows } from './liveRows.ts';

/** The absorber's row has a cosine with the other's of at least this, and less than that of a copy. */
const [LEAST_COSINE, SAME] = [0.4, 0.9];
/** The least r; a projection that says less is no evidence. */
const LEAST_RATE = 0.5;
/** p would fire on at least this share of the rows on which q fires. */
const LEAST_SHARE = 0.5;
/** Of the firings that should be there at most this share is. */
const MOST_KEPT = 0.5;
const WOULD_FIRE = 0.8;
/** Firings from which the usual projection of a latent is read, and rows whose projections are made at a time. */
const [SAMPLE, CHUNK] = [512, 512];

/** An edge for each pair of latents of which one absorbs the other. `centred [rows, width]`: activations less b_dec. */
export async function findAbsorption(
  backend: Backend,
  all: LiveRows,
  { centred, codes, firings }: { centred: Float32Array; codes: SparseRows; firings: Firings },
): Promise<Findings> {
  const mayAbsorb = (cosine: number) => cosine >= LEAST_COSINE && cosine < SAME;
  // Rows that are near to no other are not looked at.
  const live = someRows(all, (_, i) =>
    all.cosines.subarray(i * all.count, (i + 1) * all.count).some(mayAbsorb),
  );
  const { count, width, unit, latents, cosines } = live;
  if (count === 0) return { edges: [], tested: 0 };
  const place = placesOf(live, firings.latents);
  const parentsOf = Array.from({ length: count }, (_, q) => {
    const parents: number[] = [];
    for (let p = 0; p < count; p++) if (p !== q && mayAbsorb(cosines[q * count + p])) parents.push(p);
    return Uint32Array.from(parents);
  });
  const least = Float64Array.from(latents, (latent, p) =>
    usualProjection(firings.of(latent), centred, unit, p, width),
  );
  const would = new Float64Array(count);
  const does = new Float64Array(count);
  const wouldWith = parentsOf.map((parents) => new Uint32Array(parents.length));
  const doesWith = parentsOf.map((parents) => new Uint32Array(parents.length));
  const packed = backend.pack(unit, count, width);
  const fires = new Uint8Array(count);
  // The last row on which a latent fires that could absorb it.
  const absorbable = new Int32Array(count).fill(-1);
  for (let first = 0; first < codes.rows; first += CHUNK) {
    const rows = Math.min(CHUNK, codes.rows - first);
    const projections = new Float32Array(rows * count);
    const x = centred.subarray(first * width, (first + rows) * width);
    await backend.linear({ x, rows, weight: packed, out: projections });
    for (let r = 0; r < rows; r++) {
      const [from, end] = [codes.offsets[first + r], codes.offsets[first + r + 1]];
      const active: number[] = [];
      for (let e = from; e < end; e++) {
        const q = place[codes.indices[e]];
        if (q >= 0 && codes.values[e] !== 0) active.push(q);
      }
      for (const q of active) {
        fires[q] = 1;
        for (const p of parentsOf[q]) absorbable[p] = first + r;
      }
      for (let p = 0, at = r * count; p < count; p++, at++)
        if (projections[at] >= least[p] && absorbable[p] !== first + r) {
          would[p]++;
          does[p] += fires[p];
        }
      for (const q of active)
        for (const [n, p] of parentsOf[q].entries())
          if (projections[r * count + p] >= least[p]) {
            wouldWith[q][n]++;
            doesWith[q][n] += fires[p];
          }
      for (const q of active) fires[q] = 0;
    }
  }
  const edges = parentsOf.flatMap((parents, q) =>
    [...parents].flatMap((p, n): TestedEdge[] => {
      const [m, kept] = [wouldWith[q][n], doesWith[q][n]];
      const rate = does[p] / would[p];
      if (!(rate >= LEAST_RATE) || m < LEAST_SHARE * firings.count(latents[q])) return [];
      const strength = 1 - kept / (rate * m);
      if (strength < 1 - MOST_KEPT) return [];
      const pValue = poissonTails(rate * m, kept).below;
      return [{ kind: 'absorbs', from: latents[q], to: latents[p], atom: null, strength, pValue }];
    }),
  );
  return { edges, tested: parentsOf.reduce((sum, parents) => sum + parents.length, 0) };
}

/** Four fifths of the median projection on row p where its latent fires, by an even sample of these rows. */
function usualProjection(
  rows: Uint32Array,
  centred: Float32Array,
  unit: Float32Array,
  p: number,
  width: number,
): number {
  const count = Math.min(SAMPLE, rows.length);
  const projections = Float64Array.from({ length: count }, (_, s) => {
    const row = rows[Math.floor((s * rows.length) / count)];
    let sum = 0;
    for (let c = 0; c < width; c++) sum += centred[row * width + c] * unit[p * width + c];
    return sum;
  });
  return WOULD_FIRE * quantile(projections, 0.5);
}
