/**
 * Which latents stand for a true feature of a world: by where they point and by when they fire, both. It must not know how
 * the dictionary came about.
 */
import type { Backend, SparseRows } from '../kernels/backend.ts';
import { makeOrthonormal } from '../math/orthonormal.ts';
import type { Distribution } from '../toy/distribution.ts';

/**
 * A latent points along its feature where its cosine with it is at least this. It must be above 1 / sqrt(2), the cosine of a
 * latent that stands for two features alike.
 */
const POINTS = 0.75;
/** and fires with it where its firings, each counted by its strength, are the feature's in at least this share. */
const PRECISE = 0.5;
/** It need not fire always where the feature does, but not only by exception. */
const RECALLS = 0.2;

export interface Truth {
  /** The feature that each latent is nearest to. `[latents]` */
  readonly feature: Int32Array;
  /** Cosine of its decoder row with that feature's direction, or with the space of its directions. `[latents]` */
  readonly cosine: Float64Array;
  /**
   * Share of the latent's firings, each counted by its strength, on which the feature fires; and of the feature's, on which
   * the latent does. NaN of none.
   */
  readonly precision: Float64Array;
  readonly recall: Float64Array;
  /** 1 for a latent that stands for its feature, 0 else. `[latents]` */
  readonly isTrue: Uint8Array;
}

/**
 * A latent is true where its decoder row has a cosine of at least .75 with the direction of a feature, and it fires for it: with
 * a precision of at least .5 by strength (a fixed k makes latents fire weakly where nothing is) and a recall of at least .2. Of a feature of several dimensions the row must lie in their space, and
 * there is no demand on recall: several latents share such a feature between them. `codes [rows, latents]` and
 * `labels [rows, features]` of the same samples.
 */
export async function trueLatents(
  backend: Backend,
  decoder: Float32Array,
  world: Pick<Distribution, 'width' | 'directions' | 'firstDirection' | 'features'>,
  codes: SparseRows,
  labels: SparseRows,
): Promise<Truth> {
  const { width, features, firstDirection } = world;
  const latents = decoder.length / width;
  const { feature, cosine } = await nearestSubspaces(backend, decoder, world);
  const [both, right, strength] = [0, 0, 0].map(() => new Float64Array(latents));
  const featureFires = new Float64Array(features);
  const on = new Uint8Array(features);
  for (let r = 0; r < codes.rows; r++) {
    const active = labels.indices.subarray(labels.offsets[r], labels.offsets[r + 1]);
    for (const i of active) {
      on[i] = 1;
      featureFires[i]++;
    }
    for (let e = codes.offsets[r]; e < codes.offsets[r + 1]; e++) {
      const latent = codes.indices[e];
      const fires = on[feature[latent]];
      both[latent] += fires;
      right[latent] += fires * codes.values[e];
      strength[latent] += codes.values[e];
    }
    for (const i of active) on[i] = 0;
  }
  const precision = right.map((sum, j) => sum / strength[j]);
  const recall = both.map((count, j) => count / featureFires[feature[j]]);
  const isTrue = Uint8Array.from({ length: latents }, (_, j) => {
    const several = firstDirection[feature[j] + 1] - firstDirection[feature[j]] > 1;
    return Number(cosine[j] >= POINTS && precision[j] >= PRECISE && (several || recall[j] >= RECALLS));
  });
  return { feature, cosine, precision, recall, isTrue };
}

async function nearestSubspaces(
  backend: Backend,
  decoder: Float32Array,
  {
    width,
    directions,
    firstDirection,
    features,
  }: Pick<Distribution, 'width' | 'directions' | 'firstDirection' | 'features'>,
): Promise<{ feature: Int32Array; cosine: Float64Array }> {
  const latents = decoder.length / width;
  const rows = directions.length / width;
  const bases = new Float32Array(directions.length);
  for (let i = 0; i < features; i++) {
    const [from, end] = [firstDirection[i] * width, firstDirection[i + 1] * width];
    const basis = Float64Array.from(directions.subarray(from, end));
    makeOrthonormal(basis, width);
    bases.set(basis, from);
  }
  const unit = decoder.slice();
  await backend.unitRows({ weight: unit, rows: latents, width });
  const products = new Float32Array(latents * rows);
  await backend.linear({ x: unit, rows: latents, weight: backend.pack(bases, rows, width), out: products });
  const nearest = { feature: new Int32Array(latents).fill(-1), cosine: new Float64Array(latents) };
  for (let j = 0; j < latents; j++) {
    for (let i = 0; i < features; i++) {
      const one = firstDirection[i + 1] - firstDirection[i] === 1;
      let square = 0;
      for (let row = firstDirection[i]; row < firstDirection[i + 1]; row++) {
        const product = products[j * rows + row];
        square += one ? product * Math.max(0, product) : product * product;
      }
      const cosine = Math.min(1, Math.sqrt(square));
      if (nearest.feature[j] < 0 || cosine > nearest.cosine[j]) {
        nearest.feature[j] = i;
        nearest.cosine[j] = cosine;
      }
    }
  }
  return nearest;
}
