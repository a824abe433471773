/** Training steps of toy models of superposition and of dictionaries on a toy world, beside what they cannot be faster than. */
import { median, runJob } from '../measuring.mjs';
import { billions, number, percent, times } from '../report.mjs';

const BATCH = 1024;
/** Twenty sparsities of the paper's geometry experiment, and one model of the size of a transformer's layer. */
const CASES = [
  {
    features: 200,
    hidden: 20,
    probabilities: Array.from({ length: 20 }, (_, k) => 20 ** (-k / 19)),
    // So few hidden units are multiplied in float32 whatever is asked for.
    precisions: ['fp32'],
  },
  { features: 4096, hidden: 512, probabilities: [0.01], precisions: ['bf16', 'fp32'] },
];

/** The dictionaries of the experiment `sparse-but-wrong`, at its batch. */
const DICTIONARIES = { width: 100, latents: 50, ks: [3, 5, 7, 9, 10, 11, 12, 13, 15, 18, 22] };

/**
 * The least of a step: `dense`, FLOPs of the three products that are dense whatever the inputs (outputs, their gradient back to
 * the hidden layer, and that of W_out); `sparse`, those of x W_in and of the gradient of W_in over the entries; `draws`, a
 * random number for each feature of each row.
 * @param {{ features: number, hidden: number, probabilities: number[] }} shape
 */
export function toyFloorOf({ features, hidden, probabilities }) {
  const places = BATCH * features * probabilities.length;
  const entries = BATCH * features * probabilities.reduce((sum, p) => sum + p, 0);
  return { dense: 6 * places * hidden, sparse: 4 * entries * hidden, draws: places };
}

/**
 * @param {{ quick: boolean, limits: import('./limits.mjs').Limits, progress: (what: string) => void }} options
 * @returns {Promise<import('../report.mjs').Section>}
 */
export async function toySection({ quick, limits, progress }) {
  const results = [];
  for (const { precisions, ...shape } of CASES) {
    for (const precision of precisions) {
      const name = `${shape.probabilities.length} x (n ${number(shape.features)}, m ${number(shape.hidden)}), ${precision}`;
      progress(`toy models: ${name}`);
      const steps = { stretch: 10, stretches: quick ? 3 : 15 };
      const { milliseconds } = await runJob('toyModels', { ...shape, precision, batch: BATCH, ...steps });
      const { dense, sparse, draws } = toyFloorOf(shape);
      const peak = precision === 'bf16' ? limits.tiles || limits.pairs || limits.fp32 : limits.fp32;
      const floorMilliseconds = 1000 * (dense / peak + sparse / limits.fp32);
      results.push({ name, shape, precision, milliseconds, dense, sparse, draws, floorMilliseconds });
    }
  }
  const dictionaries = await dictionarySteps({ quick, progress });
  return {
    name: 'toy',
    data: { models: results, dictionaries },
    ratios: [
      ...results.map(({ name, milliseconds, floorMilliseconds }) => ({
        what: `step of toy models against its FLOPs at the peak; ${name}`,
        value: times(milliseconds / floorMilliseconds, 'the floor'),
      })),
      {
        what: `step of a dictionary, all included, against five float32 products by ONNX Runtime; ${dictionaries.name}`,
        value: times(dictionaries.milliseconds / dictionaries.productMilliseconds, 'the time'),
      },
    ],
    tables: [
      {
        title: `A step of toy models, drawing included, batch ${number(BATCH)}`,
        columns: [
          'models',
          'ms a step',
          'floor by FLOPs',
          'of the peak',
          'million draws a step',
          'GFLOP a step',
        ],
        rows: results.map(({ name, milliseconds, dense, sparse, draws, floorMilliseconds }) => [
          name,
          number(milliseconds),
          `${number(floorMilliseconds)} ms`,
          percent(floorMilliseconds / milliseconds),
          number(draws / 1e6),
          billions(dense + sparse),
        ]),
        note: 'FLOPs: 6 n m batch, the dense products, over the peak of the unit that multiplies, and 4 m for each entry over that of float32.',
      },
      {
        title: `A step of dictionaries trained together on the orthogonal toy, drawing included, batch ${number(BATCH)}`,
        columns: ['dictionaries', 'ms a step of each', 'five products, one thread, ms'],
        rows: [
          [dictionaries.name, number(dictionaries.milliseconds), number(dictionaries.productMilliseconds)],
        ],
      },
    ],
  };
}

/**
 * Dictionaries take their steps side by side, a thread each, so the products that they are held against have one thread.
 * @param {{ quick: boolean, progress: (what: string) => void }} options
 */
async function dictionarySteps({ quick, progress }) {
  const { width, latents, ks } = DICTIONARIES;
  const name = `${ks.length} x BatchTopK (d ${number(width)}, F ${number(latents)}, k ${ks[0]} to ${ks.at(-1)})`;
  const products = async () => {
    progress(`${name}: five products by ONNX Runtime`);
    return (await runJob('yardstick', { width, latents, batch: BATCH, threads: 1, quick })).milliseconds;
  };
  const before = await products();
  progress(`dictionaries: ${name}`);
  const { milliseconds } = await runJob('toyDictionaries', {
    latents,
    ks,
    stretch: 16,
    stretches: quick ? 3 : 15,
  });
  return { name, milliseconds, productMilliseconds: median([...before, ...(await products())]) };
}
