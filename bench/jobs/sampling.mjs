/** Tokens a second that a model writes, as for the corpus `self`: 256 tokens a sequence, temperature 1. */
import { loadBackend } from '../../dist/kernels/index.js';
import { loadModel } from '../../dist/models/registry.js';
import { sampleTokens } from '../../dist/models/sampling.js';
import { median, timeRuns } from '../measuring.mjs';

/** @param {{ sequences: number, length: number, precision: 'fp32' | 'bf16', quick: boolean }} spec */
export async function measure({ sequences, length, precision, quick }) {
  const { model } = await loadModel('stories15M', loadBackend(), { precision });
  const times = await timeRuns(() => sampleTokens(model, { sequences, length, temperature: 1, seed: 0 }), {
    least: quick ? 1 : 3,
    seconds: 0,
  });
  return { tokensPerSecond: (1000 * sequences * length) / median(times), runs: times.length };
}
