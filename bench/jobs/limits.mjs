/** This machine's limits, measured: operations a second on registers, bytes a second from and to memory. */
import { createRequire } from 'node:module';
import { loadBackend } from '../../dist/kernels/index.js';
import { timeRuns } from '../measuring.mjs';

/**
 * FLOP/s of each unit of the instruction set (0 where it has none), bytes/s; the best of some runs, all threads.
 * @param {{ quick: boolean }} options
 */
export async function measure({ quick }) {
  const backend = loadBackend();
  if (backend.name !== 'native') throw new Error('the limits are those of the addon, which is not built');
  const addon = createRequire(import.meta.url)('../../build/Release/monosem.node');
  const seconds = quick ? 0.3 : 2;

  /** @param {'fp32' | 'pairs' | 'tiles'} unit */
  const peak = async (unit) => {
    let operations = 0;
    const times = await timeRuns(
      async () => {
        operations = await addon.peak(unit, 100 * backend.threads);
      },
      { least: 3, seconds },
    );
    return operations / (Math.min(...times) / 1000);
  };

  // Far larger than caches: some processors share hundreds of megabytes, but seldom with one process.
  const elements = quick ? 2 ** 26 : 2 ** 28;
  const a = new Float32Array(elements).fill(1);
  const b = new Float32Array(elements).fill(1);
  const bandwidth = async (/** @type {number} */ bytes, /** @type {() => Promise<unknown>} */ run) =>
    bytes / (Math.min(...(await timeRuns(run, { least: 3, seconds }))) / 1000);
  return {
    fp32: await peak('fp32'),
    pairs: await peak('pairs'),
    tiles: await peak('tiles'),
    arrayBytes: 4 * elements,
    read: await bandwidth(4 * elements, () => addon.readAll(elements, a)),
    // Two arrays read, one of them written.
    readWrite: await bandwidth(12 * elements, () => backend.add({ a, b, out: a })),
  };
}
