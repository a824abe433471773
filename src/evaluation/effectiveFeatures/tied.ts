/**
 * The dictionary by which Bereska et al. 2025 (arXiv 2512.13568) count features: ReLU with an L1 penalty, and the decoder
 * is the encoder's transpose. A family for this measure alone, not for runs. It must not know what is counted.
 *
 *   f = ReLU(x W^T + b),  L = mean_ri (f W - x)^2 + c mean_rj f_rj
 *
 * Rows of W are free, and the output has no bias. Both means are over rows and columns, as in the authors' code, so the
 * loss here is that times the width, which Adam does not see.
 */
import * as z from 'zod';
import { plainLoss, reconstruct } from '../../dictionaries/families/entries.ts';
import { type Family, GAO } from '../../dictionaries/families/family.ts';
import { latents } from '../../dictionaries/families/fields.ts';

const options = z.strictObject({
  family: z.literal('tied'),
  latents,
  /** The weight c of the L1 penalty, for activations whose mean square is 1; the authors' is .1. */
  penalty: z.number().nonnegative(),
});

export const tied: Family<typeof options> = {
  name: 'tied',
  description: 'all above 0, under an L1 penalty, read and written by one matrix',
  source: 'Bereska et al. 2025, arXiv 2512.13568',
  options,
  recipe: {
    ...GAO,
    squaredNorm: 'width',
    learningRate: () => 1e-3,
    warmupFraction: 0,
    decayFraction: 0,
    auxCoefficient: 0,
  },
  unitDecoder: false,
  centersInput: false,
  tied: true,
  dense: true,
  loss: async (batch) => {
    const { backend, rows, width, latents, input, parameters, precision, options, workspace } = batch;
    const { decoderWeight: weight, encoderBias: bias } = parameters;
    const threshold = new Float32Array(latents);
    const codes = await backend.encodeThreshold({
      x: input,
      rows,
      width,
      weight,
      bias,
      columns: latents,
      threshold,
      precision,
    });
    const reconstruction = await reconstruct(batch, codes);
    const price = (options.penalty * width) / (latents * rows);
    const preGradients = workspace.floats('preGradients', codes.values.length);
    let sum = 0;
    for (let e = 0; e < codes.values.length; e++) {
      sum += codes.values[e];
      preGradients[e] = reconstruction.valueGradients[e] + price;
    }
    const plain = await plainLoss(batch, codes, reconstruction, preGradients);
    const reading = workspace.floats('tied.reading', weight.length);
    const writing = workspace.floats('tied.writing', weight.length);
    const encoderBias = workspace.floats('tied.bias', latents);
    await backend.latentGradients({
      rows,
      latents,
      width,
      outputWidth: width,
      input,
      encoderWeight: weight,
      decoderWeight: weight,
      unitDecoder: false,
      parts: plain.parts,
      out: { encoderWeight: reading, encoderBias, decoderWeight: writing },
    });
    await backend.add({ a: reading, b: writing, out: writing });
    return {
      ...plain,
      penalty: price * sum,
      parts: [],
      dense: { decoderWeight: writing, encoderBias },
      outputSum: new Float64Array(width),
    };
  },
  dictionary: ({ latents }) => ({ selection: { kind: 'threshold', threshold: new Float32Array(latents) } }),
};
