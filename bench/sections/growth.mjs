/** How the time of a TopK step grows with the latents, with k, with the batch, and falls with threads. */
import { logLogSlope, runJob } from '../measuring.mjs';
import { number } from '../report.mjs';

const BASE = { width: 288, latents: 9216, k: 32, batch: 4096, family: 'topk', precision: 'bf16' };
const VARIED = {
  latents: [4608, 9216, 18432, 36864],
  k: [16, 32, 64, 128],
  batch: [1024, 2048, 4096, 8192],
};
const NAMES = { latents: 'F', k: 'k', batch: 'batch', threads: 'threads' };

/**
 * @param {{ quick: boolean, threads: number, progress: (what: string) => void }} options
 * @returns {Promise<import('../report.mjs').Section>}
 */
export async function growthSection({ quick, threads, progress }) {
  const series = [];
  const measured = async (name, values, job) => {
    const points = [];
    for (const value of quick ? values.slice(0, 2) : values) {
      progress(`growth with ${NAMES[name]}: ${value}`);
      points.push({ x: value, y: (await job(value)).milliseconds });
    }
    if (points.length > 1) series.push({ name, points, slope: logLogSlope(points) });
  };
  for (const [name, values] of Object.entries(VARIED))
    await measured(name, values, (value) => runJob('trainingStep', { ...BASE, [name]: value, quick }));
  const counts = [1, 2, 4, 8, 16, 32, 64, 128].filter((count) => count < threads);
  await measured('threads', [...counts, threads], (value) =>
    runJob('trainingStep', { ...BASE, quick }, { threads: value }),
  );
  return {
    name: 'growth',
    data: { base: BASE, series },
    ratios: [],
    tables: [
      {
        title: `Growth of a TopK step's time around d ${BASE.width}, F ${number(BASE.latents)}, k ${BASE.k}, batch ${number(BASE.batch)}, bf16`,
        columns: ['with', 'exponent', 'ms at'],
        rows: series.map(({ name, points, slope }) => [
          NAMES[name],
          slope.toFixed(2),
          points.map(({ x, y }) => `${number(x)}: ${number(y)}`).join(', '),
        ]),
        note: 'Exponent b of ms = a x^b, least squares over logarithms. 1 is proportional, 0 is no growth, -1 is threads that share the work without loss.',
      },
    ],
  };
}
