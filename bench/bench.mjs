/**
 * Measures how fast monosem is on this machine, and how near the machine's limits, in one run: figures belong to the machine
 * and the moment, ratios within one run travel.
 *
 *   npm run bench                     everything, as tables
 *   npm run bench -- --only training  one of: limits, training, toy, worlds, models, growth, sweep
 *   npm run bench -- --quick          fewer and shorter runs, for a first look
 *   npm run bench -- --json           for machines
 *   npm run bench -- --markdown       also writes the tables into docs/performance.md
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { parseArgs } from 'node:util';
import { loadBackend } from '../dist/kernels/index.js';
import { asText, intoDocument, number } from './report.mjs';
import { growthSection } from './sections/growth.mjs';
import { limitsSection, measureLimits } from './sections/limits.mjs';
import { modelsSection } from './sections/models.mjs';
import { sweepSection } from './sections/sweep.mjs';
import { toySection } from './sections/toy.mjs';
import { trainingSection } from './sections/training.mjs';
import { worldsSection } from './sections/worlds.mjs';

const SECTIONS = ['limits', 'training', 'toy', 'worlds', 'models', 'growth', 'sweep'];

const { values: flags } = parseArgs({
  options: {
    only: { type: 'string' },
    quick: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    markdown: { type: 'boolean', default: false },
  },
});
if (flags.only !== undefined && !SECTIONS.includes(flags.only))
  throw new Error(`--only ${flags.only}: expected one of ${SECTIONS.join(', ')}`);
if (flags.markdown && (flags.only !== undefined || flags.quick))
  throw new Error('--markdown replaces all tables with those of one whole run: leave out --only and --quick');

const { instructionSet, threads } = loadBackend();
const machine = {
  processor: cpus()[0].model.trim(),
  processors: cpus().length,
  memoryBytes: totalmem(),
  instructionSet,
  threads,
  node: process.version,
  platform: `${process.platform} ${process.arch}`,
};
const machineLine =
  `${machine.processor}, ${machine.processors} processors, ${number(machine.memoryBytes / 1e9)} GB; ` +
  `instruction set ${instructionSet}, ${threads} threads; node ${machine.node}, ${machine.platform}`;

const wants = (/** @type {string} */ name) => flags.only === undefined || flags.only === name;
const { quick } = flags;
const progress = (/** @type {string} */ what) => process.stderr.write(`${what}\n`);
const sections = [];
if (wants('limits') || wants('training') || wants('toy')) {
  progress('limits');
  const limits = await measureLimits({ quick });
  if (wants('training')) sections.push(await trainingSection({ quick, threads, limits, progress }));
  if (wants('toy')) sections.push(await toySection({ quick, limits, progress }));
  sections.push(limitsSection(limits));
}
if (wants('models')) sections.push(await modelsSection({ quick, progress }));
if (wants('sweep')) sections.push(await sweepSection({ quick, progress }));
if (wants('worlds')) sections.push(await worldsSection({ quick, progress }));
if (wants('growth')) sections.push(await growthSection({ quick, threads, progress }));

if (flags.json) {
  const data = Object.fromEntries(sections.map((section) => [section.name, section.data]));
  const ratios = sections.flatMap((section) => section.ratios);
  console.log(JSON.stringify({ machine, ratios, ...data }, null, 2));
} else {
  console.log(asText(machineLine, sections));
}
if (flags.markdown) {
  const path = new URL('../docs/performance.md', import.meta.url);
  writeFileSync(path, intoDocument(readFileSync(path, 'utf8'), machineLine, sections));
}
