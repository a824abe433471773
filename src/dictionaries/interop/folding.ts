/**
 * Changes of a dictionary's parameters that change neither its latents' meaning nor its reconstruction: what peers do
 * at run time is folded into the weights here. Sums and factors are in double. It must not know any file.
 */
import type { Dictionary, Selection } from '../dictionary.ts';

/** The parts of a dictionary that the foldings move between each other. */
export type Weighted = Pick<Dictionary, 'encoderWeight' | 'encoderBias' | 'decoderWeight'>;

/** Rows and columns of a square that stays in the first cache while it is transposed. */
const TILE = 32;

/** `[rows, columns]` to `[columns, rows]`. */
export function transpose(matrix: Float32Array, rows: number, columns: number): Float32Array {
  const out = new Float32Array(matrix.length);
  for (let top = 0; top < rows; top += TILE) {
    const bottom = Math.min(rows, top + TILE);
    for (let left = 0; left < columns; left += TILE) {
      const right = Math.min(columns, left + TILE);
      for (let r = top; r < bottom; r++) {
        for (let c = left; c < right; c++) out[c * rows + r] = matrix[r * columns + c];
      }
    }
  }
  return out;
}

/** Each row of `matrix [factors.length, any]` times its factor. */
export function scaleRows(matrix: Float32Array, factors: Float64Array): Float32Array {
  const width = matrix.length / factors.length;
  return matrix.map((value, i) => value * factors[Math.floor(i / width)]);
}

export function scaleAll(values: Float32Array, factor: number): Float32Array {
  return values.map((value) => value * factor);
}

/**
 * Latents in units of their decoder row's norm: `z' = ||d|| z`, with the row `d / ||d||`. The encoder's row and bias grow
 * by `||d||`, so that what selects, TopK or a threshold, looks at `||d|| z`. A row of zeros stays one and its latent is
 * silent.
 */
export function foldDecoderNorms({ encoderWeight, encoderBias, decoderWeight }: Weighted): Weighted {
  const norms = rowNorms(decoderWeight, encoderBias.length);
  return {
    encoderWeight: scaleRows(encoderWeight, norms),
    encoderBias: scaleRows(encoderBias, norms),
    decoderWeight: scaleRows(
      decoderWeight,
      norms.map((norm) => (norm === 0 ? 0 : 1 / norm)),
    ),
  };
}

/**
 * A gated encoder (Rajamanoharan et al. 2024, arXiv 2404.16014) as a threshold. With `u = (x - b_dec) W`, its latent is
 * `z = [u + gateBias > 0] relu(m)`, `m = exp(r) u + magnitudeBias`. As `exp(r) > 0`, the gate is open exactly where
 * `exp(r) u > -exp(r) gateBias`, that is where `m > t`, `t = magnitudeBias - exp(r) gateBias`; so `z = m` where
 * `m > max(0, t)` and 0 elsewhere: an encoder `exp(r) W` with bias magnitudeBias and that threshold.
 */
export function foldGate(gated: {
  encoderWeight: Float32Array;
  gateBias: Float32Array;
  magnitudeBias: Float32Array;
  logMagnitude: Float32Array;
}): { encoderWeight: Float32Array; encoderBias: Float32Array; selection: Selection } {
  const growth = Float64Array.from(gated.logMagnitude, Math.exp);
  const threshold = gated.magnitudeBias.map((bias, j) => Math.max(0, bias - growth[j] * gated.gateBias[j]));
  return {
    encoderWeight: scaleRows(gated.encoderWeight, growth),
    encoderBias: gated.magnitudeBias,
    selection: { kind: 'threshold', threshold },
  };
}

/**
 * A dictionary of `scale x` as one of x, with the same latents:
 * `(scale x - b) W = (x - b / scale) (scale W)`, and the output is divided by scale.
 */
export function foldInputScale(dictionary: Dictionary, scale: number): Dictionary {
  const { inputBias } = dictionary;
  return {
    ...dictionary,
    encoderWeight: scaleAll(dictionary.encoderWeight, scale),
    decoderWeight: scaleAll(dictionary.decoderWeight, 1 / scale),
    decoderBias: scaleAll(dictionary.decoderBias, 1 / scale),
    ...(inputBias && { inputBias: scaleAll(inputBias, 1 / scale) }),
  };
}

/** `(x - a) W + b = x W + (b - a W)`: the same dictionary without an input bias, for formats that have none. */
export function absorbInputBias(dictionary: Dictionary): Dictionary {
  const { inputBias, ...rest } = dictionary;
  if (!inputBias) return dictionary;
  const { width, encoderWeight } = dictionary;
  const encoderBias = dictionary.encoderBias.map((bias, j) => {
    let sum = bias;
    for (let i = 0; i < width; i++) sum -= inputBias[i] * encoderWeight[j * width + i];
    return sum;
  });
  return { ...rest, encoderBias };
}

/** Whether what is subtracted before the encoder is what is added after the decoder. */
export function hasTiedBias({ inputBias, decoderBias }: Dictionary): boolean {
  return inputBias?.length === decoderBias.length && inputBias.every((value, i) => value === decoderBias[i]);
}

function rowNorms(matrix: Float32Array, rows: number): Float64Array {
  const width = matrix.length / rows;
  return Float64Array.from({ length: rows }, (_, r) => {
    let sum = 0;
    for (let i = r * width; i < (r + 1) * width; i++) sum += matrix[i] * matrix[i];
    return Math.sqrt(sum);
  });
}
