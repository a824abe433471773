/**
 * Where training leads a dictionary that starts as the true features. One that its own loss leads away from them would
 * not have come to them from anywhere: what it lacks is then no matter of training.
 */
import { familyOf } from '../../dist/dictionaries/families/index.js';
import { scoreDirections } from '../../dist/evaluation/groundTruth.js';
import { trainingOptions } from '../../dist/training/recipe.js';
import { initialState } from '../../dist/training/state.js';
import { trainStep } from '../../dist/training/step.js';
import { createWorkspace } from '../../dist/training/workspace.js';
import { L0, LATENTS } from './lessons.mjs';
import { BATCH, worldOf } from './world.mjs';

const STEPS = 3000;
/** Of the authors of the toy; low, so that what drifts is led there and not thrown. */
const RATE = 3e-4;
/** Steps over which the explained variance is averaged, at the start and at the end. */
const AVERAGED = 100;

/**
 * A Markdown table of topk and batchtopk, in each world at its first and at its last steps.
 * @param {import('../../src/kernels/backend.ts').Backend} backend @param {number[]} seeds
 */
export async function fromTruth(backend, seeds) {
  const rows = [];
  for (const seed of seeds)
    for (const name of ['topk', 'batchtopk']) rows.push(await drift(backend, seed, name));
  return [
    `| family | world | explained variance: first ${AVERAGED} steps, last ${AVERAGED} of ${STEPS} | MCC: start, end |`,
    '| --- | --- | --- | --- |',
    ...rows.toSorted((a, b) => b.localeCompare(a)),
  ].join('\n');
}

/** @param {import('../../src/kernels/backend.ts').Backend} backend @param {number} seed @param {string} name */
async function drift(backend, seed, name) {
  const { distribution, blocks } = await worldOf(backend, seed, STEPS);
  const { width, directions } = distribution;
  const family = familyOf(name);
  const options = trainingOptions(
    family,
    family.options.parse({ family: name, latents: LATENTS, k: L0 }),
    { tokens: STEPS * BATCH, batch: BATCH, seed, learningRate: RATE },
    width,
  );
  const state = await initialState(backend, options, {
    width,
    center: new Float64Array(width),
    autoencoder: true,
  });
  state.parameters.encoderWeight.set(directions);
  state.parameters.decoderWeight.set(directions);
  const workspace = createWorkspace(backend);
  let [first, last] = [0, 0];
  const mcc = async () =>
    (await scoreDirections(backend, state.parameters.decoderWeight, directions, width)).mcc.toFixed(3);
  const before = await mcc();
  for (let step = 0; step < STEPS; step++) {
    const { x } = await distribution.draw(backend, step * BATCH, BATCH);
    const { fvu } = await trainStep(backend, options, state, { x, scale: blocks[0].scale }, workspace);
    if (step < AVERAGED) first += (1 - fvu) / AVERAGED;
    if (step >= STEPS - AVERAGED) last += (1 - fvu) / AVERAGED;
  }
  return `| ${name} | ${seed} | ${first.toFixed(3)}, ${last.toFixed(3)} | ${before}, ${await mcc()} |`;
}
