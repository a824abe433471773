/**
 * Reads the transcoders of circuit-tracer: a safetensors file for each layer, `W_enc [d_sae, d_in]`, and, as SAELens
 * does, one layer of a cross-layer transcoder. They subtract nothing from their input.
 */
import { dirname, join } from 'node:path';
import { InputError } from '../../formats/errors.ts';
import type { Dictionary, Selection } from '../dictionary.ts';
import type { Opened } from './opened.ts';
import {
  checkK,
  matrixShape,
  readWeights,
  refuseOthers,
  takeFloats,
  takeNumber,
  type Weights,
} from './weights.ts';

const THRESHOLD = 'activation_function.threshold';

/** The transcoder of one layer: ReLU, unless the file has a threshold or a k. */
export function openPerLayerTranscoder(weights: Weights): Opened {
  refuseOthers(weights, ['W_enc', 'b_enc', 'W_dec', 'b_dec', 'W_skip', THRESHOLD, 'k']);
  const [latents, width] = matrixShape(weights, 'W_enc');
  const [, outputWidth] = matrixShape(weights, 'W_dec');
  const hasSkip = weights.tensors.has('W_skip');
  const selection = selectionOf(weights, THRESHOLD, latents);
  const dictionary: Dictionary = {
    width,
    outputWidth,
    latents,
    encoderWeight: takeFloats(weights, 'W_enc', [latents, width]),
    encoderBias: takeFloats(weights, 'b_enc', [latents]),
    decoderWeight: takeFloats(weights, 'W_dec', [latents, outputWidth]),
    decoderBias: takeFloats(weights, 'b_dec', [outputWidth]),
    ...(hasSkip && { skip: takeFloats(weights, 'W_skip', [outputWidth, width]) }),
    selection,
  };
  const notes =
    selection.kind === 'topk' || weights.tensors.has(THRESHOLD)
      ? []
      : [
          'read as ReLU, as circuit-tracer does; a config.yaml that names another activation is not looked at',
        ];
  return opened(dictionary, hasSkip ? 'per-layer transcoder, skip' : 'per-layer transcoder', notes);
}

/** Layer `layer` of a cross-layer transcoder from `W_enc_{layer}.safetensors` and the `W_dec_` file beside it. */
export async function openCrossLayerTranscoder(encoder: Weights, layer: string): Promise<Opened> {
  const [enc, dec] = [`W_enc_${layer}`, `W_dec_${layer}`];
  refuseOthers(encoder, [enc, `b_enc_${layer}`, `b_dec_${layer}`, `threshold_${layer}`]);
  const [latents, width] = matrixShape(encoder, enc);
  const decoder = await readWeights(join(dirname(encoder.file), `${dec}.safetensors`));
  const shape = decoder.tensors.get(dec)?.shape ?? [];
  const outputs = shape[1] ?? 1;
  const dictionary: Dictionary = {
    width,
    outputWidth: width,
    latents,
    encoderWeight: takeFloats(encoder, enc, [latents, width]),
    encoderBias: takeFloats(encoder, `b_enc_${layer}`, [latents]),
    decoderWeight: sumOverLayers(
      takeFloats(decoder, dec, [latents, outputs, width]),
      latents,
      outputs,
      width,
    ),
    decoderBias: takeFloats(encoder, `b_dec_${layer}`, [width]),
    selection: selectionOf(encoder, `threshold_${layer}`, latents),
  };
  return opened(dictionary, 'one layer of a cross-layer transcoder', [
    `each decoder row is the sum of the rows for the ${outputs} layers that the latent writes to, as SAELens reads it: a direction to look at, not a reconstruction of layer ${layer}`,
  ]);
}

function opened(dictionary: Dictionary, architecture: string, notes: string[]): Opened {
  return { format: 'circuit-tracer', architecture, dictionary, metadata: {}, notes };
}

function selectionOf(weights: Weights, name: string, latents: number): Selection {
  if (weights.tensors.has('k')) {
    return { kind: 'topk', k: checkK(takeNumber(weights, 'k'), latents, `${weights.file}: k`) };
  }
  if (!weights.tensors.has(name)) return { kind: 'threshold', threshold: new Float32Array(latents) };
  const threshold = takeFloats(weights, name, [latents]);
  const negative = threshold.findIndex((value) => value < 0);
  if (negative >= 0) {
    throw new InputError(
      `${weights.file}: ${name} is ${threshold[negative]} at element ${negative}; expected none below 0, which in circuit-tracer would let negative latents through`,
    );
  }
  return { kind: 'threshold', threshold };
}

/** `[latents, layers, width]` to `[latents, width]`. */
function sumOverLayers(rows: Float32Array, latents: number, layers: number, width: number): Float32Array {
  const out = new Float32Array(latents * width);
  for (let j = 0; j < latents; j++) {
    for (let i = 0; i < width; i++) {
      let sum = 0;
      for (let l = 0; l < layers; l++) sum += rows[(j * layers + l) * width + i];
      out[j * width + i] = sum;
    }
  }
  return out;
}
