/**
 * What others reported of toy models and of dictionaries on toys, beside what the experiments found: docs/reproductions.md.
 *
 *   npm run reproductions                   runs all experiments at full size first, into runs/toy
 *   npm run reproductions -- --runs <dir>   takes the entries that are there
 */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { EXPERIMENTS } from '../dist/experiments/index.js';
import { spearman } from '../dist/math/spearman.js';
import { quantile } from '../dist/math/statistics.js';
import { readEntry } from '../dist/runs/entry.js';
import { expectedNearestCosine } from '../dist/toy/bounds/randomDirections.js';

const { values: flags } = parseArgs({ options: { runs: { type: 'string' } } });
const runs = flags.runs ?? 'runs/toy';
if (flags.runs === undefined) {
  const main = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url));
  execFileSync(process.execPath, [main, 'toy', '--all', '--runs', runs], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}

/** @typedef {import('../src/runs/entry.ts').Entry} Entry */
/** @type {Map<string, Entry>} */
const entries = new Map();
for (const { name } of EXPERIMENTS) {
  const entry = await readEntry(join(runs, name));
  if (entry.quick) throw new Error(`${name} in ${runs} is of reduced size; run it without --quick`);
  entries.set(name, entry);
}

/** @param {string} experiment @param {string} start of the finding's name */
function finding(experiment, start) {
  const found = entries.get(experiment)?.findings.find(({ name }) => name.startsWith(start));
  if (found === undefined) throw new Error(`${experiment} has no finding ${start}`);
  return found.value ?? NaN;
}

/**
 * The values of a column of a figure's data, one for each row that agrees with each of `where`.
 * @param {string} experiment @param {string} figure @param {string} column @param {Record<string, number | string>[]} where
 */
function values(experiment, figure, column, where) {
  const data = entries.get(experiment)?.figures.find(({ name }) => name === figure)?.data ?? [];
  return where.map((wanted) => {
    const rows = data.filter((row) =>
      Object.entries(wanted).every(([key, value]) =>
        typeof value === 'number' ? Math.abs(Number(row[key]) - value) < 1e-6 : row[key] === value,
      ),
    );
    if (rows.length === 0) throw new Error(`${experiment}: ${figure} has no ${JSON.stringify(wanted)}`);
    return rows.map((row) => Number(row[column]));
  });
}

const ks = [3, 5, 7, 9, 10, 11, 12, 13, 15, 18, 22];
const levels = (/** @type {number} */ count) =>
  Array.from({ length: count }, (_, k) => 20 ** (-k / (count - 1)));
const sizes = [
  [200, 20],
  [512, 64],
  [2048, 64],
  [1024, 128],
  [4096, 768],
  [16384, 768],
];
const sparseLine = (/** @type {string} */ figure, /** @type {string} */ line) =>
  values(
    'sparse-but-wrong',
    figure,
    'value',
    ks.map((k) => ({ k, line })),
  );
const overlap = (/** @type {number} */ exponent) =>
  values(
    'overlap-law',
    'overlaps',
    'overlap',
    [10, 25, 63].map((hidden) => ({ decay: 'strong', exponent, hidden })),
  );

const firing = levels(8).map((_, k) => 0.8 * 0.01 ** (k / 7));
const effective = (/** @type {number} */ penalty) =>
  values(
    'effective-features',
    'count',
    'effective',
    firing.map((probability) => ({ probability, penalty })),
  );
/** The rank correlation of each seed. @param {number} penalty */
const correlations = (penalty) => {
  const squares = values(
    'effective-features',
    'count',
    'squares',
    firing.map((probability) => ({ probability, penalty })),
  );
  const counts = effective(penalty);
  return squares[0].map((_, seed) =>
    spearman(
      squares.map((level) => level[seed]),
      counts.map((level) => level[seed]),
    ),
  );
};

/**
 * `tolerance` is how far a value may be off to count as reproduced. `found` has a number for each that is reported, or, where
 * that is of one model, those of all models found.
 * @type {{ id: string, what: string, reported: number[], found: (number | number[])[], tolerance: number }[]}
 */
const ROWS = [
  {
    id: 'T1',
    what: 'n = 2, m = 1: share of cells on the predicted side',
    reported: [115 / 117],
    found: [finding('phase-boundary', 'share')],
    tolerance: 0.03,
  },
  {
    id: 'T2',
    what: 'n = 5, m = 2: squared norm of W by sparsity, single models',
    reported: [2, 2.09, 2.95, 3.17, 3.25, 4.07, 4.05, 4.15, 4.26, 4.29],
    found: values(
      'five-features',
      'single',
      'squares',
      levels(10).map((probability) => ({ probability })),
    ),
    tolerance: 0.15,
  },
  {
    id: 'T3',
    what: 'n = 200, m = 20: D* by sparsity',
    reported: [
      1, 1, 0.95, 0.83, 0.61, 0.53, 0.51, 0.5, 0.49, 0.48, 0.37, 0.33, 0.29, 0.27, 0.23, 0.21, 0.19, 0.17,
      0.15, 0.14,
    ],
    found: values(
      'sticky-dimensions',
      'dimensions',
      'dimensions',
      levels(20).map((density) => ({ density })),
    ),
    tolerance: 0.02,
  },
  {
    id: 'T4',
    what: 'pairs: share at right angles where correlated, antipodal among the best and among all restarts where anticorrelated',
    reported: [1, 1, 0.47],
    found: [
      finding('pairs', 'share of restarts'),
      finding('pairs', 'share of the best'),
      finding('pairs', 'share of all'),
    ],
    tolerance: 0.1,
  },
  {
    id: 'T5',
    what: 'features of a neuron that computes |x|, at S = 0, .7, .9, .97, .99',
    reported: [1, 1, 1.05, 1.28, 2.16],
    found: values(
      'magnitude',
      'participation',
      'participation',
      [0, 0.7, 0.9, 0.97, 0.99].map((sparsity) => ({ sparsity })),
    ),
    tolerance: 0.1,
  },
  {
    id: 'T6',
    what: 'linear programming: active features at which half are found, over the threshold, nonnegative',
    reported: [0.37 / 0.365],
    found: [finding('donoho-tanner', 'active features at which half are found, over the threshold, nonneg')],
    tolerance: 0.1,
  },
  {
    id: 'T7',
    what: 'MMCS of random directions against random ones',
    // biome-ignore lint/suspicious/noApproximativeNumericConstant: a cosine, not log10(e).
    reported: [0.61, 0.394, 0.434, 0.3, 0.137, 0.15],
    found: sizes.map(([n, m]) => expectedNearestCosine(n, m)),
    tolerance: 0.005,
  },
  {
    id: 'T8',
    what: `sparse but wrong, k = ${ks.join(', ')}: MCC`,
    reported: [0.64, 0.773, 0.83, 0.91, 0.949, 0.954, 0.933, 0.909, 0.888, 0.829, 0.718],
    found: sparseLine('truth', 'MCC'),
    tolerance: 0.03,
  },
  {
    id: 'T8',
    what: 'the same: F1, each latent against its nearest feature',
    reported: [0.491, 0.695, 0.785, 0.891, 0.931, 0.941, 0.909, 0.882, 0.875, 0.823, 0.74],
    found: sparseLine('truth', 'F1 of latents'),
    tolerance: 0.03,
  },
  {
    id: 'T8',
    what: 'the same: c_dec',
    reported: [0.093, 0.067, 0.05, 0.031, 0.0195, 0.0085, 0.0124, 0.016, 0.035, 0.045, 0.068],
    found: sparseLine('decoder', 'c_dec'),
    tolerance: 0.01,
  },
  {
    id: 'T8',
    what: 'the same: explained variance',
    reported: [0.513, 0.682, 0.809, 0.913, 0.949, 0.988, 0.987, 0.988, 0.995, 1, 1],
    found: sparseLine('explained', 'trained'),
    tolerance: 0.02,
  },
  {
    id: 'T8',
    what: 'the same: explained variance of the true features',
    reported: [0.159, 0.425, 0.656, 0.855, 0.94, 1, 1, 1, 1, 1, 1],
    found: sparseLine('explained', 'true features'),
    tolerance: 0.02,
  },
  ...['l1', 'topk', 'batchtopk'].map((family, f) => ({
    id: 'T10',
    what: `composed latents of 12, 48 and 96 where both groups always fire, then of 48 and 96 where both do in .5 and in .25: ${family}`,
    reported: [
      [0, 22, 63, 6, 17, 2, 9],
      [0, 19, 30, 11, 20, 4, 10],
      [0, 18, 34, 9, 8, 1, 1],
    ][f],
    found: values(
      'composed',
      'composed',
      'composed',
      [
        [1, 12],
        [1, 48],
        [1, 96],
        [0.5, 48],
        [0.5, 96],
        [0.25, 48],
        [0.25, 96],
      ].map(([both, latents]) => ({ both, latents, family })),
    ),
    tolerance: 6,
  })),
  ...[
    { penalty: 0.01, reported: [7.8, 16.1, 18.2, 17.4, 19, 19.1, 19.4, 19.4] },
    { penalty: 0.1, reported: [4.6, 8.7, 11.8, 10, 11.7, 10.6, 14.9, 14.9] },
    { penalty: 1, reported: [3.8, 8, 10, 10, 10, 10, 10, 10.4] },
  ].map(({ penalty, reported }) => ({
    id: 'T11',
    what: `effective features, penalty ${penalty}, probability of firing .8 to .008`,
    reported,
    found: effective(penalty),
    tolerance: 1,
  })),
  {
    id: 'T11',
    what: 'their rank correlation with the squared norm of W, at penalties .01, .1, 1',
    reported: [0.976, 0.833, 0.714],
    found: [0.01, 0.1, 1].map(correlations),
    tolerance: 0.1,
  },
  {
    id: 'T12',
    what: 'm times the mean squared cosine, m = 10, 25, 63, frequencies as 1 / i',
    reported: [1.04, 1.02, 0.97],
    found: overlap(0),
    tolerance: 0.05,
  },
  {
    id: 'T12',
    what: 'the same, frequencies as 1 / i^2',
    reported: [1.2, 1.2, 1.11],
    found: overlap(1),
    tolerance: 0.1,
  },
];

const cell = (/** @type {string} */ text) => text.replaceAll('|', '\\|');
const number = (/** @type {number} */ value) => String(Number(value.toPrecision(3)));
/** Of one number itself; of several, which are of single models, the median and between which they lie. @param {number | number[]} found */
const shown = (found) =>
  typeof found === 'number'
    ? number(found)
    : `${number(quantile(found, 0.5))} (${number(Math.min(...found))} to ${number(Math.max(...found))})`;
/** How far the nearest is off. @param {number | number[]} found @param {number} reported */
const distance = (found, reported) => Math.min(...[found].flat().map((value) => Math.abs(value - reported)));
const table = ROWS.map(({ id, what, reported, found, tolerance }) => {
  const off = found.map((value, i) => distance(value, reported[i]));
  const within = off.filter((far) => far <= tolerance).length;
  const models = Math.min(...found.map((value) => (typeof value === 'number' ? 0 : value.length)));
  const verdict =
    within === found.length ? 'yes' : `${within} of ${found.length}; at most ${number(Math.max(...off))} off`;
  return `| ${id} | ${cell(what)} | ${reported.map(number).join(', ')} | ${found.map(shown).join(', ')} | ${models || ''} | ${tolerance} | ${verdict} |`;
});
const experiments = [...entries.values()].map(
  ({ experiment, claim, verdict, because, seconds }) =>
    `| \`${experiment}\` | ${cell(claim)} | **${verdict}** | ${cell(because)} | ${seconds.toFixed(0)} |`,
);
const all = [...entries.values()];
const { machine, seed } = all[0];
const document = `# What others found, found again; and the experiments' verdicts

Written by \`npm run reproductions\` from the entries of \`monosem toy --all\`. Do not edit.

## Figures of others

Reported: by the papers that the experiments name, or by runs of their recipes in PyTorch at one seed. Found: by the experiment of that
name, or by formula. Where a reported number is of a single model, it is set beside single models of ours, as many as the column says: their
median and, in brackets, the least and the greatest. It counts as found again where the nearest of them is within the tolerance, since training
settles in one of several optima and a mean of these is none of them. Elsewhere found is a mean over seeds, and that must be within it.
Steps and rates stand in the experiments' files; some are fewer and larger than reported.

| | what | reported | found | models | tolerance | within it |
| --- | --- | --- | --- | --- | --- | --- |
${table.join('\n')}

## Claims

A claim _held_ where the 95 % interval over seeds of every finding lies within what was predicted before the run, _did not hold_ where one lies
outside, and is _undecided_ else. The predictions are in the files of \`src/experiments/\` and in each entry.

| experiment | claim | verdict | because | seconds |
| --- | --- | --- | --- | --- |
${experiments.join('\n')}

${machine.cpu}, instruction set ${machine.instructionSet}, seed ${seed}. Seconds are of each experiment on ${
  machine.threads === 1 ? 'one thread' : `${machine.threads} threads`
}; one after the other all would take ${(all.reduce((sum, { seconds }) => sum + seconds, 0) / 60).toFixed(1)} minutes.
`;
writeFileSync(new URL('../docs/reproductions.md', import.meta.url), document);
process.stdout.write(document);
