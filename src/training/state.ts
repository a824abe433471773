/**
 * Everything that training changes, and nothing else: what is in here is what a checkpoint must hold, and what two
 * runs must have in common to go on alike.
 */
import type { Dictionary } from '../dictionaries/dictionary.ts';
import type { Backend } from '../kernels/backend.ts';
import { Random } from '../math/random.ts';
import type { TrainingOptions } from './options.ts';

/** The four arrays of a dictionary; also Adam's two moments of each. */
export interface Parameters {
  /** `[latents, width]` */
  readonly encoderWeight: Float32Array;
  /** `[latents]` */
  readonly encoderBias: Float32Array;
  /** `[latents, width]` */
  readonly decoderWeight: Float32Array;
  /** `[width]` */
  readonly decoderBias: Float32Array;
}

export const PARAMETER_NAMES = ['encoderWeight', 'encoderBias', 'decoderWeight', 'decoderBias'] as const;

export interface TrainingState {
  readonly width: number;
  readonly latents: number;
  readonly parameters: Parameters;
  readonly firstMoment: Parameters;
  readonly secondMoment: Parameters;
  /** Tokens since each latent last fired, `[latents]`. */
  readonly tokensSinceFired: Float64Array;
  /** Steps taken. */
  step: number;
  /** Exponential average of each batch's smallest selected activation, from 0; see `threshold`. */
  thresholdAverage: number;
}

/** How slowly the threshold's average forgets; Bussmann et al. 2024 use .99. */
export const THRESHOLD_DECAY = 0.99;

function zeroParameters(backend: Backend, width: number, latents: number): Parameters {
  return {
    encoderWeight: backend.allocate(latents * width),
    encoderBias: backend.allocate(latents),
    decoderWeight: backend.allocate(latents * width),
    decoderBias: backend.allocate(width),
  };
}

/**
 * The start of Gao et al. 2024: random unit decoder rows, the encoder its transpose, b_dec at the centre of the
 * data (`center [width]`, in the units that training sees).
 */
export async function initialState(
  backend: Backend,
  options: TrainingOptions,
  center: ArrayLike<number>,
): Promise<TrainingState> {
  const width = center.length;
  const { latents } = options;
  const parameters = zeroParameters(backend, width, latents);
  new Random(options.seed, 'decoder').fillNormal(parameters.decoderWeight, 1);
  await backend.unitRows({ weight: parameters.decoderWeight, rows: latents, width });
  parameters.encoderWeight.set(parameters.decoderWeight);
  parameters.decoderBias.set(center);
  return {
    width,
    latents,
    parameters,
    firstMoment: zeroParameters(backend, width, latents),
    secondMoment: zeroParameters(backend, width, latents),
    tokensSinceFired: new Float64Array(latents),
    step: 0,
    thresholdAverage: 0,
  };
}

/**
 * The threshold at which BatchTopK's latents fire when it is used: the average over recent batches of the smallest
 * activation that was selected. The average starts at zero, which `1 - decay^steps` corrects for, as in Adam, so
 * that it is right after ten steps as after ten thousand.
 */
export function threshold(state: TrainingState): number {
  return state.step === 0 ? 0 : state.thresholdAverage / (1 - THRESHOLD_DECAY ** state.step);
}

/** The dictionary as trained so far, for activations in the units that training sees. Shares the arrays. */
export function currentDictionary(state: TrainingState, options: TrainingOptions): Dictionary {
  const { width, latents, parameters } = state;
  return {
    width,
    latents,
    ...parameters,
    selection:
      options.family === 'topk'
        ? { kind: 'topk', k: options.k }
        : { kind: 'threshold', threshold: new Float32Array(latents).fill(threshold(state)) },
  };
}

/** Latents that have not fired for `deadAfterTokens` tokens, ascending. */
export function deadLatents(state: TrainingState, deadAfterTokens: number): Uint32Array {
  const dead: number[] = [];
  for (let latent = 0; latent < state.latents; latent++) {
    if (state.tokensSinceFired[latent] >= deadAfterTokens) dead.push(latent);
  }
  return Uint32Array.from(dead);
}
