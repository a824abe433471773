/** What families have in common: the operands of their encoder, and the way from the codes to the gradient. */
import type { ColumnOrder, EncodeOperands, SparseRows } from '../../kernels/backend.ts';
import type { EntryGradients } from '../../kernels/trainingOperations.ts';
import type { Batch, Loss } from './family.ts';

/** Operands of the encoder of a batch: its input, W_enc and b_enc. */
export function encoderOperands({
  input: x,
  rows,
  width,
  parameters,
  latents: columns,
  precision,
}: Batch): EncodeOperands {
  const { encoderWeight: weight, encoderBias: bias } = parameters;
  return { x, rows, width, weight, bias, columns, precision };
}

/** Room in the workspace for a selection of at most so many entries. */
export function roomFor({ workspace }: Batch, entries: number): EncodeOperands['room'] {
  return { indices: workspace.indices('codes', entries), values: workspace.floats('codes', entries) };
}

/** The entries sorted by latent. `name` keeps its arrays apart from those of another call in the same step. */
export function sortByLatent(
  { backend, latents, workspace }: Batch,
  codes: SparseRows,
  name = 'main',
): Promise<ColumnOrder> {
  const { length } = codes.indices;
  return backend.sortByColumn(codes, latents, {
    rows: workspace.indices(`${name}.rows`, length),
    entries: workspace.indices(`${name}.entries`, length),
  });
}

/** The mean squared error of what the codes decode to, and how it changes with each of them. */
export interface Reconstruction {
  /** `mean_r |codes W_dec - target|^2_r` */
  readonly error: number;
  /** `factor * (codes W_dec - target)`, factor = 2 / rows: the gradient of the output `[rows, outputWidth]`. */
  readonly outputGradient: Float32Array;
  readonly factor: number;
  /** The gradient's sum over rows `[outputWidth]`. */
  readonly outputSum: Float64Array;
  /** Gradient of each value `[entries]`. */
  readonly valueGradients: Float32Array;
  /** Smallest value of the codes; infinity where there are none. */
  readonly smallest: number;
}

/** Decodes and propagates back. `name` keeps its arrays apart from those of another call in the same step. */
export async function reconstruct(batch: Batch, codes: SparseRows, name = 'main'): Promise<Reconstruction> {
  const { backend, parameters, rows, outputWidth, target, workspace } = batch;
  const factor = 2 / rows;
  const out = workspace.floats(`${name}.outputGradient`, rows * outputWidth);
  const dots = workspace.floats(`${name}.valueGradients`, codes.values.length);
  const sums = new Float64Array(outputWidth);
  const { squares, smallest } = await backend.reconstruct({
    codes,
    weight: parameters.decoderWeight,
    target,
    targetFactor: 1,
    scale: factor,
    width: outputWidth,
    out,
    dots,
    sums,
  });
  return {
    error: squares / rows,
    outputGradient: out,
    factor,
    outputSum: sums,
    valueGradients: dots,
    smallest,
  };
}

/**
 * The loss of a family whose gradient of a pre-activation is that of the value, which a ReLU or a sign passes on, as long
 * as it adds nothing: `preGradients` where a penalty makes it another.
 */
export async function plainLoss(
  batch: Batch,
  codes: SparseRows,
  reconstruction: Reconstruction,
  preGradients = reconstruction.valueGradients,
): Promise<Loss> {
  const { error, outputGradient, factor, outputSum, valueGradients } = reconstruction;
  const part: EntryGradients = {
    values: codes.values,
    valueGradients,
    preGradients,
    outputGradient,
    order: await sortByLatent(batch, codes),
  };
  return {
    reconstruction: error,
    penalty: 0,
    codes,
    parts: [part],
    outputSum,
    error: { scaled: outputGradient, factor },
  };
}

/** Norms of the decoder rows in each block of the output, `[latents, blocks]`. */
export function decoderNorms({ parameters, latents, outputWidth, outputBounds }: Batch): Float32Array {
  const blocks = outputBounds.length - 1;
  const norms = new Float32Array(latents * blocks);
  const { decoderWeight } = parameters;
  for (let j = 0; j < latents; j++) {
    for (let b = 0; b < blocks; b++) {
      let square = 0;
      for (let i = j * outputWidth + outputBounds[b]; i < j * outputWidth + outputBounds[b + 1]; i++)
        square += decoderWeight[i] * decoderWeight[i];
      norms[j * blocks + b] = Math.sqrt(square);
    }
  }
  return norms;
}
