/**
 * Forecasts runs and carries them out, each pair close together in time and with an empty cache, and writes forecast against
 * fact into docs/cost.md.
 *
 *   npm run cost:check                 all configurations, as a table
 *   npm run cost:check -- --only wide  one of them
 *   npm run cost:check -- --markdown   also writes the table into docs/cost.md
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { checkCost } from '../dist/pipeline/cost.js';
import { readRun } from '../dist/runs/directory.js';

/** @typedef {import('../src/pipeline/cost.ts').CostCheck} CostCheck */

/** @type {Record<string, { what: string, flags: string[] }>} */
const CONFIGURATIONS = {
  narrow: {
    what: 'TopK, 1,152 latents, k 16, residual stream after block 1, 200,000 tokens',
    flags: [
      '--latents',
      '1152',
      '--k',
      '16',
      '--hook',
      'blocks.1.hook_resid_post',
      '--tokens',
      '2e5',
      '--corpus-tokens',
      '50_000',
    ],
  },
  wide: {
    what: 'TopK, 9,216 latents, k 32, residual stream after block 3, 150,000 tokens',
    flags: ['--latents', '9216', '--tokens', '1.5e5', '--corpus-tokens', '50_000'],
  },
  batchtopk: {
    what: 'BatchTopK, 2,304 latents, k 32, residual stream after block 3, 200,000 tokens',
    flags: ['--family', 'batchtopk', '--latents', '2304', '--tokens', '2e5', '--corpus-tokens', '50_000'],
  },
  mlp: {
    what: 'TopK, 3,072 latents, k 32, MLP of block 2 (768 wide), 150,000 tokens',
    flags: [
      '--latents',
      '3072',
      '--hook',
      'blocks.2.mlp.hook_post',
      '--tokens',
      '1.5e5',
      '--corpus-tokens',
      '80_000',
    ],
  },
  'no nulls': {
    what: 'TopK, 4,608 latents, k 32, residual stream after block 3, 300,000 tokens, no nulls',
    flags: ['--latents', '4608', '--tokens', '3e5', '--corpus-tokens', '80_000', '--no-nulls'],
  },
};

const { values: flags } = parseArgs({
  options: { only: { type: 'string' }, markdown: { type: 'boolean', default: false } },
});
const main = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url));

/** @param {string[]} args @param {string} cache */
function monosem(args, cache) {
  const env = { ...process.env, MONOSEM_CACHE: cache };
  const text = execFileSync(process.execPath, [main, ...args, '--json'], {
    env,
    maxBuffer: 2 ** 28,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return JSON.parse(text.toString());
}

/** @param {{ forecast: number, fact: number, error: number }} compared @param {number} unit */
function cells({ forecast, fact, error }, unit) {
  const figure = (/** @type {number} */ value) => String(Number((value / unit).toPrecision(3)));
  return `${figure(forecast)} | ${figure(fact)} | ${error < 0 ? '−' : '+'}${Math.abs(error * 100).toFixed(0)} %`;
}

const rows = [];
const load = [];
for (const [name, { what, flags: given }] of Object.entries(CONFIGURATIONS)) {
  if (flags.only !== undefined && flags.only !== name) continue;
  const directory = mkdtempSync(join(tmpdir(), 'monosem-cost-'));
  try {
    const cache = join(directory, 'cache');
    const cost = monosem(['cost', ...given], cache);
    monosem(['train', '--name', 'run', '--runs', directory, ...given], cache);
    const run = await readRun(join(directory, 'run'));
    const { wallSeconds, aloneSeconds, cpuSeconds, memory, disk, phases } = checkCost(cost, run);
    load.push(loadavg()[0]);
    rows.push(
      `| ${what} | ${cells(aloneSeconds, 1)} | ${cells(cpuSeconds, 1)} | ${cells(wallSeconds, 1)} | ${cells(memory, 1e6)} | ${cells(disk, 1e6)} |`,
    );
    const worst = Object.entries(phases).map(
      ([phase, { forecast, fact }]) => `${phase} ${forecast.toFixed(1)}/${fact.toFixed(1)}`,
    );
    process.stderr.write(`${rows.at(-1)}\n  ${worst.join(', ')}; load ${load.at(-1).toFixed(1)}\n`);
  } finally {
    rmSync(directory, { recursive: true });
  }
}
const head = [
  '| run | time alone, s: forecast | fact | error | CPU time, s: forecast | fact | error | time with others, s: forecast | fact | error | memory, MB: forecast | fact | error | disk, MB: forecast | fact | error |',
  `|${' --- |'.repeat(16)}`,
];
const busy = `${cpus()[0].model.trim()}, ${cpus().length} processors; processes that wanted one, by the end of each pair: ${load.map((one) => one.toFixed(1)).join(', ')}.`;
const text = [...head, ...rows, '', busy].join('\n');
console.log(text);
if (flags.markdown) {
  const path = new URL('../docs/cost.md', import.meta.url);
  const document = readFileSync(path, 'utf8');
  const [open, close] = ['<!-- measured:cost -->', '<!-- /measured:cost -->'];
  const [from, to] = [document.indexOf(open), document.indexOf(close)];
  if (from < 0 || to < 0) throw new Error('docs/cost.md: the marks of the table are missing');
  writeFileSync(path, `${document.slice(0, from + open.length)}\n\n${text}\n\n${document.slice(to)}`);
}
