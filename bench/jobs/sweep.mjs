/** Dictionaries from the activations' harvest to their evaluation: many in one sweep, or one as a run of its own. */
import { loadBackend } from '../../dist/kernels/index.js';
import { evaluate } from '../../dist/pipeline/evaluate.js';
import { Stopwatch, silent } from '../../dist/pipeline/reporter.js';
import { trainRun } from '../../dist/pipeline/run.js';
import { loadSubject } from '../../dist/pipeline/subject.js';
import { runSweep } from '../../dist/pipeline/sweep.js';
import { readRun, writeEvaluation } from '../../dist/runs/directory.js';
import { parseGrid } from '../../dist/runs/grid.js';

/**
 * @param {{ what: 'corpus' | 'sweep' | 'run', grid: import('../../src/runs/grid.ts').GridInput, arm?: number, dir: string }} spec
 *   `corpus` leaves the corpus in the cache; `run` does what `monosem train` does with one arm, up to its evaluation.
 */
export async function measure({ what, grid, arm = 0, dir }) {
  const bench = { backend: loadBackend(), reporter: silent, stopwatch: new Stopwatch() };
  const sweep = parseGrid(grid);
  const config = sweep.configs[arm];
  if (what === 'corpus') await loadSubject(bench, config);
  if (what === 'sweep') await runSweep(bench, sweep, dir);
  if (what === 'run') {
    await trainRun(bench, config, dir, { resume: false });
    const resolved = (await readRun(dir)).config;
    await writeEvaluation(dir, await evaluate(bench, resolved, await loadSubject(bench, resolved), dir));
  }
  const { user, system } = process.cpuUsage();
  return { phases: bench.stopwatch.timing, cpuSeconds: (user + system) / 1e6 };
}
