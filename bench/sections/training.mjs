/** Training steps of three shapes and three families, beside the yardstick and the floors. */
import { median, runJob } from '../measuring.mjs';
import { billions, number, percent, times } from '../report.mjs';
import { encoderPeak } from './limits.mjs';

export const SHAPES = [
  { width: 288, latents: 4608, k: 32 },
  { width: 768, latents: 24576, k: 32 },
  { width: 2304, latents: 16384, k: 64 },
];
const BATCH = 4096;
const FAMILIES = { topk: 'TopK', batchtopk: 'BatchTopK', relu: 'ReLU' };
const PRECISIONS = ['bf16', 'fp32'];

/**
 * The least that a step must do: `operations`, the encoder's product; `bytes`, from and to memory, where nothing but a
 * batch fits into caches: the encoder's weights read to encode; parameters and both moments read and written; the batch
 * read, its residual written and read.
 * @param {{ width: number, latents: number, batch?: number }} shape
 */
export function floorOf({ width, latents, batch = BATCH }) {
  return {
    operations: 2 * width * latents * batch,
    bytes: 4 * width * latents + 2 * 3 * 4 * (2 * width * latents) + 3 * 4 * batch * width,
  };
}

/** Bytes that a step must keep: parameters and both moments. @param {{ width: number, latents: number }} shape */
const keptBytes = ({ width, latents }) => 3 * 4 * (2 * width * latents + latents + width);

/**
 * @param {{ quick: boolean, threads: number, limits: import('./limits.mjs').Limits, progress: (what: string) => void }} options
 * @returns {Promise<import('../report.mjs').Section>}
 */
export async function trainingSection({ quick, threads, limits, progress }) {
  const results = [];
  for (const shape of SHAPES) {
    const name = nameOf(shape);
    const yardstick = async () => {
      progress(`${name}: five products by ONNX Runtime`);
      return (await runJob('yardstick', { ...shape, batch: BATCH, threads, quick })).milliseconds;
    };
    const products = await yardstick();
    const steps = [];
    for (const precision of PRECISIONS) {
      for (const family of Object.keys(FAMILIES)) {
        progress(`${name}: ${family}, ${precision}`);
        const step = await runJob('trainingStep', { ...shape, batch: BATCH, family, precision, quick });
        steps.push({ family, precision, ...step });
      }
    }
    products.push(...(await yardstick()));
    results.push({ shape, batch: BATCH, yardstickMilliseconds: median(products), products, steps });
  }
  return {
    name: 'training',
    data: results,
    ratios: results.flatMap((result) => ratiosOf(result, limits)),
    tables: [
      stepTable(results),
      floorTable(results, limits),
      memoryTable(results),
      ...results.map(profileTable),
    ],
  };
}

const nameOf = ({ width, latents, k }) => `d ${number(width)}, F ${number(latents)}, k ${k}`;

const encoderMilliseconds = ({ operations }) =>
  Object.entries(operations)
    .filter(([name]) => name.startsWith('encode'))
    .reduce((sum, [, ms]) => sum + ms, 0);

function ratiosOf({ shape, yardstickMilliseconds, steps }, limits) {
  const find = (family, precision) => steps.find((s) => s.family === family && s.precision === precision);
  const top = find('topk', 'bf16');
  const { operations } = floorOf(shape);
  const name = nameOf(shape);
  return [
    ...PRECISIONS.map((precision) => ({
      what: `TopK step, ${precision}, against five float32 products by ONNX Runtime; ${name}`,
      value: times(yardstickMilliseconds / find('topk', precision).milliseconds, 'faster'),
    })),
    {
      what: `TopK step, bf16, against five products at the whole float32 peak of this machine; ${name}`,
      value: times((5 * operations) / limits.fp32 / (top.milliseconds / 1000), 'faster'),
    },
    {
      what: `BatchTopK step against TopK, bf16; ${name}`,
      value: times(find('batchtopk', 'bf16').milliseconds / top.milliseconds, 'the time'),
    },
    {
      what: `encoder against the peak of the unit that multiplies, TopK, bf16; ${name}`,
      value: percent(operations / (encoderMilliseconds(top) / 1000) / encoderPeak(limits)),
    },
  ];
}

function stepTable(results) {
  return {
    title: `A training step, batch ${number(BATCH)}`,
    columns: ['shape', 'family', 'precision', 'against the yardstick', 'tokens/s', 'ms a step', 'L0'],
    rows: results.flatMap(({ shape, yardstickMilliseconds, steps }) => [
      ...steps.map((step) => [
        nameOf(shape),
        FAMILIES[step.family],
        step.precision,
        times(yardstickMilliseconds / step.milliseconds, 'faster'),
        number((BATCH / step.milliseconds) * 1000),
        number(step.milliseconds),
        number(step.l0),
      ]),
      [
        nameOf(shape),
        'five products',
        'fp32',
        '1',
        number((BATCH / yardstickMilliseconds) * 1000),
        number(yardstickMilliseconds),
        '',
      ],
    ]),
    note: 'Medians; the yardstick is the median of runs before and after the steps of its shape.',
  };
}

function floorTable(results, limits) {
  return {
    title: 'Floors of a TopK step, and the gap',
    columns: [
      'shape',
      'precision',
      'encoder GFLOP/s',
      'of the peak',
      'floor by FLOPs',
      'floor by bytes',
      'bandwidth used',
      'step over floors',
    ],
    rows: results.flatMap(({ shape, steps }) => {
      const { operations, bytes } = floorOf(shape);
      const byOperations = (operations / encoderPeak(limits)) * 1000;
      const byBytes = (bytes / limits.readWrite) * 1000;
      return steps
        .filter(({ family }) => family === 'topk')
        .map((step) => {
          const rate = operations / (encoderMilliseconds(step) / 1000);
          const rest = step.milliseconds - encoderMilliseconds(step);
          return [
            nameOf(shape),
            step.precision,
            billions(rate),
            percent(rate / encoderPeak(limits)),
            `${number(byOperations)} ms`,
            `${number(byBytes)} ms`,
            percent(bytes / (rest / 1000) / limits.readWrite),
            times(step.milliseconds / (byOperations + byBytes), ''),
          ];
        });
    }),
    note:
      'FLOPs: 2 d F batch, the encoder, over the peak. Bytes: 52 d F + 12 d batch, over the bandwidth of reading and writing. ' +
      'Bandwidth used: these bytes over the time of all but the encoder.',
  };
}

function memoryTable(results) {
  return {
    title: 'Peak memory of a training beyond its process before it, TopK and ReLU',
    columns: [
      'shape',
      'family',
      'precision',
      'peak MB',
      'parameters and moments MB',
      'the rest, in units of 4 batch (d + k) bytes',
    ],
    rows: results.flatMap(({ shape, steps }) =>
      steps
        .filter(({ family }) => family !== 'batchtopk')
        .map(({ family, precision, memoryBytes }) => [
          nameOf(shape),
          FAMILIES[family],
          precision,
          number(memoryBytes / 1e6),
          number(keptBytes(shape) / 1e6),
          number((memoryBytes - keptBytes(shape)) / (4 * BATCH * (shape.width + shape.k))),
        ]),
    ),
    note: 'Bound: parameters and moments, 12 (2 d F + F + d) bytes, and O(batch (d + k)) + O(F): the last column is that constant, with all of the runtime in it.',
  };
}

function profileTable({ shape, steps }) {
  const shown = steps.filter(({ family }) => family === 'topk');
  const names = [...new Set(shown.flatMap(({ operations }) => Object.keys(operations)))];
  const total = (name) => shown.reduce((sum, { operations }) => sum + (operations[name] ?? 0), 0);
  const rest = ({ milliseconds, operations }) =>
    milliseconds - Object.values(operations).reduce((sum, ms) => sum + ms, 0);
  return {
    title: `Where a TopK step's time goes, ${nameOf(shape)}`,
    columns: ['operation', ...shown.map(({ precision }) => `${precision}, ms`)],
    rows: [
      ...names
        .sort((a, b) => total(b) - total(a))
        .map((name) => [name, ...shown.map(({ operations }) => number(operations[name] ?? 0))]),
      ['everything else (JavaScript)', ...shown.map((step) => number(Math.max(0, rest(step))))],
      ['the step', ...shown.map(({ milliseconds }) => number(milliseconds))],
    ],
    note: 'Operations are means over all steps, the step is the median.',
  };
}
