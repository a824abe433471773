/**
 * AuxK (Gao et al. 2024, appendix A.2), the loss that revives dead latents: the k_aux strongest of them model what the
 * others left over,
 *
 *   L_aux = mean_r |f_dead W_dec - e_r|^2 / mean_r |e_r - mean e|^2,  e = x - x'
 *
 * Its target e and its scale are constants (no gradient flows through them), b_dec has no part in its reconstruction,
 * and its gradient reaches encoder and decoder alike.
 */
import { encoderOperands, sortByLatent } from '../dictionaries/families/entries.ts';
import type { Batch, Loss } from '../dictionaries/families/family.ts';
import type { EntryGradients } from '../kernels/trainingOperations.ts';

/** One more part of the gradient, and the loss before its coefficient. Undefined where no latent is dead or nothing is left over. */
export async function propagateAux(
  batch: Batch,
  { error: { scaled, factor }, reconstruction }: Loss,
  { coefficient, latents: k }: { coefficient: number; latents: number },
): Promise<{ part: EntryGradients; loss: number } | undefined> {
  const { backend, parameters, outputWidth, rows, dead, workspace } = batch;
  if (dead.length === 0 || coefficient === 0 || k === 0) return undefined;
  const sums = new Float64Array(outputWidth);
  await backend.columnSum({ m: scaled, rows, width: outputWidth, out: sums });
  const variance = reconstruction - sums.reduce((total, sum) => total + (sum / factor / rows) ** 2, 0);
  if (!(variance > 0)) return undefined;
  const codes = await backend.encodeTopK({ ...encoderOperands(batch), subset: dead, k });
  const outputGradient = workspace.floats('aux.outputGradient', rows * outputWidth);
  const dots = workspace.floats('aux.valueGradients', codes.values.length);
  const { squares } = await backend.reconstruct({
    codes,
    weight: parameters.decoderWeight,
    // The error x' - x times a factor: the target e, up to that.
    target: scaled,
    targetFactor: -1 / factor,
    scale: (coefficient * 2) / (rows * variance),
    width: outputWidth,
    out: outputGradient,
    dots,
    sums,
  });
  const order = await sortByLatent(batch, codes, 'aux');
  const part = { values: codes.values, valueGradients: dots, preGradients: dots, outputGradient, order };
  return { part, loss: squares / rows / variance };
}
