/** Tokens a second that a model turns into activations at a hook point. */
import { loadBackend } from '../../dist/kernels/index.js';
import { loadModel } from '../../dist/models/registry.js';
import { median, timeRuns } from '../measuring.mjs';

/** @param {{ hook: string, batch: number, length: number, precision: 'fp32' | 'bf16', quick: boolean }} spec */
export async function measure({ hook, batch, length, precision, quick }) {
  const { model } = await loadModel('stories15M', loadBackend(), { precision });
  const { vocabulary, bos } = model.config;
  const tokens = Int32Array.from({ length: batch * length }, (_, i) =>
    i % length === 0 ? bos : 3 + ((i * 7919) % (vocabulary - 3)),
  );
  const times = await timeRuns(() => model.run(tokens, { batch, length, capture: [hook], stopAt: hook }), {
    least: 5,
    seconds: quick ? 0 : 2,
  });
  return { tokensPerSecond: (1000 * batch * length) / median(times), runs: times.length };
}
