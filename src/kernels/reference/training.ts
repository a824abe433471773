/**
 * A training step's operations in the reference backend: formulas in float64, gradients written down in full and then
 * used. The oracle for the fused kernels in `native/`.
 */
import type { ColumnOrder, SparseRows } from '../backend.ts';
import type {
  AdamOptions,
  LatentGradientOperands,
  Trained,
  TrainingOperations,
} from '../trainingOperations.ts';
import { dot } from './dense.ts';

export const training: TrainingOperations = {
  allocate: (length) => new Float32Array(length),

  async shift({ x, scale, center, rows, width, out, sums }) {
    let squares = 0;
    sums.fill(0);
    for (let i = 0; i < rows * width; i++) {
      const shifted = scale * x[i] - center[i % width];
      squares += shifted * shifted;
      sums[i % width] += shifted;
      out[i] = shifted;
    }
    return squares;
  },

  async reconstruct({ codes, weight, target, targetFactor, scale, width, out, dots, sums }) {
    let [squares, smallest] = [0, Number.POSITIVE_INFINITY];
    sums.fill(0);
    for (let r = 0; r < codes.rows; r++) {
      const error = Float64Array.from({ length: width }, (_, i) => -targetFactor * target[r * width + i]);
      for (let e = codes.offsets[r]; e < codes.offsets[r + 1]; e++) {
        smallest = Math.min(smallest, codes.values[e]);
        for (let i = 0; i < width; i++) error[i] += codes.values[e] * weight[codes.indices[e] * width + i];
      }
      for (let i = 0; i < width; i++) {
        squares += error[i] ** 2;
        sums[i] += scale * error[i];
        out[r * width + i] = scale * error[i];
      }
      for (let e = codes.offsets[r]; e < codes.offsets[r + 1]; e++) {
        dots[e] = dot(out, r * width, weight, codes.indices[e] * width, width);
      }
    }
    return { squares, smallest };
  },

  async sortByColumn(codes: SparseRows, columns: number): Promise<ColumnOrder> {
    const entries = Uint32Array.from(codes.indices.keys());
    entries.sort((a, b) => codes.indices[a] - codes.indices[b] || a - b);
    const rowOf = new Uint32Array(entries.length);
    for (let r = 0; r < codes.rows; r++) rowOf.fill(r, codes.offsets[r], codes.offsets[r + 1]);
    const offsets = new Uint32Array(columns + 1);
    for (const column of codes.indices) offsets[column + 1]++;
    for (let c = 0; c < columns; c++) offsets[c + 1] += offsets[c];
    return { columns, offsets, rows: entries.map((e) => rowOf[e]), entries };
  },

  async latentGradients({ out, ...operands }) {
    writeGradients(operands, out);
  },

  async measureLatentGradients({ throughInput, ...operands }) {
    const { latents, width, encoderWeight } = operands;
    const gradient = stepDirection(operands);
    throughInput.fill(0);
    for (let j = 0; j < latents; j++) {
      for (let i = 0; i < width; i++)
        throughInput[i] += gradient.encoderBias[j] * encoderWeight[j * width + i];
    }
    return Object.values(gradient).reduce((sum, array) => sum + dot(array, 0, array, 0, array.length), 0);
  },

  async updateLatents({ adam, trained, ...operands }) {
    const gradient = stepDirection(operands);
    for (const name of ['encoderWeight', 'encoderBias', 'decoderWeight'] as const) {
      stepAdam(adam, trained[name], gradient[name]);
    }
    scaleToUnit(trained.decoderWeight.parameter, operands.latents, operands.width);
  },

  async adam({ gradient, parameter, m, v, ...options }) {
    stepAdam(options, { parameter, m, v }, gradient);
  },

  async unitRows({ weight, rows, width }) {
    scaleToUnit(weight, rows, width);
  },
};

interface Gradients {
  readonly encoderWeight: Float32Array;
  readonly encoderBias: Float32Array;
  readonly decoderWeight: Float32Array;
}

/** What `updateLatents` steps along: without what would lengthen a decoder row. */
function stepDirection(operands: LatentGradientOperands): Gradients {
  const { latents, width, decoderWeight } = operands;
  const gradient = {
    encoderWeight: new Float32Array(latents * width),
    encoderBias: new Float32Array(latents),
    decoderWeight: new Float32Array(latents * width),
  };
  writeGradients(operands, gradient);
  for (let j = 0; j < latents; j++) {
    const along = dot(gradient.decoderWeight, j * width, decoderWeight, j * width, width);
    for (let i = j * width; i < (j + 1) * width; i++) gradient.decoderWeight[i] -= along * decoderWeight[i];
  }
  return gradient;
}

function writeGradients({ latents, width, input, parts }: LatentGradientOperands, out: Gradients): void {
  for (let j = 0; j < latents; j++) {
    const encoderRow = new Float64Array(width);
    const decoderRow = new Float64Array(width);
    let bias = 0;
    for (const { order, values, preGradients, outputGradient } of parts) {
      for (let at = order.offsets[j]; at < order.offsets[j + 1]; at++) {
        const [e, row] = [order.entries[at], order.rows[at] * width];
        bias += preGradients[e];
        for (let i = 0; i < width; i++) {
          encoderRow[i] += preGradients[e] * input[row + i];
          decoderRow[i] += values[e] * outputGradient[row + i];
        }
      }
    }
    out.encoderWeight.set(encoderRow, j * width);
    out.decoderWeight.set(decoderRow, j * width);
    out.encoderBias[j] = bias;
  }
}

function stepAdam(
  { step, rate, beta1, beta2, epsilon, gradientScale }: AdamOptions,
  { parameter, m, v }: Trained,
  gradient: Float32Array,
): void {
  const correction1 = 1 - beta1 ** step;
  const correction2 = 1 - beta2 ** step;
  for (let i = 0; i < parameter.length; i++) {
    const g = gradientScale * gradient[i];
    m[i] = beta1 * m[i] + (1 - beta1) * g;
    v[i] = beta2 * v[i] + (1 - beta2) * g * g;
    parameter[i] -= (rate * (m[i] / correction1)) / (Math.sqrt(v[i] / correction2) + epsilon);
  }
}

function scaleToUnit(weight: Float32Array, rows: number, width: number): void {
  for (let r = 0; r < rows; r++) {
    const norm = Math.sqrt(dot(weight, r * width, weight, r * width, width));
    if (norm === 0) continue;
    for (let i = r * width; i < (r + 1) * width; i++) weight[i] /= norm;
  }
}
