/** Random gradients of latents, of all the kinds that families of dictionaries have, for tests of what trains them. */
import fc from 'fast-check';
import type { Backend, SparseRows } from '../../src/kernels/backend.ts';
import { createReferenceBackend } from '../../src/kernels/reference.ts';
import type {
  AdamOptions,
  EntryGradients,
  LatentGradientOperands,
  Trained,
} from '../../src/kernels/trainingOperations.ts';
import type { Random } from '../../src/math/random.ts';
import { normals } from './helpers.ts';

export const reference = createReferenceBackend();
export const rows = fc.integer({ min: 1, max: 80 });
export const width = fc.oneof(fc.integer({ min: 1, max: 70 }), fc.constantFrom(128, 200, 288));
export const latents = fc.oneof(fc.integer({ min: 1, max: 60 }), fc.constantFrom(300, 1100));
export const names = ['encoderWeight', 'encoderBias', 'decoderWeight'] as const;
export const adam: AdamOptions = {
  kind: 'adam',
  step: 3,
  rate: 1e-2,
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-8,
  gradientScale: 0.7,
};

/** Up to `most` entries in each row, of latents `among`; some rows have none. Some values are 0 or negative. */
export function randomCodes(random: Random, n: number, among: number[], most: number): SparseRows {
  const offsets = new Uint32Array(n + 1);
  const indices: number[] = [];
  for (let r = 0; r < n; r++) {
    const count = random.below(Math.min(most, among.length) + 1);
    const chosen = [...random.permutation(among.length).slice(0, count)].map((i) => among[i]);
    indices.push(...chosen.sort((a, b) => a - b));
    offsets[r + 1] = indices.length;
  }
  const values = normals(random, indices.length).map((value) => (value < -1 ? value + 1 : Math.abs(value)));
  if (values.length > 0) values[random.below(values.length)] = 0;
  return { rows: n, offsets, indices: Uint32Array.from(indices), values };
}

interface Shape {
  rows: number;
  width: number;
  outputWidth: number;
  latents: number;
}

/** What a family of dictionaries adds to the gradients, beside the entries of one part. */
interface Family {
  unitDecoder: boolean;
  secondPart?: { frozenDecoder: boolean; ownBias: boolean };
  everyRow: boolean;
  /** Of decoder rows, whose gradient has something along the row; 0 where it has not. */
  blocks: number;
}

export const plain: Family = { unitDecoder: true, everyRow: false, blocks: 0 };

export const families: fc.Arbitrary<Family> = fc
  .record({
    unitDecoder: fc.boolean(),
    secondPart: fc.option(fc.record({ frozenDecoder: fc.boolean(), ownBias: fc.boolean() }), {
      nil: undefined,
    }),
    everyRow: fc.boolean(),
    blocks: fc.integer({ min: 0, max: 3 }),
  })
  .map((family) => (family.unitDecoder ? { ...family, blocks: 0 } : family));

/** Of gradients of all kinds; an autoencoder in half of all cases. */
export const shapes: fc.Arbitrary<Shape> = fc
  .tuple(rows, width, fc.option(width), latents)
  .map(([n, d, output, columns]) => ({ rows: n, width: d, outputWidth: output ?? d, latents: columns }));

/** At most so many entries a row: a few, or up to all of these latents, which are multiplied as dense blocks are. */
export const fewOrMany = (random: Random, among: number): number =>
  random.uniform() < 0.5 ? 7 : Math.min(among, 200);

/**
 * Gradients of a batch in one or two parts, of at most `most(random, latents)` entries a row, which share some latents and
 * leave others without an entry. The coefficients of the encoder's gradient are not those of the decoder's, as with a
 * penalty on activations.
 */
export async function randomGradients(
  random: Random,
  shape: Shape,
  family: Family,
  most = fewOrMany,
): Promise<LatentGradientOperands> {
  const { rows: n, width: d, outputWidth, latents: columns } = shape;
  const decoderWeight = normals(random, columns * outputWidth);
  if (family.unitDecoder)
    await reference.unitRows({ weight: decoderWeight, rows: columns, width: outputWidth });
  const input = normals(random, n * d);
  const all = Array.from({ length: columns }, (_, j) => j).filter(() => random.uniform() < 0.8);
  const part = async (among: number[]): Promise<EntryGradients> => {
    const each = most(random, among.length);
    const codes = randomCodes(random, n, among, each);
    const outputGradient = new Float32Array(n * outputWidth);
    const valueGradients = new Float32Array(codes.values.length);
    await reference.reconstruct({
      codes,
      weight: decoderWeight,
      target: normals(random, n * outputWidth),
      targetFactor: 1,
      scale: 0.7 / each,
      width: outputWidth,
      out: outputGradient,
      dots: valueGradients,
      sums: new Float64Array(outputWidth),
    });
    const preGradients = valueGradients.map((value) => value + 0.05);
    const order = await reference.sortByColumn(codes, columns);
    return { values: codes.values, valueGradients, preGradients, outputGradient, order };
  };
  const parts = [await part(all)];
  if (family.secondPart)
    parts.push({ ...(await part(all.filter((_, i) => i % 3 === 0))), ...family.secondPart });
  const inputSum = new Float64Array(d);
  await reference.columnSum({ m: input, rows: n, width: d, out: inputSum });
  const bounds = Uint32Array.from({ length: family.blocks + 1 }, (_, b) =>
    Math.floor((outputWidth * b) / family.blocks),
  );
  return {
    ...shape,
    input,
    encoderWeight: normals(random, columns * d),
    decoderWeight,
    unitDecoder: family.unitDecoder,
    parts,
    everyRow: family.everyRow
      ? { coefficients: normals(random, columns, 0.01), inputSum: Float32Array.from(inputSum) }
      : undefined,
    alongDecoder:
      family.blocks > 0 ? { coefficients: normals(random, columns * family.blocks, 0.1), bounds } : undefined,
  };
}

/** Moments as after some steps: squares are not zero, so that Adam's step is smooth in the gradient. */
export function randomMoments(random: Random, { latents: columns, width: d, outputWidth }: Shape) {
  const of = (n: number) => ({
    m: normals(random, n, 0.1),
    v: normals(random, n, 0.1).map((value) => value * value + 1e-3),
  });
  return {
    encoderWeight: of(columns * d),
    encoderBias: of(columns),
    decoderWeight: of(columns * outputWidth),
  };
}

export const emptyGradients = ({ latents: columns, width: d, outputWidth }: Shape) => ({
  encoderWeight: new Float32Array(columns * d),
  encoderBias: new Float32Array(columns),
  decoderWeight: new Float32Array(columns * outputWidth),
});

/** The gradient that a step goes along, from the plain operation: unit decoder rows without what would lengthen them. */
export async function stepDirection(backend: Backend, from: LatentGradientOperands) {
  const out = emptyGradients(from);
  await backend.latentGradients({ ...from, out });
  if (!from.unitDecoder) return out;
  for (let j = 0; j < from.latents; j++) {
    const g = out.decoderWeight.subarray(j * from.outputWidth, (j + 1) * from.outputWidth);
    const w = from.decoderWeight.subarray(j * from.outputWidth, (j + 1) * from.outputWidth);
    const along = g.reduce((sum, value, i) => sum + value * w[i], 0);
    for (let i = 0; i < g.length; i++) g[i] -= along * w[i];
  }
  return out;
}

/** A copy of the parameters and moments to train, and the operands that follow from them. */
export function trainable(
  from: LatentGradientOperands,
  bias: Float32Array,
  moments: ReturnType<typeof randomMoments>,
) {
  const trained = (parameter: Float32Array, name: (typeof names)[number]): Trained => ({
    parameter: parameter.slice(),
    m: moments[name].m.slice(),
    v: moments[name].v.slice(),
  });
  const all = {
    encoderWeight: trained(from.encoderWeight, 'encoderWeight'),
    encoderBias: trained(bias, 'encoderBias'),
    decoderWeight: trained(from.decoderWeight, 'decoderWeight'),
  };
  const operands = {
    ...from,
    encoderWeight: all.encoderWeight.parameter,
    decoderWeight: all.decoderWeight.parameter,
  };
  return { trained: all, operands };
}
