/**
 * Everything that training changes, and nothing else: what is in here is what a checkpoint must hold, and what two
 * runs must have in common to go on alike.
 */
import type { Dictionary } from '../dictionaries/dictionary.ts';
import type { Parameters, Shape } from '../dictionaries/families/family.ts';
import { InputError } from '../formats/errors.ts';
import type { Backend } from '../kernels/backend.ts';
import { Random } from '../math/random.ts';
import { keepNearStart } from './freeze.ts';
import type { TrainingOptions } from './options.ts';

export interface TrainingState extends Shape {
  /** The output is the input again. */
  readonly autoencoder: boolean;
  readonly parameters: Parameters;
  /** What the optimiser remembers of each parameter: Adam's moments; signum's z, and nothing. */
  readonly firstMoment: Parameters;
  readonly secondMoment: Parameters;
  /** What the family remembers. */
  readonly memory: Record<string, number>;
  /** Tokens since each latent last fired, `[latents]`. */
  readonly tokensSinceFired: Float64Array;
  /** Where the rows of a softly frozen decoder started; it follows from the options, and is in no checkpoint. */
  readonly decoderStart?: Float32Array;
  /** Steps taken. */
  step: number;
}

/** Where training starts from, in the units that it sees: the mean of the outputs, which b_dec starts at. */
export interface Start {
  readonly width: number;
  /** `[outputWidth]` */
  readonly center: ArrayLike<number>;
  /** As in `Shape`; one block where not given. */
  readonly outputBounds?: Uint32Array;
  /** An autoencoder's output is its input. */
  readonly autoencoder: boolean;
}

/**
 * The start of Gao et al. 2024: random decoder rows of one norm, in an autoencoder the encoder their transpose, b_dec at
 * the centre of the data. In a transcoder the encoder is random too, in unit rows, and decoder rows are 0, since they
 * can have no likeness to the encoder's (Dunefsky et al. 2024); where they must have unit norm or are frozen, they stay
 * random.
 */
export async function initialState(
  backend: Backend,
  options: TrainingOptions,
  { width, center, outputBounds, autoencoder }: Start,
): Promise<TrainingState> {
  const { family, dictionary, seed, freeze } = options;
  const { latents } = dictionary;
  if (family.tied && !autoencoder) {
    throw new InputError(
      `dictionary.family ${family.name} reconstructs what it reads; choose another family for a transcoder`,
    );
  }
  const outputWidth = center.length;
  const parameters: Record<string, Float32Array> = {};
  for (const [name, length] of parameterLengths(options, width, outputWidth))
    parameters[name] = backend.allocate(length);
  const { encoderWeight, decoderWeight, decoderBias, ...others } = parameters;
  const unitNormal = async (weight: Float32Array, of: number, stream: string) => {
    new Random(seed, stream).fillNormal(weight, 1);
    await backend.unitRows({ weight, rows: latents, width: of });
  };
  await unitNormal(decoderWeight, outputWidth, 'decoder');
  if (autoencoder) encoderWeight.set(decoderWeight.subarray(0, encoderWeight.length));
  else await unitNormal(encoderWeight, width, 'encoder');
  const holdsDecoder = freeze !== undefined && freeze !== 'encoder';
  const norm = autoencoder || family.unitDecoder || holdsDecoder ? options.decoderNorm : 0;
  if (norm !== 1) for (let i = 0; i < decoderWeight.length; i++) decoderWeight[i] *= norm;
  decoderBias.set(center);
  for (const [name, start] of Object.entries(family.own?.(dictionary) ?? {})) others[name].fill(start);
  const moments = (with_: (parameter: Float32Array) => Float32Array) =>
    Object.fromEntries(Object.entries(parameters).map(([name, array]) => [name, with_(array)])) as Parameters;
  const zeros = (length: number) => backend.allocate(length);
  return {
    autoencoder,
    width,
    outputWidth,
    outputBounds: outputBounds ?? Uint32Array.of(0, outputWidth),
    latents,
    parameters: parameters as Parameters,
    firstMoment: moments((array) => {
      const first = zeros(array.length);
      if (options.optimiser === 'signum') first.set(array);
      return first;
    }),
    secondMoment: moments((array) => zeros(options.optimiser === 'adam' ? array.length : 0)),
    memory: { ...family.memory },
    tokensSinceFired: new Float64Array(latents),
    ...(freeze === 'soft-decoder' && { decoderStart: decoderWeight.slice() }),
    step: 0,
  };
}

/** Names and lengths of all trained arrays, in one order. */
export function parameterLengths(
  { family, dictionary, skip }: Pick<TrainingOptions, 'family' | 'dictionary' | 'skip'>,
  width: number,
  outputWidth: number,
): [string, number][] {
  const { latents } = dictionary;
  return [
    ['encoderWeight', family.tied ? 0 : latents * width],
    ['encoderBias', latents],
    ['decoderWeight', latents * outputWidth],
    ['decoderBias', outputWidth],
    ...Object.keys(family.own?.(dictionary) ?? {}).map((name): [string, number] => [name, latents]),
    ...(skip ? [['skip', outputWidth * width] as [string, number]] : []),
  ];
}

/**
 * The dictionary as trained so far, for activations in the units that training sees. Shares the arrays where it can.
 * With signum it is the average of the steps, and not where the last one led.
 */
export async function currentDictionary(
  backend: Backend,
  state: TrainingState,
  options: TrainingOptions,
): Promise<Dictionary> {
  const { family, dictionary } = options;
  const parameters =
    options.optimiser === 'signum' ? await averaged(backend, state, options) : state.parameters;
  const { width, outputWidth, latents, memory } = state;
  const { decoderWeight, decoderBias } = parameters;
  const { selection, encoderWeight, encoderBias } = family.dictionary({
    ...state,
    options: dictionary,
    parameters,
    memory,
  });
  return {
    width,
    outputWidth,
    latents,
    encoderWeight: encoderWeight ?? (family.tied ? decoderWeight : parameters.encoderWeight),
    encoderBias: encoderBias ?? parameters.encoderBias,
    decoderWeight,
    decoderBias,
    ...(family.centersInput && state.autoencoder && { inputBias: decoderBias }),
    ...(options.skip && { skip: parameters.skip }),
    selection,
  };
}

/** `x = (y - (1 - momentum) z) / momentum`; see `SignumOptions`. */
async function averaged(
  backend: Backend,
  { parameters, firstMoment, latents, outputWidth, decoderStart }: TrainingState,
  { beta1: momentum, family }: TrainingOptions,
): Promise<Parameters> {
  const average = Object.fromEntries(
    Object.entries(parameters).map(([name, y]) => [
      name,
      y.map((value, i) => (value - (1 - momentum) * firstMoment[name][i]) / momentum),
    ]),
  ) as Parameters;
  if (family.unitDecoder)
    await backend.unitRows({ weight: average.decoderWeight, rows: latents, width: outputWidth });
  if (decoderStart) keepNearStart(average.decoderWeight, decoderStart, outputWidth);
  return average;
}

/** Latents that have not fired for `deadAfterTokens` tokens, ascending. */
export function deadLatents(state: TrainingState, deadAfterTokens: number): Uint32Array {
  const dead: number[] = [];
  for (let latent = 0; latent < state.latents; latent++) {
    if (state.tokensSinceFired[latent] >= deadAfterTokens) dead.push(latent);
  }
  return Uint32Array.from(dead);
}
