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
 *
 * The gradient of the latents' parameters is left in the form that it takes for each entry: see
 * `kernels/trainingOperations.ts` for what that means and who sums it.
 */
import type { Backend, Precision, SparseRows } from '../kernels/backend.ts';
import type { EntryGradients, LatentGradientOperands } from '../kernels/trainingOperations.ts';
import type { Parameters } from './state.ts';

export interface Batch {
  readonly backend: Backend;
  readonly parameters: Parameters;
  readonly width: number;
  readonly latents: number;
  /** `[rows, width]` */
  readonly x: Float32Array;
  /** What x is multiplied by first. */
  readonly scale: number;
  readonly rows: number;
}

/** Chooses the latents of a batch whose activations have b_dec taken off. */
export type Select = (centered: Float32Array, rows: number, parameters: Parameters) => Promise<SparseRows>;

/** The loss that revives dead latents. */
export interface AuxK {
  readonly dead: Uint32Array;
  /** How many of the dead model the residual of a token. */
  readonly latents: number;
  readonly coefficient: number;
  readonly precision: Precision;
}

/** What a batch says. Its arrays are the workspace's, and valid until that is used again. */
export interface BatchResult {
  /** Mean squared error: `mean_r |x'_r - x_r|^2`. */
  readonly loss: number;
  /** `mean_r |x_r - mean x|^2` */
  readonly variance: number;
  /** AuxK's normalised error before its coefficient; 0 where no latent is dead. */
  readonly auxLoss: number;
  /** Latents that fired on a token, on average. */
  readonly l0: number;
  /** Smallest activation that was selected; infinity where none was. */
  readonly smallest: number;
  /** Of the latents' parameters. The first part is that of the loss, a second one AuxK's. */
  readonly gradient: LatentGradientOperands;
  /** `dL/db_dec` through the output `[width]`. Through the input b_dec loses what `measureLatentGradients` says. */
  readonly outputSum: Float64Array;
}

/** Arrays that each step writes anew. A training owns one and lends it to one step at a time. */
export interface Workspace {
  /** x less b_dec, `[rows, width]`. */
  readonly input: Float32Array;
  /** Of the loss and of AuxK: the gradient of the outputs `[rows, width]`, and of each pre-activation. */
  readonly main: { readonly outputGradient: Float32Array; readonly preGradients: Float32Array };
  readonly aux: { readonly outputGradient: Float32Array; readonly preGradients: Float32Array };
}

/** For at most `k` latents a row on average and `auxLatents` dead ones. */
export function createWorkspace(
  backend: Backend,
  { rows, width, k, auxLatents }: { rows: number; width: number; k: number; auxLatents: number },
): Workspace {
  const part = (entries: number) => ({
    outputGradient: backend.allocate(rows * width),
    preGradients: backend.allocate(rows * entries),
  });
  return { input: backend.allocate(rows * width), main: part(k), aux: part(auxLatents) };
}

/** The loss of a batch, and its gradient for each entry. */
export async function propagate(
  batch: Batch,
  select: Select,
  aux: AuxK,
  workspace: Workspace,
): Promise<BatchResult> {
  const { backend, parameters, width, latents, x, rows, scale } = batch;
  const { input, main } = workspace;
  const { encoderWeight, decoderWeight, decoderBias } = parameters;
  const sums = new Float64Array(width);
  const squares = await backend.shift({ x, scale, center: decoderBias, rows, width, out: input, sums });
  const codes = await select(input, rows, parameters);

  const outputSum = new Float64Array(width);
  const reconstructed = await backend.reconstruct({
    codes,
    weight: decoderWeight,
    // b_dec is in neither the codes' sum nor the target.
    target: input,
    targetFactor: 1,
    scale: 2 / rows,
    width,
    out: main.outputGradient,
    dots: main.preGradients,
    sums: outputSum,
  });
  const parts = [await entryGradients(batch, codes, main)];
  const loss = reconstructed.squares / rows;
  let auxLoss = 0;
  if (aux.dead.length > 0 && aux.coefficient > 0) {
    // The sum over rows of e is -rows / 2 times that of the outputs' gradient.
    const errorVariance = loss - outputSum.reduce((total, value) => total + (value / 2) ** 2, 0);
    if (errorVariance > 0) {
      const found = await propagateAux(batch, aux, errorVariance, workspace);
      parts.push(found.part);
      auxLoss = found.loss;
    }
  }
  return {
    loss,
    variance: squares / rows - sums.reduce((total, value) => total + (value / rows) ** 2, 0),
    auxLoss,
    l0: codes.values.length / rows,
    smallest: reconstructed.smallest,
    gradient: { rows, latents, width, input, encoderWeight, decoderWeight, parts },
    outputSum,
  };
}

async function propagateAux(
  batch: Batch,
  aux: AuxK,
  variance: number,
  { input, main, aux: arrays }: Workspace,
): Promise<{ part: EntryGradients; loss: number }> {
  const { backend, parameters, width, latents, rows } = batch;
  const codes = await backend.encodeTopK({
    x: input,
    rows,
    width,
    weight: parameters.encoderWeight,
    bias: parameters.encoderBias,
    columns: latents,
    subset: aux.dead,
    k: aux.latents,
    precision: aux.precision,
  });
  const { squares } = await backend.reconstruct({
    codes,
    weight: parameters.decoderWeight,
    // The outputs' gradient is 2 / rows * (x' - x): the target e, up to a factor.
    target: main.outputGradient,
    targetFactor: -rows / 2,
    scale: (aux.coefficient * 2) / (rows * variance),
    width,
    out: arrays.outputGradient,
    dots: arrays.preGradients,
    sums: new Float64Array(width),
  });
  return { part: await entryGradients(batch, codes, arrays), loss: squares / rows / variance };
}

/** ReLU passes the gradient of a value on to its pre-activation: only positive ones were selected. */
async function entryGradients(
  { backend, latents }: Batch,
  codes: SparseRows,
  { outputGradient, preGradients }: Workspace['main'],
): Promise<EntryGradients> {
  return {
    values: codes.values,
    valueGradients: preGradients,
    preGradients,
    outputGradient,
    order: await backend.sortByColumn(codes, latents),
  };
}
