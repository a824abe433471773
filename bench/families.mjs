/**
 * Trains every family at its own recipe in three worlds with known features, and shows how much of the truth each found.
 * It takes about half an hour of one core; what is done is kept in build/families.jsonl, so it can be broken off and gone on
 * with. Operations are small, so one thread is best: MONOSEM_THREADS=1.
 *
 *   npm run families                     the table
 *   npm run families -- --markdown       also writes it into docs/families.md
 *   npm run families -- --quick          300 steps in one world, for a first look
 *   npm run families -- --search         looks for the coefficients at which penalised families have an L0 of 11
 *   npm run families -- --from-truth     where topk and batchtopk go from the true features, in two minutes
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { familyNames, familyOf } from '../dist/dictionaries/families/index.js';
import { loadBackend } from '../dist/kernels/index.js';
import { fromTruth } from './families/fromTruth.mjs';
import { allLessons, coefficientOf, L0, LATENTS } from './families/lessons.mjs';
import { searchCoefficients } from './families/search.mjs';
import { openStore } from './families/store.mjs';
import { HEAD, rowOf } from './families/table.mjs';
import { BATCH, trainAndScore, worldOf, yardsticks } from './families/world.mjs';

const { values: flags } = parseArgs({
  options: {
    markdown: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    search: { type: 'boolean', default: false },
    'from-truth': { type: 'boolean', default: false },
  },
});
if (flags.markdown && (flags.quick || flags.search || flags['from-truth']))
  throw new Error('--markdown replaces the table with that of a whole run: leave out what is beside it');

const backend = loadBackend();
const store = openStore();
const [steps, seeds] = flags.quick ? [300, [1]] : [3000, [1, 2, 3]];

async function table() {
  const lessons = allLessons();
  const results = [];
  for (const seed of seeds) {
    const world = await worldOf(backend, seed, steps);
    const { truth, random } = await yardsticks(backend, world, L0);
    const scores = await trainAndScore(backend, world, lessons, store, (step) => {
      if (step % 500 === 0) process.stderr.write(`world ${seed}: step ${step} of ${steps}\n`);
    });
    results.push([...scores, truth, random]);
  }
  const beside = { source: 'no training', knob: `k ${L0}` };
  const named = [
    ...lessons,
    { name: '*the true features*', ...beside },
    { name: '*random directions*', ...beside },
  ];
  const rows = named.map((each, i) => {
    const inEachWorld = results.map((scores) => scores[i]);
    return rowOf(each, inEachWorld);
  });
  const { instructionSet, threads } = backend;
  const machine = `${cpus()[0].model.trim()}, instruction set ${instructionSet}, threads: ${threads}`;
  const size = `${steps.toLocaleString('en')} steps of ${BATCH.toLocaleString('en')} samples`;
  return [...HEAD, ...rows, '', `${size}; seeds of the worlds: ${seeds.join(', ')}. ${machine}.`].join('\n');
}

/** @param {string} text */
function writeIntoDocument(text) {
  const path = new URL('../docs/families.md', import.meta.url);
  const document = readFileSync(path, 'utf8');
  const [open, close] = ['<!-- measured:families -->', '<!-- /measured:families -->'];
  const [from, to] = [document.indexOf(open), document.indexOf(close)];
  if (from < 0 || to < from) throw new Error('docs/families.md: the marks of the table are missing');
  writeFileSync(path, `${document.slice(0, from + open.length)}\n\n${text}\n\n${document.slice(to)}`);
}

if (flags.search) {
  const penalised = familyNames.map(familyOf).filter((family) => coefficientOf(family) !== undefined);
  const found = await searchCoefficients(backend, penalised, store, { steps, latents: LATENTS, l0: L0 });
  console.log(JSON.stringify(found, null, 2));
} else if (flags['from-truth']) {
  console.log(await fromTruth(backend, seeds));
} else {
  const text = await table();
  console.log(text);
  if (flags.markdown) writeIntoDocument(text);
}
