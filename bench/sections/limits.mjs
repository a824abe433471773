/** The machine's limits, which the other sections are held against. */
import { runJob } from '../measuring.mjs';
import { billions, number } from '../report.mjs';

/** @typedef {{ fp32: number, pairs: number, tiles: number, read: number, readWrite: number, arrayBytes: number }} Limits */

/** @param {{ quick: boolean }} options */
export async function measureLimits({ quick }) {
  /** @type {Limits} */
  const limits = await runJob('limits', { quick });
  return limits;
}

/** @param {Limits} limits @returns {import('../report.mjs').Section} */
export function limitsSection(limits) {
  const operations = (/** @type {string} */ name, /** @type {number} */ value) =>
    value > 0 ? [[name, `${billions(value)} GFLOP/s`]] : [];
  return {
    name: 'limits',
    data: limits,
    ratios: [],
    tables: [
      {
        title: 'Limits of this machine, measured in the same run, all threads',
        columns: ['limit', 'measured'],
        rows: [
          ...operations('float32, multiply and add', limits.fp32),
          ...operations('bfloat16, dot products of pairs', limits.pairs),
          ...operations('bfloat16, matrix tiles', limits.tiles),
          ['memory, read', `${billions(limits.read)} GB/s`],
          ['memory, read and written', `${billions(limits.readWrite)} GB/s`],
        ],
        note: `Operations on registers alone; arrays of ${number(limits.arrayBytes / 2 ** 20)} MB.`,
      },
    ],
  };
}

/**
 * The peak of the unit that encodes: an instruction set with units for bfloat16 uses them in either precision, in float32 to
 * find the few candidates that it then computes exactly.
 * @param {Limits} limits
 */
export const encoderPeak = (limits) => limits.tiles || limits.pairs || limits.fp32;
