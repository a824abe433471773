/**
 * One dictionary's way through the world in which families are compared: trained on fresh samples, then held against the
 * truth. It must not know which families there are, nor how results are shown.
 */
import { decode, encode } from '../../dist/dictionaries/dictionary.js';
import { scoreDirections, scoreRandomDirections } from '../../dist/evaluation/groundTruth.js';
import { scoreFirings } from '../../dist/evaluation/groundTruthFirings.js';
import { randomDictionary } from '../../dist/evaluation/nulls/random.js';
import { unexplained } from '../../dist/evaluation/unexplained.js';
import { inRawUnits } from '../../dist/pipeline/learn.js';
import { trainingOptions } from '../../dist/training/recipe.js';
import { currentDictionary } from '../../dist/training/state.js';
import { trainStep } from '../../dist/training/step.js';
import { splitBlocks } from '../../dist/training/stream.js';
import { rowsOf, train } from '../../dist/training/train.js';
import { createWorkspace } from '../../dist/training/workspace.js';
import { TEST_ROWS, threeViews } from './views.mjs';

export const BATCH = 1024;
/** Samples are independent, so a window need not be large to mix them. */
const WINDOW_ROWS = 16_384;
const TIMED_STEPS = 100;

/**
 * @typedef {import('./views.mjs').Kind} Kind
 * @typedef {{ family: import('../../src/dictionaries/families/family.ts').Family, dictionary: object, kind: Kind }} Lesson
 * @typedef {{ l0: number, mcc: number, nullMcc: number, f1: number, explained: number, dead: number, seconds: number }} Scores
 */

/** @param {import('../../src/kernels/backend.ts').Backend} backend @param {number} seed @param {number} steps */
export async function worldOf(backend, seed, steps) {
  return { seed, steps, ...(await threeViews(backend, seed, steps * BATCH)) };
}

/** @typedef {Awaited<ReturnType<typeof worldOf>>} World */

/** @param {World} world @param {Lesson} lesson @returns {import('../../src/training/train.ts').Arm} */
function armOf({ seed, steps, blocks }, { family, dictionary, kind }) {
  const factor = family.recipe.squaredNorm === 'width' ? Math.sqrt(blocks[0].end) : 1;
  const [x, rotated, passed] = blocks.map((block) => ({ ...block, scale: factor * block.scale }));
  const options = trainingOptions(
    family,
    family.options.parse({ family: family.name, ...dictionary }),
    {
      tokens: steps * BATCH,
      batch: BATCH,
      seed,
      shuffleSeed: seed,
      windowRows: WINDOW_ROWS,
      skip: kind === 'skip transcoder',
    },
    x.end,
  );
  if (kind === 'crosscoder') return { options, input: [x, rotated] };
  return { options, input: [x], ...(kind !== 'autoencoder' && { target: [passed] }) };
}

/**
 * Trains all lessons on the same samples, and scores them on samples that none was trained on. Those that the store has
 * are taken from there: a dictionary comes to the same bytes whoever is trained beside it.
 * @param {import('../../src/kernels/backend.ts').Backend} backend @param {World} world @param {Lesson[]} lessons
 * @param {ReturnType<typeof import('./store.mjs').openStore>} store @param {(step: number) => void} onStep
 * @returns {Promise<Scores[]>}
 */
export async function trainAndScore(backend, world, lessons, store, onStep) {
  const nameOf = (/** @type {Lesson} */ { family, dictionary, kind }) => {
    const { seed, steps } = world;
    return { family: family.name, dictionary, kind, seed, steps };
  };
  const missing = lessons.filter((lesson) => store.get(nameOf(lesson)) === undefined);
  const found = missing.length === 0 ? [] : await trainAll(backend, world, missing, onStep);
  for (const [i, lesson] of missing.entries()) store.add(nameOf(lesson), found[i]);
  return lessons.map((lesson) => store.get(nameOf(lesson)));
}

/**
 * @param {import('../../src/kernels/backend.ts').Backend} backend @param {World} world @param {Lesson[]} lessons
 * @param {(step: number) => void} onStep
 * @returns {Promise<Scores[]>}
 */
async function trainAll(backend, world, lessons, onStep) {
  const arms = lessons.map((lesson) => armOf(world, lesson));
  const stream = { source: world.source, batch: BATCH, windowRows: WINDOW_ROWS, shuffleSeed: world.seed };
  const results = await train({
    backend,
    stream,
    arms,
    afterStep: (step) => {
      onStep(step);
      return [];
    },
  });
  const scores = [];
  for (const [i, { state }] of results.entries()) {
    const dictionary = inRawUnits(await currentDictionary(backend, state, arms[i].options), arms[i]);
    const dead = state.tokensSinceFired.filter((tokens) => tokens >= arms[i].options.deadAfterTokens).length;
    const score = await scoreDictionary(backend, world, dictionary, lessons[i].kind);
    scores.push({ ...score, dead, seconds: await processorSeconds(backend, world, arms[i], state) });
  }
  return scores;
}

/**
 * Processor time of the whole training, from that of the steps at its end, taken alone: others on the machine do not
 * count, nor does drawing the samples.
 * @param {import('../../src/kernels/backend.ts').Backend} backend @param {World} world
 * @param {import('../../src/training/train.ts').Arm} arm @param {import('../../src/training/state.ts').TrainingState} state
 */
async function processorSeconds(backend, world, arm, state) {
  const width = world.source.width;
  const batch = splitBlocks(world.test.slice(0, BATCH * width), BATCH, width);
  const rows = rowsOf(arm, batch);
  const workspace = createWorkspace(backend);
  state.step = world.steps - TIMED_STEPS - 1;
  const before = process.cpuUsage();
  for (let step = 0; step < TIMED_STEPS; step++)
    await trainStep(backend, arm.options, state, rows, workspace);
  const { user, system } = process.cpuUsage(before);
  return ((user + system) / 1e6 / TIMED_STEPS) * world.steps;
}

/**
 * @param {import('../../src/kernels/backend.ts').Backend} backend @param {World} world
 * @param {import('../../src/dictionaries/dictionary.ts').Dictionary} dictionary @param {Kind} kind
 * @returns {Promise<Omit<Scores, 'dead' | 'seconds'>>}
 */
async function scoreDictionary(backend, world, dictionary, kind) {
  const { directions: truth, labels } = world.truth[kind];
  const whole = splitBlocks(world.test, TEST_ROWS, world.source.width);
  const [first, rotated, passed] = world.blocks.map((block) => ({ ...block, scale: 1 }));
  const { x } = whole.read(kind === 'crosscoder' ? [first, rotated] : [first]);
  const { x: y } = kind === 'crosscoder' || kind === 'autoencoder' ? { x } : whole.read([passed]);
  const codes = await encode(backend, dictionary, x, TEST_ROWS);
  const output = await decode(backend, dictionary, codes, x);
  const { outputWidth, latents, decoderWeight } = dictionary;
  const directions = await scoreDirections(backend, decoderWeight, truth, outputWidth);
  const firings = scoreFirings({ codes, labels, features: world.distribution.features, ...directions });
  const random = await scoreRandomDirections(backend, { latents, seed: world.seed }, truth, outputWidth);
  return {
    l0: codes.values.length / TEST_ROWS,
    mcc: directions.mcc,
    nullMcc: random.mcc,
    f1: firings.byFeature.mean.f1,
    explained: 1 - unexplained(output, y, outputWidth),
  };
}

/**
 * What stands beside the trained ones: `random`, directions that nothing was learned about, k of them active and scaled as
 * is best; and `truth`, the features themselves read by inner products, with k of them active.
 * @param {import('../../src/kernels/backend.ts').Backend} backend @param {World} world @param {number} k
 */
export async function yardsticks(backend, world, k) {
  const { width, features: latents, directions } = world.distribution;
  const { mean } = world.blocks[0];
  const { x } = splitBlocks(world.test, TEST_ROWS, world.source.width).read([
    { ...world.blocks[0], scale: 1 },
  ]);
  const random = await randomDictionary(backend, { latents, k, seed: world.seed }, mean, x, TEST_ROWS);
  const truth = {
    width,
    outputWidth: width,
    latents,
    encoderWeight: directions,
    encoderBias: new Float32Array(latents),
    decoderWeight: directions,
    decoderBias: new Float32Array(width),
    selection: { kind: /** @type {const} */ ('topk'), k },
  };
  return {
    random: await scoreDictionary(backend, world, random, 'autoencoder'),
    truth: await scoreDictionary(backend, world, truth, 'autoencoder'),
  };
}
