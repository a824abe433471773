/** Worlds with known features: how fast their samples are drawn. */
import { runJob } from '../measuring.mjs';
import { number } from '../report.mjs';

const WORLDS = ['orthogonal', 'nabeshima-tree', 'synth-sae-bench-1k', 'synth-sae-bench-16k'];
const ROWS = 16_384;

/**
 * @param {{ quick: boolean, progress: (what: string) => void }} options
 * @returns {Promise<import('../report.mjs').Section>}
 */
export async function worldsSection({ quick, progress }) {
  const worlds = [];
  for (const name of WORLDS) {
    progress(`samples of ${name}`);
    worlds.push({ name, ...(await runJob('worlds', { name, rows: ROWS, quick })) });
  }
  return {
    name: 'worlds',
    data: worlds,
    ratios: [],
    tables: [
      {
        title: `Worlds with known features: samples and labels drawn, ${number(ROWS)} at a time`,
        columns: ['world', 'features', 'width', 'L0', 'samples/s', 'made in'],
        rows: worlds.map((w) => [
          w.name,
          number(w.features),
          number(w.width),
          number(w.expectedL0),
          number(w.samplesPerSecond),
          `${number(w.seconds)} s`,
        ]),
        note: 'Medians.',
      },
    ],
  };
}
