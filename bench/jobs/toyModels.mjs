/** Training steps of toy models of one shape, inputs drawn: time, and what its parts would take at least. */
import { loadBackend } from '../../dist/kernels/index.js';
import { reluOutput } from '../../dist/toy/models/model.js';
import { ELHAGE, trainToyModels } from '../../dist/toy/models/train.js';
import { median } from '../measuring.mjs';

/**
 * Milliseconds a step, the median over stretches of `stretch` steps after one that does not count.
 * @param {{ features: number, hidden: number, probabilities: number[], precision: 'fp32' | 'bf16', batch: number,
 *   stretch: number, stretches: number }} spec
 */
export async function measure({ features, hidden, probabilities, precision, batch, stretch, stretches }) {
  const backend = loadBackend();
  /** @type {number[]} */
  const times = [];
  let start = 0;
  await trainToyModels(backend, {
    ...ELHAGE,
    architecture: reluOutput(features, hidden),
    instances: probabilities.map((_, seed) => ({ seed, importance: 1 })),
    inputs: { kind: 'independent', probabilities, low: 0, high: 1 },
    precision,
    batch,
    steps: (1 + stretches) * stretch,
    logEvery: stretch,
    onLog() {
      if (start > 0) times.push((performance.now() - start) / stretch);
      start = performance.now();
    },
  });
  return { milliseconds: median(times), steps: stretches * stretch };
}
