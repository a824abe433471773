/**
 * The native backend: hands each operation of `backend.ts` to the C++ addon in `native/`, which checks every shape
 * and does the work on its own threads, off the event loop. Nothing is computed here.
 *
 * Threads and instruction set belong to the process, not to a backend: `MONOSEM_THREADS` and `MONOSEM_ISA`
 * (amx, avx512bf16, avx512, avx2, neon, baseline) choose them, and creating a backend again changes them for all.
 */
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { InputError } from '../formats/errors.ts';
import type {
  Activation,
  Backend,
  EncodeOperands,
  PackedBlock,
  PackedMatrix,
  SparseRows,
} from './backend.ts';
import type { FiringPlan } from './firingOperations.ts';
import type { ToyOperations } from './toyOperations.ts';
import type { LatentGradientOperands, Optimiser, Trained } from './trainingOperations.ts';

type Addon = Record<string, (...operands: unknown[]) => never>;

const require = createRequire(import.meta.url);

/** Why the addon could not be loaded, or undefined where it could. */
export function nativeProblem(): string | undefined {
  try {
    loadAddon();
    return undefined;
  } catch (error) {
    return (error as Error).message.split('\n')[0];
  }
}

/**
 * The addon as a `Backend`. `threads` is `MONOSEM_THREADS`, or else the processors that this process may use.
 * Throws where the addon was not built; see `nativeProblem`.
 */
export function createNativeBackend(settings: { threads?: number; instructionSet?: string } = {}): Backend {
  const addon = loadAddon();
  const threads = settings.threads ?? threadsFromEnvironment();
  const wanted = settings.instructionSet ?? process.env.MONOSEM_ISA ?? '';
  if (!(addon.configure(threads, wanted) as boolean)) {
    throw new InputError(
      `MONOSEM_ISA: this processor or build has no ${wanted}; choose another of amx, avx512bf16, avx512, avx2, neon, baseline`,
    );
  }
  return {
    name: 'native',
    instructionSet: addon.instructionSet() as string,
    threads,
    fastestPrecision: (addon.rounds() as boolean) ? 'bf16' : 'fp32',

    pack: (weight, outputs, inputs, precision = 'fp32') => ({
      outputs,
      inputs,
      precision,
      data: addon.pack(precision === 'bf16', outputs, inputs, weight),
    }),
    linear: ({ x, rows, weight, bias, activation, out }) =>
      addon.linear(
        weight.precision === 'bf16',
        rows,
        weight.inputs,
        weight.outputs,
        x,
        weight.data,
        bias,
        ACTIVATIONS[activation ?? 'none'],
        out,
      ),
    addMoments: ({ x, rows, weight, group, second, fourth }) =>
      addon.addMoments(
        weight.precision === 'bf16',
        rows,
        weight.inputs,
        weight.outputs,
        Math.floor(second.length / weight.outputs),
        x,
        weight.data,
        group,
        second,
        fourth,
      ),
    add: ({ a, b, out }) => addon.add(out.length, a, b, out),
    swiglu: ({ gate, up, out }) => addon.swiglu(out.length, gate, up, out),
    rmsNorm: ({ x, rows, width, epsilon, scale, out }) => addon.rmsNorm(rows, width, epsilon, x, scale, out),
    layerNorm: ({ x, rows, width, epsilon, scale, out }) =>
      addon.layerNorm(rows, width, epsilon, x, scale, out),
    takeRows: ({ table, width, indices, out }) =>
      addon.takeRows(indices.length, width, Math.floor(table.length / width), table, indices, out),
    decoderBlocks: ({ residual, batch, length, heads, headWidth, mlpWidth, epsilon, cos, sin, blocks }) =>
      addon.decoderBlocks(
        blocks[0]?.q.precision === 'bf16',
        batch,
        length,
        heads,
        headWidth,
        mlpWidth,
        epsilon,
        cos,
        sin,
        residual,
        blocks.length,
        ...blocks.flatMap(weightsOf),
      ),
    rotary: ({ x, rows, length, start, heads, headWidth, cos, sin, out }) =>
      addon.rotary(rows, length, start, heads, headWidth, x, cos, sin, out),

    attention: ({ q, k, v, batch, length, heads, headWidth, precision, out }) =>
      addon.attention(precision === 'bf16', batch, length, heads, headWidth, q, k, v, out),
    createCache: (shape) => ({
      ...shape,
      data: addon.createCache(
        shape.precision === 'bf16',
        shape.blocks,
        shape.batch,
        shape.capacity,
        shape.heads,
        shape.headWidth,
      ),
    }),
    decoderStep: ({ residual, cache, position, mlpWidth, epsilon, cos, sin, blocks }) =>
      addon.decoderStep(
        cache.precision === 'bf16',
        cache.batch,
        cache.capacity,
        position,
        cache.heads,
        cache.headWidth,
        mlpWidth,
        epsilon,
        cos,
        sin,
        residual,
        blocks.length,
        cache.data,
        ...blocks.flatMap(weightsOf),
      ),
    crossEntropy: ({ x, rows, weight, targets, out }) =>
      addon.crossEntropy(...unembedding(weight), rows, x, targets, out),
    divergence: ({ clean, other, rows, weight, targets, kl, crossEntropy }) =>
      addon.divergence(...unembedding(weight), rows, clean, other, targets, kl, crossEntropy),
    sample: ({ x, rows, weight, temperature, uniforms, out }) =>
      addon.sample(...unembedding(weight), rows, temperature, x, uniforms, out),

    encodeTopK: ({ k, ...operands }) => encoded(addon.encodeTopK(k, ...encoder(operands)), operands.room),
    encodeBatchTopK: ({ total, ...operands }) =>
      encoded(addon.encodeBatchTopK(total, ...encoder(operands)), operands.room),
    encodeAbsTopK: ({ k, ...operands }) =>
      encoded(addon.encodeAbsTopK(k, ...encoder(operands)), operands.room),
    encodeGroupMax: ({ groups, ...operands }) =>
      encoded(addon.encodeGroupMax(groups, ...encoder(operands)), operands.room),
    encodeThreshold: ({ threshold, ...operands }) =>
      encoded(addon.encodeThreshold(operands.columns, threshold, ...encoder(operands)), operands.room),

    decode: ({ codes, weight, bias, width, out }) =>
      addon.decode(width, weight.length / width, weight, bias, ...sparse(codes), out),
    center: ({ x, center, rows, width, scale, out }) => addon.center(rows, width, scale, x, center, out),
    residual: ({ a, b, rows, width, scale, out, squares }) =>
      addon.residual(rows, width, scale, a, b, out, squares),
    columnSum: ({ m, rows, width, out }) => addon.columnSum(rows, width, m, out),
    sumOfSquares: (x) => addon.sumOfSquares(x.length, x),

    allocate: (length) => addon.allocate(length),
    shift: ({ x, scale, center, rows, width, out, sums }) =>
      addon.shift(rows, width, scale, x, center, out, sums),
    reconstruct: ({ codes, weight, target, targetFactor, scale, width, out, dots, sums }) =>
      addon.reconstruct(
        width,
        weight.length / width,
        targetFactor,
        scale,
        weight,
        ...sparse(codes),
        target,
        out,
        dots,
        sums,
      ),
    dots: ({ codes, weight, m, width, out }) =>
      addon.dots(width, weight.length / width, weight, ...sparse(codes), m, out),
    transposedProduct: ({ a, b, rows, aWidth, bWidth, out }) =>
      addon.transposedProduct(rows, aWidth, bWidth, a, b, out),
    sortByColumn: async (codes, columns, room) => {
      const [offsets, count] = [new Uint32Array(columns + 1), codes.indices.length];
      const { rows, entries } = room ?? { rows: new Uint32Array(count), entries: new Uint32Array(count) };
      await addon.sortByColumn(columns, ...sparse(codes), offsets, rows, entries);
      return { columns, offsets, rows, entries };
    },
    latentGradients: ({ out, ...from }) =>
      addon.latentGradients(...gradients(from), out.encoderWeight, out.encoderBias, out.decoderWeight),
    measureLatentGradients: ({ throughInput, ...from }) =>
      addon.measureLatentGradients(...gradients(from), throughInput),
    updateLatents: ({ optimiser, trained, ...from }) =>
      addon.updateLatents(
        ...gradients(from),
        ...options(optimiser),
        ...remembered(trained.encoderWeight),
        ...remembered(trained.encoderBias),
        ...remembered(trained.decoderWeight),
      ),
    stepArray: ({ optimiser, trained, gradient }) =>
      addon.stepArray(...options(optimiser), gradient.length, gradient, ...remembered(trained)),
    stepToyModels: (op) => addon.stepToyModels(...toyModels(op)),
    unitRows: ({ weight, rows, width }) => addon.unitRows(rows, width, weight),
    drawFirings: ({ plan, streams, blockRows, skip, rows }) =>
      addon.drawFirings(...firingPlan(plan), blockRows, skip, rows, streams),
  };
}

/** The addon's own numbers. */
const ACTIVATIONS: Record<Activation | 'none', number> = {
  none: 0,
  relu: 1,
  silu: 2,
  gelu: 3,
  geluTanh: 4,
  tanh: 5,
};

function weightsOf({ q, k, v, o, gate, up, down }: PackedBlock): unknown[] {
  return [q, k, v, o, gate, up, down].map(({ data }) => data);
}

function unembedding({ precision, outputs, inputs, data }: PackedMatrix): unknown[] {
  return [precision === 'bf16', outputs, inputs, data];
}

function encoder(o: EncodeOperands): unknown[] {
  const { room } = o;
  return [
    ...[o.precision === 'bf16', o.rows, o.width, o.columns, o.x, o.weight, o.bias, o.subset],
    ...(room ? [room.indices, room.values] : []),
  ];
}

/** The addon gives no entries where it wrote them to `room`. */
async function encoded(
  codes: Promise<Pick<SparseRows, 'rows' | 'offsets'> & Partial<SparseRows>>,
  room: EncodeOperands['room'],
): Promise<SparseRows> {
  const { rows, offsets, indices, values } = await codes;
  if (indices && values) return { rows, offsets, indices, values };
  const entries = offsets[rows];
  return {
    rows,
    offsets,
    indices: room!.indices.subarray(0, entries),
    values: room!.values.subarray(0, entries),
  };
}

function sparse(codes: SparseRows): unknown[] {
  return [codes.rows, codes.offsets, codes.indices, codes.values];
}

function gradients(o: LatentGradientOperands): unknown[] {
  const { everyRow, alongDecoder, kept } = o;
  const parts = o.parts.flatMap((part) => [
    part.order.offsets,
    part.order.rows,
    part.order.entries,
    part.values,
    part.valueGradients,
    part.preGradients,
    part.outputGradient,
    part.frozenDecoder ?? false,
    part.ownBias ?? false,
  ]);
  return [
    ...[o.rows, o.latents, o.width, o.outputWidth, o.unitDecoder, o.input, o.encoderWeight, o.decoderWeight],
    ...(everyRow ? [true, everyRow.coefficients, everyRow.inputSum] : [false]),
    ...(alongDecoder ? [true, alongDecoder.bounds, alongDecoder.coefficients] : [false]),
    ...(kept ? [true, kept] : [false]),
    ...[o.parts.length, ...parts],
  ];
}

function options(o: Optimiser): unknown[] {
  if (o.kind === 'signum') return [true, o.step, o.rate, o.momentum];
  return [false, o.step, o.rate, o.beta1, o.beta2, o.epsilon, o.gradientScale];
}

function toyModels(o: Parameters<ToyOperations['stepToyModels']>[0]): unknown[] {
  const { encoder, decoder, bias, inputs } = o;
  const drawn = inputs.kind === 'drawn';
  return [
    ...[o.precision === 'bf16', o.instances, o.features, o.hidden, o.batch],
    ...[o.hiddenRelu, o.outputRelu, o.target === 'magnitude', o.importance],
    ...[...remembered(encoder), ...(decoder ? [true, ...remembered(decoder)] : [false])],
    ...(bias ? [true, ...remembered(bias)] : [false]),
    ...[
      o.firstStep,
      o.rates.length,
      o.rates,
      o.beta1,
      o.beta2,
      o.epsilon,
      o.weightDecay,
      o.biasDecay,
      o.losses,
    ],
    ...(drawn
      ? [true, inputs.probabilities, inputs.low, inputs.high, inputs.keys]
      : [false, inputs.rows.length, ...inputs.rows.flatMap(sparse)]),
  ];
}

function remembered({ parameter, m, v }: Trained): unknown[] {
  return [parameter, m, v];
}

function firingPlan(p: FiringPlan): unknown[] {
  const { first, second, feature, product } = p.conjunctions;
  return [
    ...[p.features, p.feature.length, p.exclusive.length, p.bound.length, p.counts.length],
    ...[p.roots, p.coupling?.rank ?? 0],
    ...[p.feature, p.probability, p.scaled, p.groupOffsets, p.memberOffsets, p.exclusive],
    ...[p.classOffsets, p.bound, p.countOffsets, p.counts],
    ...(p.coupling
      ? [p.coupling.loadings, p.coupling.threshold, p.coupling.residual, p.coupling.ceiling]
      : []),
    ...[p.law, p.shift, p.spread, p.mean],
    ...[feature.length, first, second, feature, product],
    p.positions,
  ];
}

function threadsFromEnvironment(): number {
  const text = process.env.MONOSEM_THREADS;
  if (text === undefined || text === '') return availableParallelism();
  const threads = Number(text);
  if (!Number.isInteger(threads) || threads < 1 || threads > 1024) {
    throw new InputError(`MONOSEM_THREADS: found "${text}", expected a whole number from 1 to 1024`);
  }
  return threads;
}

let loaded: Addon | undefined;

function loadAddon(): Addon {
  loaded ??= require('../../build/Release/monosem.node') as Addon;
  return loaded;
}
