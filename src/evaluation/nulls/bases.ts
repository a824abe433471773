/**
 * Bases of the space of activations as dictionaries: the neurons themselves, a random rotation of them, and principal
 * components. Each direction is two latents, one for each sign, of which the k largest are active on a token. There are
 * 2 d latents, whatever the width of the dictionary that they are compared with.
 */
import type { Dictionary } from '../../dictionaries/dictionary.ts';
import type { Backend } from '../../kernels/backend.ts';
import { symmetricEigen } from '../../math/eigen.ts';
import { orthonormalRows } from '../../math/orthonormal.ts';
import { Random } from '../../math/random.ts';

/** The axes that activations are written in. */
export function neuronBasis(mean: Float32Array, k: number): Dictionary {
  const width = mean.length;
  const axes = new Float32Array(width * width);
  for (let i = 0; i < width; i++) axes[i * width + i] = 1;
  return bothSigns(axes, axes, mean, k);
}

/** An orthonormal basis drawn from the Haar measure. */
export function rotatedBasis(mean: Float32Array, k: number, seed: number): Dictionary {
  const width = mean.length;
  const rows = Float32Array.from(orthonormalRows(width, width, new Random(seed, 'rotated basis')));
  return bothSigns(rows, rows, mean, k);
}

/** Principal components of `x [rows, width]` about the mean, by falling variance. */
export async function principalBasis(
  backend: Backend,
  mean: Float32Array,
  k: number,
  x: Float32Array,
  rows: number,
): Promise<Dictionary> {
  const { components } = await principalComponents(backend, mean, x, rows);
  return bothSigns(components, components, mean, k);
}

/** `components [width, width]`, orthonormal rows by falling `variances [width]`, and `x - mean`. */
export async function principalComponents(
  backend: Backend,
  mean: Float32Array,
  x: Float32Array,
  rows: number,
): Promise<{ components: Float32Array; variances: Float64Array; centered: Float32Array }> {
  const width = mean.length;
  const centered = new Float32Array(rows * width);
  await backend.center({ x, center: mean, rows, width, scale: 1, out: centered });
  const products = new Float32Array(width * width);
  const factors = { a: centered, b: centered, aWidth: width, bWidth: width };
  await backend.transposedProduct({ ...factors, rows, out: products });
  const covariance = new Float64Array(width * width);
  for (let i = 0; i < width; i++) {
    for (let j = 0; j <= i; j++) {
      covariance[i * width + j] = products[i * width + j] / rows;
      covariance[j * width + i] = covariance[i * width + j];
    }
  }
  const { values, vectors } = symmetricEigen(covariance, width);
  const order = [...values.keys()].sort((a, b) => values[b] - values[a]);
  const components = new Float32Array(width * width);
  order.forEach((from, to) => {
    components.set(vectors.subarray(from * width, (from + 1) * width), to * width);
  });
  return { components, variances: Float64Array.from(order, (i) => Math.max(0, values[i])), centered };
}

/** Latents 2i and 2i + 1 read and write directions `encoder, decoder [any, width]` i, and the same with the other sign. */
export function bothSigns(
  encoder: Float32Array,
  decoder: Float32Array,
  mean: Float32Array,
  k: number,
): Dictionary {
  const width = mean.length;
  const latents = (2 * encoder.length) / width;
  const signed = (rows: Float32Array) =>
    Float32Array.from({ length: 2 * rows.length }, (_, at) => {
      const [latent, i] = [Math.floor(at / width), at % width];
      const value = rows[Math.floor(latent / 2) * width + i];
      return latent % 2 === 0 ? value : -value;
    });
  return {
    width,
    outputWidth: width,
    latents,
    encoderWeight: signed(encoder),
    encoderBias: new Float32Array(latents),
    decoderWeight: signed(decoder),
    decoderBias: mean,
    inputBias: mean,
    selection: { kind: 'topk', k: Math.min(k, latents / 2) },
  };
}
