/**
 * A training step's operations in the reference backend: formulas in float64, gradients written down in full and then
 * used. The oracle for the fused kernels in `native/`.
 */
import type { ColumnOrder, SparseRows } from '../backend.ts';
import type {
  LatentGradientOperands,
  Optimiser,
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

  async dots({ codes, weight, m, width, out }) {
    for (let r = 0; r < codes.rows; r++) {
      for (let e = codes.offsets[r]; e < codes.offsets[r + 1]; e++)
        out[e] = dot(m, r * width, weight, codes.indices[e] * width, width);
    }
  },

  async transposedProduct({ a, b, rows, aWidth, bWidth, out }) {
    const sums = new Float64Array(aWidth * bWidth);
    for (let r = 0; r < rows; r++) {
      for (let i = 0; i < aWidth; i++) {
        for (let j = 0; j < bWidth; j++) sums[i * bWidth + j] += a[r * aWidth + i] * b[r * bWidth + j];
      }
    }
    out.set(sums);
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
    const { latents, width, encoderWeight, parts } = operands;
    const gradient = stepDirection(operands);
    throughInput.fill(0);
    const everywhere = { ...operands, parts: parts.map((part) => ({ ...part, ownBias: false })) };
    const sums = stepDirection(everywhere).encoderBias;
    for (let j = 0; j < latents; j++) {
      for (let i = 0; i < width; i++) throughInput[i] += sums[j] * encoderWeight[j * width + i];
    }
    return Object.values(gradient).reduce((sum, array) => sum + dot(array, 0, array, 0, array.length), 0);
  },

  async updateLatents({ optimiser, trained, ...operands }) {
    const gradient = stepDirection(operands);
    for (const name of ['encoderWeight', 'encoderBias', 'decoderWeight'] as const) {
      stepAlong(optimiser, trained[name], gradient[name]);
    }
    if (operands.unitDecoder)
      scaleToUnit(trained.decoderWeight.parameter, operands.latents, operands.outputWidth);
  },

  async stepArray({ optimiser, trained, gradient }) {
    stepAlong(optimiser, trained, gradient);
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

/** What `updateLatents` steps along: where decoder rows stay at unit norm, without what would lengthen them. */
function stepDirection(operands: LatentGradientOperands): Gradients {
  const { latents, width, outputWidth, decoderWeight } = operands;
  const gradient = {
    encoderWeight: new Float32Array(latents * width),
    encoderBias: new Float32Array(latents),
    decoderWeight: new Float32Array(latents * outputWidth),
  };
  writeGradients(operands, gradient);
  if (!operands.unitDecoder) return gradient;
  for (let j = 0; j < latents; j++) {
    const row = j * outputWidth;
    const along = dot(gradient.decoderWeight, row, decoderWeight, row, outputWidth);
    for (let i = row; i < row + outputWidth; i++) gradient.decoderWeight[i] -= along * decoderWeight[i];
  }
  return gradient;
}

function writeGradients(operands: LatentGradientOperands, out: Gradients): void {
  const { rows, latents, width, outputWidth, input, parts, everyRow, alongDecoder, decoderWeight } = operands;
  for (let j = 0; j < latents; j++) {
    const common = everyRow?.coefficients[j] ?? 0;
    const encoderRow = Float64Array.from({ length: width }, (_, i) => common * (everyRow?.inputSum[i] ?? 0));
    const decoderRow = new Float64Array(outputWidth);
    let bias = common * rows;
    for (const part of parts) {
      const { order, values, preGradients, outputGradient } = part;
      for (let at = order.offsets[j]; at < order.offsets[j + 1]; at++) {
        const [e, row] = [order.entries[at], order.rows[at]];
        if (!part.ownBias) bias += preGradients[e];
        for (let i = 0; i < width; i++) encoderRow[i] += preGradients[e] * input[row * width + i];
        if (part.frozenDecoder) continue;
        for (let i = 0; i < outputWidth; i++)
          decoderRow[i] += values[e] * outputGradient[row * outputWidth + i];
      }
    }
    if (alongDecoder) {
      const { coefficients, bounds } = alongDecoder;
      const blocks = bounds.length - 1;
      for (let b = 0; b < blocks; b++) {
        for (let i = bounds[b]; i < bounds[b + 1]; i++)
          decoderRow[i] += coefficients[j * blocks + b] * decoderWeight[j * outputWidth + i];
      }
    }
    out.encoderWeight.set(encoderRow, j * width);
    out.decoderWeight.set(decoderRow, j * outputWidth);
    out.encoderBias[j] = bias;
  }
}

/** One step of the optimiser, on one array. */
export function stepAlong(optimiser: Optimiser, { parameter, m, v }: Trained, gradient: Float32Array): void {
  if (optimiser.kind === 'signum') {
    const { step, rate, momentum } = optimiser;
    for (let i = 0; i < parameter.length; i++) {
      const average = (parameter[i] - (1 - momentum) * m[i]) / momentum;
      m[i] -= rate * Math.sign(gradient[i]);
      const next = (1 - 1 / step) * average + m[i] / step;
      parameter[i] = (1 - momentum) * m[i] + momentum * next;
    }
    return;
  }
  const { step, rate, beta1, beta2, epsilon, gradientScale } = optimiser;
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
