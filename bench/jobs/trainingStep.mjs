/** Training steps of one shape: time, time by operation, peak memory. */
import { familyOf } from '../../dist/dictionaries/families/index.js';
import { loadBackend } from '../../dist/kernels/index.js';
import { Random } from '../../dist/math/random.js';
import { trainingOptions } from '../../dist/training/recipe.js';
import { initialState } from '../../dist/training/state.js';
import { trainStep } from '../../dist/training/step.js';
import { createWorkspace } from '../../dist/training/workspace.js';
import { median, timeRuns } from '../measuring.mjs';

/** @typedef {import('../../src/kernels/backend.ts').Backend} Backend */

/**
 * On normal activations of unit squared norm, from the initial weights; no latent is dead, so AuxK costs nothing.
 * @param {{ family: 'topk' | 'batchtopk' | 'relu', precision: 'fp32' | 'bf16', width: number, latents: number, k: number,
 *   batch: number, quick: boolean }} spec
 */
export async function measure({ family, precision, width, latents, k, batch, quick }) {
  const native = loadBackend();
  const x = new Float32Array(batch * width);
  new Random(1).fillNormal(x, width ** -0.5);
  const before = process.resourceUsage().maxRSS;
  const chosen = familyOf(family);
  const dictionary = chosen.options.parse(family === 'relu' ? { family, latents } : { family, latents, k });
  const given = {
    tokens: batch * 1000,
    batch,
    precision,
    decoderNorm: 1,
    deadAfterTokens: Number.MAX_SAFE_INTEGER,
  };
  const options = trainingOptions(chosen, dictionary, given, width);
  const center = new Float32Array(width);
  const state = await initialState(native, options, { width, center, autoencoder: true });
  if (family === 'relu') await lowerBias(native, state, x, batch, k, precision);
  const { timed, spent, reset } = withTimes(native);
  const workspace = createWorkspace(native);
  let l0 = 0;
  const step = async () => {
    l0 = (await trainStep(timed, options, state, { x, scale: 1 }, workspace)).l0;
  };
  await step();
  reset();
  const times = await timeRuns(step, quick ? { least: 2, seconds: 0 } : { least: 5, seconds: 2 });
  return {
    milliseconds: median(times),
    steps: times.length,
    l0,
    // One step more was run than timed.
    operations: Object.fromEntries(
      Object.entries(spent).map(([name, ms]) => [name, ms / (times.length + 1)]),
    ),
    memoryBytes: 1024 * (process.resourceUsage().maxRSS - before),
    instructionSet: native.instructionSet,
    threads: native.threads,
  };
}

/**
 * Lowers all encoder biases alike, so that k latents of a token pass 0 on average.
 * @param {Backend} backend @param {import('../../src/training/state.ts').TrainingState} state @param {Float32Array} x
 * @param {number} rows @param {number} k @param {'fp32' | 'bf16'} precision
 */
async function lowerBias(backend, { parameters, width, latents }, x, rows, k, precision) {
  const { encoderWeight: weight, encoderBias: bias } = parameters;
  const operands = { x, rows, width, weight, bias, columns: latents, precision };
  const { values } = await backend.encodeBatchTopK({ ...operands, total: rows * k });
  const weakest = values.reduce((least, value) => Math.min(least, value), Number.POSITIVE_INFINITY);
  for (let i = 0; i < latents; i++) bias[i] -= weakest;
}

/**
 * The backend, and how many milliseconds each of its operations took in all.
 * @param {Backend} backend
 */
function withTimes(backend) {
  /** @type {Record<string, number>} */
  const spent = {};
  const timed = Object.fromEntries(
    Object.entries(backend).map(([name, operation]) => [
      name,
      typeof operation !== 'function'
        ? operation
        : async (/** @type {any[]} */ ...operands) => {
            const start = performance.now();
            const result = await operation(...operands);
            spent[name] = (spent[name] ?? 0) + performance.now() - start;
            return result;
          },
    ]),
  );
  const reset = () => {
    for (const name of Object.keys(spent)) delete spent[name];
  };
  return { timed: /** @type {Backend} */ (/** @type {unknown} */ (timed)), spent, reset };
}
