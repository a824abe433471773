/**
 * The loss of a batch and its gradient, written out by hand over active latents only. After the encoder's one dense
 * product everything costs O(rows x k x width).
 *
 *   z = (x - b_dec) W_enc + b_enc,  f = ReLU(select(z)),  x' = f W_dec + b_dec
 *   L = mean_r |x'_r - x_r|^2  +  c * mean_r |f_dead W_dec - e_r|^2 / mean_r |e_r - mean e|^2,  e = x - x'
 *
 * The second term is AuxK (Gao et al. 2024, appendix A.2): the k_aux strongest dead latents model what the others
 * left over. Its target e and its scale are constants (no gradient flows through them), b_dec has no part in its
 * reconstruction, and its gradient reaches encoder and decoder alike.
 */
import type { Backend, Precision, SparseRows } from '../kernels/backend.ts';
import type { Parameters } from './state.ts';

export interface BatchResult {
  readonly codes: SparseRows;
  /** Times that each latent fired in the batch, `[latents]`. */
  readonly firings: Uint32Array;
  /** Mean squared error: `mean_r |x'_r - x_r|^2`. */
  readonly loss: number;
  /** AuxK's normalised error before its coefficient; 0 where no latent is dead. */
  readonly auxLoss: number;
}

interface Batch {
  readonly backend: Backend;
  readonly parameters: Parameters;
  readonly width: number;
  readonly latents: number;
  /** `[rows, width]` */
  readonly x: Float32Array;
  readonly rows: number;
}

/** Chooses the latents of a batch whose activations have b_dec taken off. */
export type Select = (centered: Float32Array, rows: number, parameters: Parameters) => Promise<SparseRows>;

/** The loss that revives dead latents. */
interface AuxK {
  readonly dead: Uint32Array;
  /** How many of the dead model the residual of a token. */
  readonly latents: number;
  readonly coefficient: number;
  readonly precision: Precision;
}

/** Adds the gradient of the batch's loss to `gradient`, and returns the loss. */
export async function addGradient(
  batch: Batch,
  select: Select,
  aux: AuxK,
  gradient: Parameters,
): Promise<BatchResult> {
  const { backend, parameters, width, x, rows } = batch;
  const centered = new Float32Array(rows * width);
  await backend.center({ x, center: parameters.decoderBias, rows, width, scale: 1, out: centered });
  const codes = await select(centered, rows, parameters);

  const output = new Float32Array(rows * width);
  const squares = new Float32Array(rows);
  await backend.decode({
    codes,
    weight: parameters.decoderWeight,
    bias: parameters.decoderBias,
    width,
    out: output,
  });
  await backend.residual({ a: output, b: x, rows, width, scale: 2 / rows, out: output, squares });
  const offsets = await propagate(batch, codes, output, centered, gradient);
  const biasGradient = new Float64Array(width);
  await backend.columnSum({ m: output, rows, width, out: biasGradient });

  let auxLoss = 0;
  if (aux.dead.length > 0 && aux.coefficient > 0) {
    auxLoss = await addAuxGradient(batch, centered, output, sum(squares) / rows, biasGradient, aux, gradient);
  }
  await addDecoderBiasGradient(batch, biasGradient, gradient);
  return { codes, firings: countsOf(offsets), loss: sum(squares) / rows, auxLoss };
}

/**
 * Adds the gradients of W_dec, W_enc and b_enc that the outputs' gradient `[rows, width]` causes through `codes`.
 * Returns the offsets of the entries sorted by latent.
 */
async function propagate(
  { backend, parameters, width, latents }: Batch,
  codes: SparseRows,
  outputGradient: Float32Array,
  centered: Float32Array,
  gradient: Parameters,
): Promise<Uint32Array> {
  const preGradient = new Float32Array(codes.values.length);
  await backend.entryDots({
    codes,
    m: outputGradient,
    weight: parameters.decoderWeight,
    width,
    out: preGradient,
  });
  const order = await backend.sortByColumn(codes, latents);
  await backend.addColumnSums({
    order,
    coefficients: codes.values,
    m: outputGradient,
    width,
    out: gradient.decoderWeight,
  });
  await backend.addColumnSums({
    order,
    coefficients: preGradient,
    m: centered,
    width,
    out: gradient.encoderWeight,
    sums: gradient.encoderBias,
  });
  return order.offsets;
}

/** `outputGradient` is `2 / rows * (x' - x)`: the residual e, up to a factor. Overwritten. */
async function addAuxGradient(
  batch: Batch,
  centered: Float32Array,
  outputGradient: Float32Array,
  meanSquare: number,
  outputSum: Float64Array,
  aux: AuxK,
  gradient: Parameters,
): Promise<number> {
  const { backend, parameters, width, latents, rows } = batch;
  const codes = await backend.encodeTopK({
    x: centered,
    rows,
    width,
    weight: parameters.encoderWeight,
    bias: parameters.encoderBias,
    columns: latents,
    subset: aux.dead,
    k: aux.latents,
    precision: aux.precision,
  });
  const zero = new Float32Array(width);
  const target = outputGradient;
  await backend.center({ x: outputGradient, center: zero, rows, width, scale: -rows / 2, out: target });
  // The sum over rows of e is -rows / 2 times that of the gradient.
  const meanOfTarget = outputSum.reduce((total, value) => total + (value / 2) ** 2, 0);
  const variance = meanSquare - meanOfTarget;
  if (!(variance > 0)) return 0;

  const modelled = new Float32Array(rows * width);
  const squares = new Float32Array(rows);
  await backend.decode({ codes, weight: parameters.decoderWeight, width, out: modelled });
  const scale = (aux.coefficient * 2) / (rows * variance);
  await backend.residual({ a: modelled, b: target, rows, width, scale, out: modelled, squares });
  await propagate(batch, codes, modelled, centered, gradient);
  return sum(squares) / rows / variance;
}

/** `dL/db_dec`: through the output directly, and through the input as `-W_enc^T dL/db_enc`. */
async function addDecoderBiasGradient(
  { backend, parameters, width, latents }: Batch,
  outputSum: Float64Array,
  gradient: Parameters,
): Promise<void> {
  const throughInput = new Float64Array(width);
  await backend.columnSum({
    m: parameters.encoderWeight,
    rows: latents,
    width,
    weights: gradient.encoderBias,
    out: throughInput,
  });
  for (let i = 0; i < width; i++) gradient.decoderBias[i] += outputSum[i] - throughInput[i];
}

function countsOf(offsets: Uint32Array): Uint32Array {
  return Uint32Array.from({ length: offsets.length - 1 }, (_, i) => offsets[i + 1] - offsets[i]);
}

function sum(values: Float32Array): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}
