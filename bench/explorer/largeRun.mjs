/**
 * A run directory of any size with seeded made-up content, by the project's own writers, for measuring the pages. Nothing in it was
 * trained; words follow Zipf's law, as those of texts do, and each latent fires on a few of them.
 */
import { rm } from 'node:fs/promises';
import { LATENT_CLASSES } from '../../dist/evaluation/composition/graph.js';
import { VERDICTS } from '../../dist/evaluation/verdict/verdicts.js';
import { WordIndex } from '../../dist/interpretation/atlas/wordIndex.js';
import { Random } from '../../dist/math/random.js';
import { writeWords } from '../../dist/runs/atlas.js';
import { ATLAS_COLUMNS, atlasRowSchema } from '../../dist/runs/atlasSchema.js';
import { parseConfig } from '../../dist/runs/config.js';
import { createRun, RUN_FILES } from '../../dist/runs/directory.js';
import { EVIDENCE_COLUMNS, latentEvidenceSchema } from '../../dist/runs/evidenceSchema.js';
import { writeExamples, writeFeatures, writeTable } from '../../dist/runs/tables.js';

const VOCABULARY = 30_000;
const WINDOW = 32;
const ABOUT = 4;

/** @param {string} directory @param {{ latents: number, examples: number, seed: number }} size */
export async function makeLargeRun(directory, { latents, examples, seed }) {
  await rm(directory, { recursive: true, force: true });
  const words = vocabulary(new Random(seed, 'words'));
  const random = new Random(seed, 'content');
  const word = () => words[Math.floor(VOCABULARY ** random.uniform()) - 1];
  const list = (/** @type {number} */ n) => Array.from({ length: n }, word);
  await createRun(directory, runOf(latents, seed));
  const about = Array.from({ length: latents }, () => list(ABOUT));

  const each = Math.round(examples / latents);
  const index = new WordIndex();
  function* exampleRows() {
    for (let latent = 0; latent < latents; latent++)
      for (let rank = 0; rank < each; rank++) {
        const tokens = list(WINDOW);
        const focus = random.below(WINDOW);
        tokens[focus] = about[latent][random.below(ABOUT)];
        const activations = new Array(WINDOW).fill(0);
        activations[focus] = Math.fround(1 - rank / each);
        index.add(latent, tokens, activations, 1);
        const place = { document: random.below(5000), sequence: rank, position: random.below(200) };
        const activation = activations[focus];
        const kind = /** @type {const} */ ('top');
        yield { latent, kind, quantile: -1, rank, ...place, activation, tokens, activations, focus };
      }
  }
  await writeExamples(directory, exampleRows());
  await writeWords(directory, index.groups());

  const density = Array.from({ length: latents }, () => 10 ** (-5 + 4 * random.uniform()));
  await writeFeatures(
    directory,
    density.map((density, latent) => ({
      latent,
      density,
      firings: Math.round(density * 1e6),
      maxActivation: Math.fround(5 * random.uniform()),
      meanActivation: Math.fround(random.uniform()),
      promotedTokens: list(10),
      promotedLogits: new Array(10).fill(0.5),
      suppressedTokens: list(10),
      suppressedLogits: new Array(10).fill(-0.5),
      topTokens: about[latent],
    })),
  );
  const numbers = Object.keys(EVIDENCE_COLUMNS).filter(
    (key) => !['latent', 'class', 'verdict'].includes(key),
  );
  await writeTable(
    `${directory}/${RUN_FILES.latentEvidence}`,
    latentEvidenceSchema,
    EVIDENCE_COLUMNS,
    density.map(
      (_, latent) =>
        /** @type {import('../../src/runs/evidenceSchema.ts').LatentEvidence} */ ({
          latent,
          class: LATENT_CLASSES[random.below(LATENT_CLASSES.length)],
          verdict: VERDICTS[random.below(VERDICTS.length)],
          ...Object.fromEntries(numbers.map((key) => [key, random.uniform()])),
        }),
    ),
  );
  const centres = Array.from({ length: 60 }, () => [20 * random.normal(), 20 * random.normal()]);
  const lists = { neighbours: [], neighbourCosines: [], companions: [], companionLifts: [] };
  await writeTable(
    `${directory}/${RUN_FILES.latentAtlas}`,
    atlasRowSchema,
    ATLAS_COLUMNS,
    density.map((_, latent) => {
      const [x, y] = centres[random.below(centres.length)];
      return {
        latent,
        x: Math.fround(x + 2 * random.normal()),
        y: Math.fround(y + 2 * random.normal()),
        ...lists,
        companionCounts: [],
        neurons: [],
        neuronWeights: [],
        effectiveNeurons: 100,
        activationCounts: new Array(20).fill(1),
      };
    }),
  );
}

/** Pronounceable and distinct, the shortest first, as frequent words are. @param {Random} random */
function vocabulary(random) {
  const [starts, ends] = [['b', 'd', 'f', 'g', 'k', 'l', 'm', 'n', 'p', 'r', 's', 't', 'th', 'w'], 'aeiou'];
  /** @type {Set<string>} */
  const words = new Set();
  for (let tries = 0; words.size < VOCABULARY; tries++) {
    const syllables = 1 + Math.floor(tries / 4000) + random.below(2);
    const parts = Array.from({ length: syllables }, () => starts[random.below(14)] + ends[random.below(5)]);
    words.add(` ${parts.join('')}`);
  }
  return [...words];
}

/** @param {number} latents @param {number} seed @returns {import('../../src/runs/schema.ts').Run} */
function runOf(latents, seed) {
  const nothing = { train: 0, validation: 0, test: 0 };
  const sha256 = '0'.repeat(64);
  return {
    format: 1,
    name: 'large',
    status: 'complete',
    created: '2026-01-01T00:00:00.000Z',
    config: parseConfig({ name: 'large', seed, dictionary: { latents, k: 32 } }),
    seed,
    versions: { monosem: '0.1.0', node: process.versions.node },
    model: { name: 'made-up', sha256, source: 'made up, for measuring' },
    corpus: {
      name: 'made-up',
      description: 'made up, for measuring',
      modelGenerated: true,
      sha256,
      documents: nothing,
      tokens: nothing,
    },
    machine: { cpu: '', backend: '', instructionSet: '', threads: 1 },
    activations: { width: 288, scale: 1 },
    training: { tokens: 0, steps: 0, deadLatents: 0 },
    timing: {},
    flops: {},
  };
}
