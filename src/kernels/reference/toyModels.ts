/**
 * Toy models of superposition in the reference backend: forward, loss, gradient and step of one instance after the other,
 * in float64. The oracle for `native/operations/toy_models.cc`.
 */
import type { SparseRows } from '../backend.ts';
import { type DrawnRows, TOY_BLOCK_ROWS, type ToyOperations } from '../toyOperations.ts';
import type { Trained } from '../trainingOperations.ts';
import { stepAlong } from './training.ts';

type Operands = Parameters<ToyOperations['stepToyModels']>[0];

export const toyModels: ToyOperations = {
  async stepToyModels(op) {
    for (let s = 0; s < op.rates.length; s++) {
      for (let k = 0; k < op.instances; k++) op.losses[s * op.instances + k] = step(op, s, k);
    }
  },
};

/** Returns the loss before the step. */
function step(op: Operands, s: number, k: number): number {
  const { features: n, hidden: m, batch, importance, inputs, encoder, decoder, bias } = op;
  const rows =
    inputs.kind === 'drawn'
      ? drawRows(inputs, { instance: k, features: n, batch, step: op.firstStep + s })
      : inputs.rows[inputs.rows.length === 1 ? 0 : k];
  const input = instanceOf(encoder, k, n * m);
  const output = decoder ? instanceOf(decoder, k, n * m) : input;
  const offset = bias && instanceOf(bias, k, n);
  const inputGradient = new Float64Array(n * m);
  const outputGradient = decoder ? new Float64Array(n * m) : inputGradient;
  const offsetGradient = new Float64Array(n);
  const relu = (on: boolean, x: number) => (on ? Math.max(x, 0) : x);

  let loss = 0;
  for (let r = 0; r < batch; r++) {
    const x = new Float64Array(n);
    for (let e = rows.offsets[r]; e < rows.offsets[r + 1]; e++) x[rows.indices[e]] = rows.values[e];
    const h = Float64Array.from({ length: m }, (_, j) =>
      relu(
        op.hiddenRelu,
        x.reduce((sum, value, i) => sum + value * input.parameter[i * m + j], 0),
      ),
    );
    const back = new Float64Array(m);
    for (let i = 0; i < n; i++) {
      const z = h.reduce(
        (sum, value, j) => sum + value * output.parameter[i * m + j],
        offset?.parameter[i] ?? 0,
      );
      const error = relu(op.outputRelu, z) - (op.target === 'magnitude' ? Math.abs(x[i]) : x[i]);
      const weight = importance[k * n + i] / (batch * n);
      loss += weight * error * error;
      if (op.outputRelu && !(z > 0)) continue;
      const gradient = 2 * weight * error;
      offsetGradient[i] += gradient;
      for (let j = 0; j < m; j++) {
        outputGradient[i * m + j] += gradient * h[j];
        back[j] += gradient * output.parameter[i * m + j];
      }
    }
    for (let j = 0; j < m; j++) {
      if (op.hiddenRelu && !(h[j] > 0)) continue;
      for (let i = 0; i < n; i++) inputGradient[i * m + j] += x[i] * back[j];
    }
  }

  const rate = op.rates[s];
  const stepWeight = (trained: Trained, gradient: Float64Array) => {
    for (let i = 0; i < n; i++) decay(trained.parameter.subarray(i * m, (i + 1) * m), rate, op.weightDecay);
    stepAlong(optimiser, trained, Float32Array.from(gradient));
  };
  const optimiser = {
    kind: 'adam',
    step: op.firstStep + s,
    rate,
    beta1: op.beta1,
    beta2: op.beta2,
    epsilon: op.epsilon,
    gradientScale: 1,
  } as const;
  stepWeight(input, inputGradient);
  if (decoder) stepWeight(output, outputGradient);
  if (offset) {
    for (let i = 0; i < n; i++) offset.parameter[i] *= 1 - rate * op.biasDecay;
    stepAlong(optimiser, offset, Float32Array.from(offsetGradient));
  }
  return loss;
}

function instanceOf({ parameter, m, v }: Trained, k: number, length: number): Trained {
  const part = (array: Float32Array) => array.subarray(k * length, (k + 1) * length);
  return { parameter: part(parameter), m: part(m), v: part(v) };
}

function decay(row: Float32Array, rate: number, weightDecay: number): void {
  const norm = Math.hypot(...row);
  const towardsOne = norm > 0 ? 1 + rate * weightDecay * (1 - 1 / norm) : 1;
  const factor = weightDecay < 0 ? towardsOne : 1 - rate * weightDecay;
  for (let j = 0; j < row.length; j++) row[j] *= factor;
}

/** The batch of one instance at one step, as `DrawnRows` has it. */
export function drawRows(
  { probabilities, low, high, keys }: DrawnRows,
  { instance, features, batch, step }: { instance: number; features: number; batch: number; step: number },
): SparseRows {
  const offsets = new Uint32Array(batch + 1);
  const indices: number[] = [];
  const values: number[] = [];
  const key = keys.subarray(4 * instance, 4 * instance + 4);
  let generators: Int32Array[] = [];
  for (let r = 0; r < batch; r++) {
    if (r % TOY_BLOCK_ROWS === 0) generators = begin(key, step, r / TOY_BLOCK_ROWS);
    for (let i = 0; i < 16 * Math.ceil(features / 16); i++) {
      const draw = next(generators[i % 16]) >>> 1;
      const below = i < features ? Math.round(2 ** 31 * probabilities[instance * features + i]) : 0;
      if (draw >= below) continue;
      indices.push(i);
      values.push(low + ((high - low) * (draw + 0.5)) / below);
    }
    offsets[r + 1] = indices.length;
  }
  return { rows: batch, offsets, indices: Uint32Array.from(indices), values: Float32Array.from(values) };
}

/** The 16 generators of one block. */
function begin(key: Uint32Array, step: number, block: number): Int32Array[] {
  return Array.from({ length: 16 }, (_, g) =>
    Int32Array.from(key, (word) => mixed(mixed(mixed(word + step) + block) + g)),
  );
}

/** xoshiro128**: steps one generator and returns 32 bits. */
function next(state: Int32Array): number {
  const [s0, s1, s2, s3] = state;
  const turned = Math.imul(s1, 5);
  const result = Math.imul((turned << 7) | (turned >>> 25), 9);
  const t3 = s3 ^ s1;
  state[0] = s0 ^ t3;
  state[1] = s1 ^ s2 ^ s0;
  state[2] = s2 ^ s0 ^ (s1 << 9);
  state[3] = (t3 << 11) | (t3 >>> 21);
  return result;
}

/** MurmurHash3's finaliser of 32 bits. */
function mixed(word: number): number {
  let x = word | 0;
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return x ^ (x >>> 16);
}
