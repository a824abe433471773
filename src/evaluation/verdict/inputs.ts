/**
 * What the verdict is made from: the components of a latent's evidence, each brought to a scale that means the same for any
 * width, number of latents and L0. It must not know how the inputs are weighed.
 */
import { expectedNearestCosine } from '../../toy/bounds/randomDirections.ts';
import type { Components } from '../evidence/components.ts';

/** The inputs, in their order. */
export const INPUTS = [
  'consensus',
  'least consensus',
  'widths',
  'least sparsities',
  'most sparsities',
  'neighbour',
  'agreement',
  'purity',
  'worth over purity',
  'kurtosis',
  'evenness',
  'steadiness',
  'density',
] as const;

/**
 * Inputs `[latents, INPUTS.length]`. A cosine c with the nearest of n rows counts from what random directions come to,
 * `(c - c0) / (1 - c0)`, `c0` the expected nearest cosine of n in `width` dimensions: many latents in few dimensions are near to
 * each other without a reason. Ratios of the rows that fire are taken as they are, kurtosis and density as logarithms.
 */
export function verdictInputs(
  components: Components,
  shape: { latents: number; width: number },
): Float64Array {
  const { latents, width } = shape;
  const nothing = expectedNearestCosine(latents, width);
  const above = (cosine: number) => (cosine - nothing) / (1 - nothing);
  const { consensus, widths, sparsities, neighbour, agreement, purity, worth, kurtosis, evenness } =
    components;
  const rows = Array.from({ length: latents }, (_, j) => [
    above(consensus.value[j]),
    above(consensus.low[j]),
    above(widths.value[j]),
    above(sparsities.low[j]),
    above(sparsities.high[j]),
    above(neighbour.value[j]),
    agreement.value[j],
    purity.value[j],
    Math.max(-1, worth.value[j] / purity.value[j]),
    Math.log(Math.max(0.1, kurtosis.value[j] + 3)),
    evenness.value[j],
    components.steadiness.value[j],
    Math.log(components.density.value[j]),
  ]);
  return Float64Array.from(rows.flat());
}
