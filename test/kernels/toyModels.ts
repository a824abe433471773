/** Random operands for the operation that trains toy models. */
import type { SparseRows } from '../../src/kernels/backend.ts';
import type { GivenRows, ToyOperations } from '../../src/kernels/toyOperations.ts';
import type { Random } from '../../src/math/random.ts';
import { normals } from './helpers.ts';

export type ToyStep = Parameters<ToyOperations['stepToyModels']>[0];

/** What a model does, apart from its size. */
export interface Variant {
  readonly tied: boolean;
  readonly biased: boolean;
  readonly hiddenRelu: boolean;
  readonly outputRelu: boolean;
  readonly target: 'input' | 'magnitude';
}

export const VARIANTS: [string, Variant][] = (
  [
    ['the ReLU output model', {}],
    ['the ReLU output model, untied', { tied: false }],
    ['the linear model', { outputRelu: false, biased: false }],
    ['the linear model with a bias', { outputRelu: false }],
    ['the linear model, untied', { outputRelu: false, tied: false }],
    ['the model of |x|', { tied: false, hiddenRelu: true, target: 'magnitude' }],
  ] as [string, Partial<Variant>][]
).map(([name, change]) => [
  name,
  { tied: true, biased: true, hiddenRelu: false, outputRelu: true, target: 'input', ...change },
]);

export interface Size {
  readonly instances: number;
  readonly features: number;
  readonly hidden: number;
  readonly batch: number;
}

/** Steps of random models on inputs that are drawn; `probabilities(k)` are those of instance k. */
export function drawnSteps(
  random: Random,
  size: Size,
  variant: Variant,
  probability: (instance: number) => number,
  steps = 3,
): ToyStep {
  const { instances, features, hidden } = size;
  const [weights, outputs] = [instances * features * hidden, instances * features];
  const trained = (parameter: Float32Array) => ({
    parameter,
    m: new Float32Array(parameter.length),
    v: new Float32Array(parameter.length),
  });
  const probabilities = Float32Array.from({ length: outputs }, (_, i) =>
    probability(Math.floor(i / features)),
  );
  return {
    ...size,
    hiddenRelu: variant.hiddenRelu,
    outputRelu: variant.outputRelu,
    target: variant.target,
    precision: 'fp32',
    importance: Float32Array.from({ length: outputs }, () => random.uniform()),
    encoder: trained(normals(random, weights, hidden ** -0.5)),
    ...(!variant.tied && { decoder: trained(normals(random, weights, hidden ** -0.5)) }),
    ...(variant.biased && { bias: trained(normals(random, outputs, 0.1)) }),
    inputs: {
      kind: 'drawn',
      probabilities,
      low: variant.target === 'magnitude' ? -1 : 0,
      high: 1,
      keys: Uint32Array.from({ length: 4 * instances }, () => random.uint32()),
    },
    firstStep: 1,
    rates: new Float64Array(steps).fill(1e-3),
    beta1: 0.9,
    beta2: 0.999,
    epsilon: 1e-8,
    weightDecay: 0.01,
    biasDecay: 0.01,
    losses: new Float64Array(steps * instances),
  };
}

/** A copy that can be stepped apart. */
export function copied(op: ToyStep): ToyStep {
  const copy = (trained: ToyStep['encoder']) => ({
    parameter: trained.parameter.slice(),
    m: trained.m.slice(),
    v: trained.v.slice(),
  });
  return {
    ...op,
    encoder: copy(op.encoder),
    ...(op.decoder && { decoder: copy(op.decoder) }),
    ...(op.bias && { bias: copy(op.bias) }),
    losses: op.losses.slice(),
  };
}

/** Every array that a step changes. */
export function changed({ encoder, decoder, bias, losses }: ToyStep): (Float32Array | Float64Array)[] {
  return [encoder, decoder, bias].flatMap((t) => (t ? [t.parameter, t.m, t.v] : [])).concat(losses as never);
}

/** Rows whose features fire with one probability, of either sign. */
export function randomRows(random: Random, rows: number, features: number, probability: number): SparseRows {
  const offsets = [0];
  const indices: number[] = [];
  for (let r = 0; r < rows; r++) {
    for (let i = 0; i < features; i++) if (random.uniform() < probability) indices.push(i);
    offsets.push(indices.length);
  }
  return {
    rows,
    offsets: Uint32Array.from(offsets),
    indices: Uint32Array.from(indices),
    values: normals(random, indices.length),
  };
}

export function given(...rows: SparseRows[]): GivenRows {
  return { kind: 'given', rows };
}
