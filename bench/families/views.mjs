/**
 * What there is to learn in the comparison of families, and what is true of it. It must not know who learns it.
 */
import { knownSource } from '../../dist/activations/knownSource.js';
import { activationScale } from '../../dist/activations/normalise.js';
import { orthonormalRows } from '../../dist/math/orthonormal.js';
import { Random } from '../../dist/math/random.js';
import { BLOCK_ROWS } from '../../dist/toy/distribution.js';
import { orthogonalToy } from '../../dist/toy/orthogonal.js';

export const TEST_ROWS = 32_768;
/** Test samples are the first blocks, training samples those after them. */
const TEST_BLOCKS = TEST_ROWS / BLOCK_ROWS;
/** How strongly a feature keeps its partner from passing through the layer: at 2, whenever it fires. */
const INHIBITION = 2;

/**
 * @typedef {'autoencoder' | 'transcoder' | 'skip transcoder' | 'crosscoder'} Kind what is read, and what is reconstructed of it
 * @typedef {import('../../src/kernels/backend.ts').SparseRows} SparseRows
 * @typedef {{ directions: Float32Array, labels: SparseRows }} Truth true features of an output: where they point, and in
 *   which test samples they fire
 */

/**
 * The orthogonal toy of a seed, seen three times, side by side in the columns of one source: x; its rotation x R, with a
 * random R; and what a small layer makes of it,
 *
 *   y = sum_i ReLU(a_i - 2 a_j) d_i R,  a_i = x . d_i,  j the partner of i, 25 features on
 *
 * where "i without j" fires, which no linear map of x can say. Autoencoders reconstruct x, crosscoders x and x R,
 * transcoders predict y from x.
 * @param {import('../../src/kernels/backend.ts').Backend} backend @param {number} seed @param {number} samples for training
 */
export async function threeViews(backend, seed, samples) {
  const distribution = orthogonalToy(seed);
  const { width, features, directions } = distribution;
  const linear = async (
    /** @type {Float32Array} */ x,
    /** @type {Float32Array} */ weight,
    /** @type {number} */ of,
  ) => {
    const outputs = weight.length / of;
    const out = new Float32Array((x.length / of) * outputs);
    await backend.linear({ x, rows: x.length / of, weight: backend.pack(weight, outputs, of), out });
    return out;
  };
  const rotation = Float32Array.from(orthonormalRows(width, width, new Random(seed, 'rotation')));
  const rotated = await linear(directions, rotation, width);
  const columns = transposed(rotated, width);
  const all = async (/** @type {Float32Array} */ x) => {
    const passed = inhibited(await linear(x, directions, width), features);
    return sideBySide([x, await linear(x, rotation, width), await linear(passed, columns, features)], width);
  };

  const known = knownSource(backend, distribution, {
    firstBlock: TEST_BLOCKS,
    sequences: samples / BLOCK_ROWS,
  });
  const source = {
    ...known,
    width: 3 * width,
    read: async (/** @type {ArrayLike<number>} */ asked) => {
      const rows = await known.read(asked);
      return { ...rows, activations: await all(rows.activations) };
    },
  };
  const blocks = [];
  for (const start of [0, width, 2 * width]) {
    const end = start + width;
    blocks.push({ start, end, ...(await activationScale(source, { seed, start, end })) });
  }
  const { x, labels } = await distribution.draw(backend, 0, TEST_ROWS);
  const throughLayer = { directions: rotated, labels: layerLabels(labels, features) };
  return {
    distribution,
    source,
    blocks,
    test: await all(x),
    /** @type {Record<Kind, Truth>} */
    truth: {
      autoencoder: { directions, labels },
      transcoder: throughLayer,
      'skip transcoder': throughLayer,
      crosscoder: { directions: sideBySide([directions, rotated], width), labels },
    },
  };
}

/** `ReLU(a_i - 2 a_j)` @param {Float32Array} amplitudes @param {number} features */
function inhibited(amplitudes, features) {
  return amplitudes.map((amplitude, at) => {
    const [row, feature] = [Math.floor(at / features), at % features];
    const partner = amplitudes[row * features + ((feature + features / 2) % features)];
    return Math.max(0, amplitude - INHIBITION * partner);
  });
}

/** Which features pass through the layer. @param {SparseRows} labels @param {number} features @returns {SparseRows} */
function layerLabels({ rows, offsets, indices, values }, features) {
  /** @type {{ offsets: number[], indices: number[], values: number[] }} */
  const passed = { offsets: [0], indices: [], values: [] };
  const amplitudes = new Float32Array(features);
  for (let row = 0; row < rows; row++) {
    amplitudes.fill(0);
    for (let e = offsets[row]; e < offsets[row + 1]; e++) amplitudes[indices[e]] = values[e];
    for (const [feature, value] of inhibited(amplitudes, features).entries()) {
      if (value === 0) continue;
      passed.indices.push(feature);
      passed.values.push(value);
    }
    passed.offsets.push(passed.indices.length);
  }
  return {
    rows,
    offsets: Uint32Array.from(passed.offsets),
    indices: Uint32Array.from(passed.indices),
    values: Float32Array.from(passed.values),
  };
}

/** @param {Float32Array[]} parts each `[rows, width]` @param {number} width */
function sideBySide(parts, width) {
  const out = new Float32Array(parts.length * parts[0].length);
  for (const [place, part] of parts.entries()) {
    for (let r = 0; r * width < part.length; r++)
      out.set(part.subarray(r * width, (r + 1) * width), (r * parts.length + place) * width);
  }
  return out;
}

/** @param {Float32Array} m `[rows, width]` @param {number} width */
function transposed(m, width) {
  const rows = m.length / width;
  return m.map((_, at) => m[(at % rows) * width + Math.floor(at / rows)]);
}
