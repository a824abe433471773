/** Many dictionaries in one sweep, against the same as runs of their own. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runJob } from '../measuring.mjs';
import { number, percent } from '../report.mjs';

/** @param {boolean} quick */
const gridOf = (quick) => ({
  name: 'bench',
  base: {
    corpus: { tokens: quick ? 60_000 : 300_000 },
    training: { tokens: quick ? 60_000 : 300_000 },
  },
  grid: {
    'dictionary.family': ['topk', 'batchtopk'],
    'dictionary.latents': quick ? [1152] : [1152, 2304],
    'dictionary.k': quick ? [16, 32] : [16, 32, 64],
  },
});

/**
 * @param {{ quick: boolean, progress: (what: string) => void }} options
 * @returns {Promise<import('../report.mjs').Section>}
 */
export async function sweepSection({ quick, progress }) {
  const grid = gridOf(quick);
  const arms = Object.values(grid.grid).reduce((product, values) => product * values.length, 1);
  const root = mkdtempSync(join(tmpdir(), 'monosem-bench-'));
  const cacheBefore = process.env.MONOSEM_CACHE;
  process.env.MONOSEM_CACHE = join(root, 'cache');
  const forget = () => rmSync(join(root, 'cache', 'activations'), { recursive: true, force: true });
  const job = async (/** @type {object} */ spec) => {
    const dir = join(root, 'run');
    const start = performance.now();
    const { cpuSeconds, phases } = await runJob('sweep', { grid, dir, ...spec });
    rmSync(dir, { recursive: true, force: true });
    return { seconds: (performance.now() - start) / 1000, cpuSeconds, phases };
  };
  try {
    progress('sweep: the corpus');
    await job({ what: 'corpus' });
    /** @type {Record<string, { seconds: number, cpuSeconds: number }[]>} */
    const measured = { harvested: [], kept: [] };
    for (const kept of [false, true]) {
      const apart = [];
      for (let arm = 0; arm < arms; arm++) {
        progress(
          `sweep: run ${arm + 1} of ${arms}, activations ${kept ? 'in the cache' : 'to be harvested'}`,
        );
        if (!kept) forget();
        apart.push(await job({ what: 'run', arm }));
      }
      if (!kept) forget();
      progress(`sweep: all together, activations ${kept ? 'in the cache' : 'to be harvested'}`);
      const sum = (/** @type {'seconds' | 'cpuSeconds'} */ key) =>
        apart.reduce((all, one) => all + one[key], 0);
      const together = await job({ what: 'sweep' });
      measured[kept ? 'kept' : 'harvested'] = [
        { seconds: sum('seconds'), cpuSeconds: sum('cpuSeconds') },
        together,
      ];
    }
    return section(grid, arms, measured);
  } finally {
    rmSync(root, { recursive: true, force: true });
    if (cacheBefore === undefined) delete process.env.MONOSEM_CACHE;
    else process.env.MONOSEM_CACHE = cacheBefore;
  }
}

/** @returns {import('../report.mjs').Section} */
function section(grid, arms, measured) {
  const NAMES = { harvested: 'to be harvested', kept: 'in the cache' };
  return {
    name: 'sweep',
    data: { grid, arms, ...measured },
    ratios: Object.entries(measured).map(([key, [apart, together]]) => ({
      what: `${arms} dictionaries in one sweep against runs apart, activations ${NAMES[key]}`,
      value: `${percent(together.seconds / apart.seconds)} of the time`,
    })),
    tables: [
      {
        title: `${arms} dictionaries of stories15M with their nulls, ${number(grid.base.training.tokens)} tokens each, from start to trained and evaluated`,
        columns: ['activations', 'how', 'seconds', 'CPU seconds'],
        rows: Object.entries(measured).flatMap(([key, [apart, together]]) => [
          [NAMES[key], 'runs apart', number(apart.seconds), number(apart.cpuSeconds)],
          [NAMES[key], 'one sweep', number(together.seconds), number(together.cpuSeconds)],
        ]),
        note: 'Families topk and batchtopk; latents and k as in bench/sections/sweep.mjs.',
      },
    ],
  };
}
