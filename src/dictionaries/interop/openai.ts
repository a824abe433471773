/**
 * Reads the `.pt` files of OpenAI's sparse_autoencoder: the state of an autoencoder, and beside the tensors the name of
 * its activation. Where that is TopK, activations are layer-normalised, as its `from_state_dict` decides.
 */
import { InputError } from '../../formats/errors.ts';
import type { TorchValue } from '../../formats/torch.ts';
import type { Dictionary, Selection } from '../dictionary.ts';
import { transpose } from './folding.ts';
import type { Opened } from './opened.ts';
import { checkK, matrixShape, refuseOthers, takeFloats, type Weights } from './weights.ts';

const TENSORS = [
  'pre_bias',
  'latent_bias',
  'encoder.weight',
  'decoder.weight',
  'stats_last_nonzero',
  'latents_activation_frequency',
  'latents_mean_square',
];

/** The dictionary of a state; `extra` is what the file holds beside tensors. */
export function openOpenai(weights: Weights, extra: ReadonlyMap<TorchValue, TorchValue>): Opened {
  refuseOthers(weights, TENSORS);
  const [latents, width] = matrixShape(weights, 'encoder.weight');
  const bias = takeFloats(weights, 'pre_bias', [width]);
  const activation = extra.get('activation') ?? 'ReLU';
  const dictionary: Dictionary = {
    width,
    outputWidth: width,
    latents,
    encoderWeight: takeFloats(weights, 'encoder.weight', [latents, width]),
    encoderBias: takeFloats(weights, 'latent_bias', [latents]),
    decoderWeight: transpose(takeFloats(weights, 'decoder.weight', [width, latents]), width, latents),
    decoderBias: bias,
    inputBias: bias,
    ...(activation === 'TopK' && { normalisation: 'layerNorm' }),
    selection: selectionOf(activation, extra.get('activation_state_dict'), latents, weights.file),
  };
  return { format: 'openai', architecture: String(activation), dictionary, metadata: {}, notes: [] };
}

function selectionOf(
  activation: TorchValue,
  state: TorchValue | undefined,
  latents: number,
  file: string,
): Selection {
  if (activation === 'ReLU') return { kind: 'threshold', threshold: new Float32Array(latents) };
  if (activation !== 'TopK') {
    throw new InputError(`${file}: activation is ${JSON.stringify(activation)}; expected "ReLU" or "TopK"`);
  }
  const fields = state instanceof Map ? state : new Map<TorchValue, TorchValue>();
  const [k, after] = [fields.get('k'), fields.get('postact_fn')];
  if (after !== 'ReLU') {
    throw new InputError(
      `${file}: activation_state_dict.postact_fn is ${JSON.stringify(after ?? null)}; expected "ReLU", without which latents may be negative`,
    );
  }
  return {
    kind: 'topk',
    k: checkK(k === undefined ? undefined : Number(k), latents, `${file}: activation_state_dict.k`),
  };
}
