/** What measuring needs: jobs in processes of their own, repetition, medians, slopes. Knows nothing of what is measured. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/**
 * Runs jobs/<name>.mjs in a process of its own. `threads` where not the machine's.
 * @param {string} name @param {object} argument @param {{ threads?: number }} [options] @returns {Promise<any>}
 */
export function runJob(name, argument, { threads } = {}) {
  const env = threads === undefined ? process.env : { ...process.env, MONOSEM_THREADS: String(threads) };
  const job = fileURLToPath(new URL('job.mjs', import.meta.url));
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [job, name, JSON.stringify(argument)], {
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    child.stdout.on('data', (text) => (output += text));
    child.on('error', reject).on('close', (code) => {
      if (code === 0) resolve(JSON.parse(output));
      else reject(new Error(`the job ${name} ${JSON.stringify(argument)} ended with code ${code}`));
    });
  });
}

/**
 * Milliseconds of each run, after one that does not count: at least `least` runs, and as many as fit into `seconds`.
 * @param {() => Promise<unknown>} run @param {{ least: number, seconds: number }} options
 */
export async function timeRuns(run, { least, seconds }) {
  await run();
  const times = [];
  const begin = performance.now();
  while (times.length < least || performance.now() - begin < seconds * 1000) {
    const start = performance.now();
    await run();
    times.push(performance.now() - start);
  }
  return times;
}

/** @param {number[]} values */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** The exponent b of y = a x^b by least squares over logarithms. @param {{ x: number, y: number }[]} points */
export function logLogSlope(points) {
  const logs = points.map(({ x, y }) => [Math.log(x), Math.log(y)]);
  const mean = (/** @type {number} */ i) => logs.reduce((sum, log) => sum + log[i], 0) / logs.length;
  const [mx, my] = [mean(0), mean(1)];
  const above = logs.reduce((sum, [x, y]) => sum + (x - mx) * (y - my), 0);
  return above / logs.reduce((sum, [x]) => sum + (x - mx) ** 2, 0);
}
