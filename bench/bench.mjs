// Times one TopK training step and what it consists of, at the size of a GPT-2 small residual stream. `--json` for
// machines. Figures belong to the machine and the moment: compare them within one run only.
import { parseArgs } from 'node:util';
import { loadBackend } from '../dist/kernels/index.js';
import { Random } from '../dist/math/random.js';
import { createWorkspace } from '../dist/training/gradients.js';
import { initialState } from '../dist/training/state.js';
import { trainStep } from '../dist/training/step.js';

const { values: flags } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    steps: { type: 'string', default: '5' },
    width: { type: 'string', default: '768' },
    latents: { type: 'string', default: '24576' },
    k: { type: 'string', default: '32' },
    family: { type: 'string', default: 'topk' },
  },
});
const [width, latents, k, batch] = [Number(flags.width), Number(flags.latents), Number(flags.k), 4096];
const backend = loadBackend();

/** @type {import('../src/training/options.ts').TrainingOptions} */
const options = {
  family: flags.family,
  latents,
  k,
  tokens: batch * 1000,
  batch,
  learningRate: 2e-4,
  warmupFraction: 0.1,
  decayFraction: 0.2,
  beta1: 0.9,
  beta2: 0.999,
  auxCoefficient: 1 / 32,
  auxLatents: width / 2,
  deadAfterTokens: 10_000_000,
  gradientClip: 1,
  seed: 0,
  windowRows: 1,
};

const spent = {};
const timed = Object.fromEntries(
  Object.entries(backend).map(([name, operation]) => [
    name,
    typeof operation !== 'function'
      ? operation
      : async (...operands) => {
          const start = performance.now();
          const result = await operation(...operands);
          spent[name] = (spent[name] ?? 0) + performance.now() - start;
          return result;
        },
  ]),
);

const x = new Float32Array(batch * width);
new Random(1).fillNormal(x, width ** -0.5);
const state = await initialState(backend, options, new Float32Array(width));
const workspace = createWorkspace(backend, { rows: batch, width, k, auxLatents: options.auxLatents });
await trainStep(backend, options, state, { x, scale: 1 }, workspace);

const steps = Number(flags.steps);
const times = [];
for (let i = 0; i < steps; i++) {
  const start = performance.now();
  await trainStep(timed, options, state, { x, scale: 1 }, workspace);
  times.push(performance.now() - start);
}
const median = times.sort((a, b) => a - b)[Math.floor(steps / 2)];
const result = {
  family: flags.family,
  width,
  latents,
  k,
  batch,
  backend: backend.name,
  instructionSet: backend.instructionSet,
  threads: backend.threads,
  stepMilliseconds: median,
  tokensPerSecond: (batch / median) * 1e3,
  encoderGigaflops: (2 * width * latents * batch) / median / 1e6,
  peakMegabytes: process.resourceUsage().maxRSS / 1024,
  operations: Object.fromEntries(
    Object.entries(spent)
      .map(([name, ms]) => [name, ms / steps])
      .sort((a, b) => b[1] - a[1]),
  ),
};
if (flags.json) {
  console.log(JSON.stringify(result, null, 2));
} else {
  console.log(
    `${result.family} step, d ${width}, F ${latents}, k ${k}, batch ${batch}; ` +
      `${result.backend} ${result.instructionSet}, ${result.threads} threads`,
  );
  console.log(
    `${Math.round(result.tokensPerSecond)} tokens/s, ${median.toFixed(0)} ms a step (median of ${steps}), ` +
      `peak memory ${result.peakMegabytes.toFixed(0)} MB`,
  );
  for (const [name, ms] of Object.entries(result.operations))
    console.log(`  ${name.padEnd(18)} ${ms.toFixed(1)} ms`);
}
