/** Which directions of a hook point are asked how many latents they serve. It must not know how that is answered. */
import { orthonormalRows } from '../../math/orthonormal.ts';
import { Random } from '../../math/random.ts';
import type { DirectionKind } from './shape.ts';

/** Latents whose directions are looked at, at most. */
const MOST_LATENTS = 512;

export interface NamedDirection {
  readonly kind: DirectionKind;
  /** The coordinate, the axis, or the latent. */
  readonly index: number;
}

/**
 * All coordinates, as many axes of a random basis, and a random sample of the latents for which `fires` holds and whose row of
 * `decoder [latents, width]` is not zero. `unit [directions, width]` are their unit rows.
 */
export function directionsOf(
  decoder: Float32Array,
  width: number,
  fires: (latent: number) => boolean,
  seed: number,
): { names: NamedDirection[]; unit: Float32Array } {
  const latents = sample(decoder, width, fires, seed);
  const named = (kind: DirectionKind, indices: Iterable<number>) =>
    Array.from(indices, (index): NamedDirection => ({ kind, index }));
  const axes = Array.from({ length: width }, (_, c) => c);
  const names = [...named('neuron', axes), ...named('rotation', axes), ...named('latent', latents)];
  const unit = new Float32Array(names.length * width);
  for (const c of axes) unit[c * width + c] = 1;
  unit.set(orthonormalRows(width, width, new Random(seed, 'rotated axes')), width * width);
  latents.forEach((latent, i) => {
    const row = decoder.subarray(latent * width, (latent + 1) * width);
    const norm = Math.sqrt(row.reduce((sum, value) => sum + value * value, 0));
    unit.set(
      row.map((value) => value / norm),
      (2 * width + i) * width,
    );
  });
  return { names, unit };
}

function sample(
  decoder: Float32Array,
  width: number,
  fires: (latent: number) => boolean,
  seed: number,
): Uint32Array {
  const order = new Random(seed, 'sampled latents').permutation(decoder.length / width);
  const able = (latent: number) =>
    fires(latent) && decoder.subarray(latent * width, (latent + 1) * width).some((value) => value !== 0);
  return order.filter(able).subarray(0, MOST_LATENTS).sort();
}
