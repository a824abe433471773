/** Dictionaries trained together on a toy world, drawing and all else included: time. */

import { familyOf } from '../../dist/dictionaries/families/index.js';
import { loadBackend } from '../../dist/kernels/index.js';
import { trainDictionaries } from '../../dist/pipeline/toyDictionaries.js';
import { orthogonalToy } from '../../dist/toy/orthogonal.js';
import { median } from '../measuring.mjs';

/**
 * Milliseconds of a step of one dictionary, the median over stretches of as many steps as a window of the stream has.
 * @param {{ latents: number, ks: number[], stretch: number, stretches: number }} spec
 */
export async function measure({ latents, ks, stretch, stretches }) {
  const { options } = familyOf('batchtopk');
  const wanted = ks.map((k) => ({ dictionary: options.parse({ family: 'batchtopk', latents, k }) }));
  /** @type {number[]} */
  const times = [];
  let start = 0;
  await trainDictionaries(loadBackend(), orthogonalToy(0), wanted, {
    firstBlock: 0,
    steps: (1 + stretches) * stretch,
    seed: 0,
    learningRate: 3e-4,
    afterStep(step) {
      if (step % stretch !== 0) return;
      if (start > 0) times.push((performance.now() - start) / stretch / ks.length);
      start = performance.now();
    },
  });
  return { milliseconds: median(times) };
}
