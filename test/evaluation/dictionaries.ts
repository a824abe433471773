/** Dictionaries by hand. */
import type { Dictionary, Selection } from '../../src/dictionaries/dictionary.ts';
import type { Distribution } from '../../src/toy/distribution.ts';

/** Reads by inner products with its own rows `[latents, width]`. */
export function tiedDictionary(weight: Float32Array, width: number, selection: Selection): Dictionary {
  const latents = weight.length / width;
  return {
    width,
    outputWidth: width,
    latents,
    encoderWeight: weight,
    encoderBias: new Float32Array(latents),
    decoderWeight: weight,
    decoderBias: new Float32Array(width),
    selection,
  };
}

/** The true features, each read where its product is above `threshold`. */
export function trueDictionary({ directions, width, features }: Distribution, threshold = 0.3): Dictionary {
  return tiedDictionary(directions, width, {
    kind: 'threshold',
    threshold: new Float32Array(features).fill(threshold),
  });
}
