/**
 * Normals: samples in which no feature is, the null of everything that looks for some. It must not know who looks.
 */
import type { Backend } from '../kernels/backend.ts';
import { orthonormalRows } from '../math/orthonormal.ts';
import { Random } from '../math/random.ts';
import { BLOCK_ROWS, type Distribution } from './distribution.ts';

/**
 * Samples `x = sum_c sd_c z_c q_c` of independent standard normals z along the orthonormal rows q of a random basis: covariance
 * of eigenvalues `sd_c^2`, `deviations [width]`. No features, no labels, an L0 of 0.
 */
export function gaussianNoise(deviations: Float64Array, seed: number): Distribution {
  const width = deviations.length;
  const basis = orthonormalRows(width, width, new Random(seed, 'basis'));
  // `x = z basis'`, a row of which is what one dimension of x takes of each normal.
  const weight = new Float32Array(width * width);
  for (let c = 0; c < width; c++)
    for (let i = 0; i < width; i++) weight[i * width + c] = deviations[c] * basis[c * width + i];
  const fillBlocks = async (backend: Backend, blocks: ArrayLike<number>, out: Float32Array) => {
    const normals = new Float32Array(blocks.length * BLOCK_ROWS * width);
    for (let i = 0; i < blocks.length; i++) {
      const block = normals.subarray(i * BLOCK_ROWS * width, (i + 1) * BLOCK_ROWS * width);
      new Random(seed, 'noise', String(blocks[i])).fillNormal(block, 1);
    }
    const rows = blocks.length * BLOCK_ROWS;
    await backend.linear({ x: normals, rows, weight: backend.pack(weight, width, width), out });
  };
  return {
    features: 0,
    width,
    directions: new Float32Array(0),
    firstDirection: new Uint32Array(1),
    firingProbabilities: new Float64Array(0),
    expectedL0: 0,
    entropy: { kind: 'exact', bits: 0 },
    async draw(backend, first, count) {
      for (const [name, value] of Object.entries({ first, count })) {
        if (!Number.isSafeInteger(value) || value < 0)
          throw new RangeError(`${name}: expected a whole number >= 0, not ${value}`);
      }
      const firstBlock = Math.floor(first / BLOCK_ROWS);
      const skip = first - firstBlock * BLOCK_ROWS;
      const blocks = Array.from({ length: Math.ceil((skip + count) / BLOCK_ROWS) }, (_, i) => firstBlock + i);
      const x = new Float32Array(blocks.length * BLOCK_ROWS * width);
      await fillBlocks(backend, blocks, x);
      const labels = {
        rows: count,
        offsets: new Uint32Array(count + 1),
        indices: new Uint32Array(0),
        values: new Float32Array(0),
      };
      return { x: x.slice(skip * width, (skip + count) * width), labels };
    },
    drawBlocks: fillBlocks,
  };
}

/** Noise that is alike in all of `width` dimensions. */
export function isotropicNoise(width: number, seed: number): Distribution {
  return gaussianNoise(new Float64Array(width).fill(1), seed);
}

/** Noise whose i-th eigenvalue is 1 / i, i = 1 .. width: about as activations' spectra fall. */
export function decayingNoise(width: number, seed: number): Distribution {
  return gaussianNoise(
    Float64Array.from({ length: width }, (_, i) => 1 / Math.sqrt(i + 1)),
    seed,
  );
}
