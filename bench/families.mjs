/**
 * Trains every family at its own recipe in a world with known features, and writes what it found between the markers in
 * docs/families.md. It takes about an hour; what is done is kept in build/families.jsonl, so it can be broken off and gone
 * on with. Operations are small: MONOSEM_THREADS=1 is best.
 *
 *   npm run families                     the table, of three worlds
 *   npm run families -- --markdown       also writes it into docs/families.md
 *   npm run families -- --quick          300 steps in one world, for a first look
 *   npm run families -- --search         looks for the coefficients at which penalised families have an L0 of 11
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { familyNames, familyOf } from '../dist/dictionaries/families/index.js';
import { loadBackend } from '../dist/kernels/index.js';
import { coefficientOf, searchCoefficients } from './families/search.mjs';
import { openStore } from './families/store.mjs';
import { BATCH, trainAndScore, twoViews, yardsticks } from './families/world.mjs';

const LATENTS = 50;
/** The true L0 is 10.95. */
const K = 11;
/** Of k groups of one size: the divisor of 50 that is next to 11. */
const GROUPS = 10;
/**
 * At which an L0 of 11 was found by `--search`, in a world that is none of those of the table. The defaults are for activations of
 * language models.
 * @type {Record<string, number>}
 */
const FOUND = {};

const { values: flags } = parseArgs({
  options: {
    markdown: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    search: { type: 'boolean', default: false },
  },
});
if (flags.markdown && (flags.quick || flags.search))
  throw new Error('--markdown replaces the table with that of a whole run: leave out --quick and --search');

const backend = loadBackend();
const store = openStore();
const [steps, seeds] = flags.quick ? [300, [1]] : [9000, [1, 2, 3]];

/** What a family is told beside its defaults. @param {string} name */
function toldTo(name) {
  const shape = familyOf(name).options.shape;
  if (name === 'groupmax') return { latents: LATENTS, k: GROUPS };
  if ('k' in shape) return { latents: LATENTS, k: K };
  if ('target' in shape) return { latents: LATENTS, target: K };
  return { latents: LATENTS };
}

/** @param {Record<string, unknown>} dictionary */
function knobOf({ k, target, coefficient }) {
  if (k !== undefined) return `k ${k}`;
  if (target !== undefined) return `target ${target}`;
  return `coefficient ${Number(Number(coefficient).toPrecision(3))}`;
}

/** Each is trained in every world. @returns {(import('./families/world.mjs').Lesson & { name: string, knob: string, source: string })[]} */
function lessons() {
  const lesson = (family, kind, given, name, knob) => {
    const dictionary = { ...toldTo(family.name), ...given };
    const parsed = family.options.parse({ family: family.name, ...dictionary });
    return { family, kind, dictionary, name, knob: knob ?? knobOf(parsed), source: family.source };
  };
  const all = familyNames.flatMap((name) => {
    const family = familyOf(name);
    const coefficient = FOUND[name];
    const found = coefficient === undefined ? [] : [lesson(family, 'autoencoder', { coefficient }, name)];
    const byDefault = lesson(family, 'autoencoder', {}, name);
    return [
      coefficientOf(family) === undefined ? byDefault : { ...byDefault, knob: `${byDefault.knob} (default)` },
      ...found,
    ];
  });
  const topk = familyOf('topk');
  return [
    ...all,
    {
      ...lesson(topk, 'transcoder', {}, 'topk, transcoder'),
      source: 'Dunefsky et al. 2024, arXiv 2406.11944',
    },
    { ...lesson(topk, 'skip', {}, 'topk, skip transcoder'), source: 'Paulo et al. 2025, arXiv 2501.18823' },
    {
      ...lesson(topk, 'crosscoder', {}, 'topk, crosscoder'),
      source: 'Lindsey et al. 2024, Transformer Circuits',
    },
  ];
}

const figure = (/** @type {number} */ value, digits = 3) => value.toFixed(digits);
const mean = (/** @type {number[]} */ values) =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

/** @param {{ name: string, knob: string, source: string }} lesson @param {Partial<import('./families/world.mjs').Scores>[]} scores */
function row({ name, knob, source }, scores) {
  const of = (/** @type {keyof import('./families/world.mjs').Scores} */ key) =>
    scores.map((score) => score[key]);
  const whether = (/** @type {keyof import('./families/world.mjs').Scores} */ key, digits) =>
    of(key)[0] === undefined ? '' : figure(mean(of(key)), digits);
  const mcc = of('mcc');
  const interval = `${figure(mean(mcc))} (${figure(Math.min(...mcc))} to ${figure(Math.max(...mcc))})`;
  const cells = [
    name,
    source,
    knob,
    whether('l0', 1),
    interval,
    whether('f1'),
    whether('explained'),
    whether('nullMcc'),
    whether('dead', 1),
    whether('seconds', 0),
  ];
  return `| ${cells.join(' | ')} |`;
}

const COLUMNS = [
  'family',
  'source',
  'knob',
  'L0',
  'MCC: mean (lowest to highest)',
  'F1',
  'explained variance',
  'null MCC',
  'dead',
  'CPU seconds',
];

async function table() {
  const all = lessons();
  const scores = [];
  const beside = [];
  for (const seed of seeds) {
    const world = await twoViews(backend, seed, steps);
    beside.push(await yardsticks(backend, world, K));
    scores.push(
      await trainAndScore(backend, world, all, store, (step) => {
        if (step % 500 === 0) process.stderr.write(`world ${seed}: step ${step} of ${steps}\n`);
      }),
    );
    for (const [i, lesson] of all.entries()) process.stderr.write(`${row(lesson, [scores.at(-1)[i]])}\n`);
  }
  const rows = all.map((lesson, i) =>
    row(
      lesson,
      scores.map((each) => each[i]),
    ),
  );
  const yardstick = (name, source, each) => row({ name, source, knob: `k ${K}` }, each);
  const truth = yardstick(
    '*the true features*',
    'no training',
    beside.map((each) => each.truth),
  );
  const random = yardstick(
    '*random directions*',
    'no training',
    beside.map((each) => each.random),
  );
  const machine = `${cpus()[0].model.trim()}, instruction set ${backend.instructionSet}, ${backend.threads} threads; `;
  return [
    `| ${COLUMNS.join(' | ')} |`,
    `|${' --- |'.repeat(COLUMNS.length)}`,
    ...rows,
    truth,
    random,
    '',
    `${machine}${steps.toLocaleString('en')} steps of ${BATCH.toLocaleString('en')} samples, worlds ${seeds.join(', ')}.`,
  ].join('\n');
}

if (flags.search) {
  const penalised = familyNames
    .map((name) => familyOf(name))
    .filter((family) => coefficientOf(family) !== undefined);
  const found = await searchCoefficients(backend, penalised, store, { steps, latents: LATENTS, l0: K });
  console.log(JSON.stringify(found, null, 2));
} else {
  const text = await table();
  console.log(text);
  if (flags.markdown) {
    const path = new URL('../docs/families.md', import.meta.url);
    const document = readFileSync(path, 'utf8');
    const [open, close] = ['<!-- measured:families -->', '<!-- /measured:families -->'];
    const [from, to] = [document.indexOf(open), document.indexOf(close)];
    if (from < 0 || to < 0) throw new Error('docs/families.md: the marks of the table are missing');
    writeFileSync(path, `${document.slice(0, from + open.length)}\n\n${text}\n\n${document.slice(to)}`);
  }
}
