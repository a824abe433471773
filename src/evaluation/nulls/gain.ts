/** The one number that a null may be fitted by: how large its latents are. It must not know what the null is. */
import { type Dictionary, decode, encode } from '../../dictionaries/dictionary.ts';
import type { Backend } from '../../kernels/backend.ts';

/** A null whose best gain is none, or negative, still fires. */
const LEAST_GAIN = 1e-3;

/**
 * The dictionary with all latents multiplied by the one gain that is best for `x [rows, width]` in the least-squares sense,
 * `sum <m, x - b> / sum |m|^2` with m what the latents add to b, what is decoded where none fires. Which latents fire stays.
 */
export async function withBestGain(
  backend: Backend,
  dictionary: Dictionary,
  x: Float32Array,
  rows: number,
): Promise<Dictionary> {
  const codes = await encode(backend, dictionary, x, rows);
  const output = await decode(backend, dictionary, codes, x);
  const none = {
    ...codes,
    offsets: new Uint32Array(rows + 1),
    indices: new Uint32Array(0),
    values: new Float32Array(0),
  };
  const base = await decode(backend, dictionary, none, x);
  let [along, square] = [0, 0];
  for (let i = 0; i < output.length; i++) {
    const modelled = output[i] - base[i];
    along += modelled * (x[i] - base[i]);
    square += modelled * modelled;
  }
  const gain = square > 0 ? Math.max(LEAST_GAIN, along / square) : 1;
  const { encoderWeight, encoderBias, selection } = dictionary;
  const scaled = (values: Float32Array) => values.map((value) => gain * value);
  return {
    ...dictionary,
    encoderWeight: scaled(encoderWeight),
    encoderBias: scaled(encoderBias),
    selection:
      selection.kind === 'threshold' ? { ...selection, threshold: scaled(selection.threshold) } : selection,
  };
}
