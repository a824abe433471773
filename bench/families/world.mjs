/**
 * The world in which families are compared, and one dictionary's way through it: trained on fresh samples, then held
 * against the truth. It must not know which families there are, nor how results are shown.
 */
import { knownSource } from '../../dist/activations/knownSource.js';
import { activationScale } from '../../dist/activations/normalise.js';
import { decode, encode } from '../../dist/dictionaries/dictionary.js';
import { scoreDirections, scoreRandomDirections } from '../../dist/evaluation/groundTruth.js';
import { scoreFirings } from '../../dist/evaluation/groundTruthFirings.js';
import { randomDictionary } from '../../dist/evaluation/nulls.js';
import { orthonormalRows } from '../../dist/math/orthonormal.js';
import { Random } from '../../dist/math/random.js';
import { inRawUnits } from '../../dist/pipeline/learn.js';
import { BLOCK_ROWS } from '../../dist/toy/distribution.js';
import { orthogonalToy } from '../../dist/toy/orthogonal.js';
import { trainingOptions } from '../../dist/training/recipe.js';
import { currentDictionary } from '../../dist/training/state.js';
import { trainStep } from '../../dist/training/step.js';
import { splitBlocks } from '../../dist/training/stream.js';
import { rowsOf, train } from '../../dist/training/train.js';
import { createWorkspace } from '../../dist/training/workspace.js';

export const BATCH = 1024;
/** Samples are independent, so a window need not be large to mix them. */
const WINDOW_ROWS = 16_384;
const TEST_ROWS = 32_768;
/** Test samples are the first blocks, training samples those after them. */
const TEST_BLOCKS = TEST_ROWS / BLOCK_ROWS;
const TIMED_STEPS = 100;

/**
 * @typedef {'autoencoder' | 'transcoder' | 'skip transcoder' | 'crosscoder'} Kind what is read, and what is reconstructed of it
 * @typedef {{ family: import('../../src/dictionaries/families/family.ts').Family, dictionary: object, kind: Kind }} Lesson
 * @typedef {{ l0: number, mcc: number, nullMcc: number, f1: number, explained: number, dead: number, seconds: number }} Scores
 */

/**
 * The orthogonal toy of a seed, seen twice: columns 0 .. 99 are x, columns 100 .. 199 are x R with a random rotation R.
 * A transcoder goes from the first view to the second, a crosscoder reads and reconstructs both.
 * @param {import('../../src/kernels/backend.ts').Backend} backend @param {number} seed @param {number} steps
 */
export async function twoViews(backend, seed, steps) {
  const distribution = orthogonalToy(seed);
  const { width, features } = distribution;
  const rotation = Float32Array.from(orthonormalRows(width, width, new Random(seed, 'rotation')));
  const packed = backend.pack(rotation, width, width);
  const rotated = async (/** @type {Float32Array} */ x) => {
    const out = new Float32Array(x.length);
    await backend.linear({ x, rows: x.length / width, weight: packed, out });
    return out;
  };
  const both = async (/** @type {Float32Array} */ x) => sideBySide(x, await rotated(x), width);
  const known = knownSource(distribution, {
    firstBlock: TEST_BLOCKS,
    sequences: (steps * BATCH) / BLOCK_ROWS,
  });
  const source = {
    ...known,
    width: 2 * width,
    read: async (/** @type {ArrayLike<number>} */ asked) => {
      const rows = await known.read(asked);
      return { ...rows, activations: await both(rows.activations) };
    },
  };
  const { x, labels } = distribution.draw(0, TEST_ROWS);
  const blocks = [];
  for (const start of [0, width]) {
    const end = start + width;
    blocks.push({ start, end, ...(await activationScale(source, { seed, start, end })) });
  }
  const [first, second] = [distribution.directions, await rotated(distribution.directions)];
  return {
    seed,
    steps,
    distribution,
    features,
    source,
    blocks,
    test: { activations: await both(x), labels },
    /** The true directions as the output of each kind has them. @type {Record<Kind, Float32Array>} */
    truth: {
      autoencoder: first,
      transcoder: second,
      'skip transcoder': second,
      crosscoder: sideBySide(first, second, width),
    },
  };
}

/** @typedef {Awaited<ReturnType<typeof twoViews>>} World */

/** @param {Float32Array} a @param {Float32Array} b @param {number} width */
function sideBySide(a, b, width) {
  const out = new Float32Array(2 * a.length);
  for (let r = 0; r * width < a.length; r++) {
    out.set(a.subarray(r * width, (r + 1) * width), 2 * r * width);
    out.set(b.subarray(r * width, (r + 1) * width), (2 * r + 1) * width);
  }
  return out;
}

/** @param {World} world @param {Lesson} lesson @returns {import('../../src/training/train.ts').Arm} */
function armOf({ seed, steps, blocks }, { family, dictionary, kind }) {
  const factor = family.recipe.squaredNorm === 'width' ? Math.sqrt(blocks[0].end) : 1;
  const [first, second] = blocks.map((block) => ({ ...block, scale: factor * block.scale }));
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
    first.end,
  );
  if (kind === 'crosscoder') return { options, input: [first, second] };
  return { options, input: [first], ...(kind !== 'autoencoder' && { target: [second] }) };
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
  const { activations } = world.test;
  const width = world.source.width;
  const batch = splitBlocks(activations.slice(0, BATCH * width), BATCH, width);
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
  const { labels, activations } = world.test;
  const whole = splitBlocks(activations, TEST_ROWS, world.source.width);
  const blocks = world.blocks.map((block) => ({ ...block, scale: 1 }));
  const [first, second] = [[blocks[0]], [blocks[1]]];
  const { x } = whole.read(kind === 'crosscoder' ? blocks : first);
  const { x: y } = kind === 'crosscoder' || kind === 'autoencoder' ? { x } : whole.read(second);
  const codes = await encode(backend, dictionary, x, TEST_ROWS);
  const output = await decode(backend, dictionary, codes, x);
  const { outputWidth, latents, decoderWeight } = dictionary;
  const truth = world.truth[kind];
  const directions = await scoreDirections(backend, decoderWeight, truth, outputWidth);
  const firings = scoreFirings({ codes, labels, features: world.features, ...directions });
  const random = await scoreRandomDirections(backend, { latents, seed: world.seed }, truth, outputWidth);
  return {
    l0: codes.values.length / TEST_ROWS,
    mcc: directions.mcc,
    nullMcc: random.mcc,
    f1: firings.byFeature.mean.f1,
    explained: 1 - unexplained(output, y, outputWidth),
  };
}

/** `sum |y - y'|^2 / sum |y - mean|^2` @param {Float32Array} output @param {Float32Array} y @param {number} width */
function unexplained(output, y, width) {
  const rows = y.length / width;
  const mean = new Float64Array(width);
  for (let i = 0; i < y.length; i++) mean[i % width] += y[i] / rows;
  let [left, variance] = [0, 0];
  for (let i = 0; i < y.length; i++) {
    left += (output[i] - y[i]) ** 2;
    variance += (y[i] - mean[i % width]) ** 2;
  }
  return left / variance;
}

/**
 * What stands beside the trained ones: `random`, directions that nothing was learned about, k of them active and scaled as
 * is best; and `truth`, the features themselves read by inner products, with k of them active.
 * @param {import('../../src/kernels/backend.ts').Backend} backend @param {World} world @param {number} k
 */
export async function yardsticks(backend, world, k) {
  const { width, directions } = world.distribution;
  const latents = world.features;
  const { mean } = world.blocks[0];
  const { x } = splitBlocks(world.test.activations, TEST_ROWS, world.source.width).read([
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
