/**
 * The training of small sparse dictionaries on a hidden layer, several seeds side by side, by jax-js' gradient and AdamW:
 * `f = select(ReLU((x - b_dec) W_enc + b_enc))`, `x' = f W_dec + b_dec`, decoder rows of unit norm. TopK (Gao et al. 2024, arXiv 2406.04093)
 * keeps the k largest; L1 (Bricken et al. 2023) keeps all and pays for their sum. It must not know what the layer is of.
 */
import type * as Jax from '@jax-js/jax';
import { Random } from '../../../src/math/random.ts';
import { randomDirections } from '../../../src/toy/directions.ts';
import { rateShare } from '../../../src/toy/models/schedule.ts';
import { type AdamState, adamRate, adamUpdate, adamZeros, read } from './adam.ts';

export interface DictionaryOptions {
  readonly selection:
    | { readonly kind: 'topk'; readonly k: number }
    | { readonly kind: 'l1'; readonly penalty: number };
  readonly latents: number;
  readonly width: number;
  /** Dictionaries, each of its own seed. */
  readonly restarts: number;
  readonly seed: number;
  readonly rows: number;
  readonly steps: number;
  readonly learningRate: number;
}

/** Of each dictionary on inputs that it was not trained on. */
export interface DictionaryEvaluation {
  /** `sum |x - x'|^2`, `[restarts]`. */
  readonly errors: Float64Array;
  /** Inputs on which each latent fires, `[restarts, latents]`. */
  readonly firings: Float64Array;
}

export interface DictionaryTrainer {
  /** One step, from 1, on `x [rows, width]`. */
  step(step: number, x: Float32Array): Promise<void>;
  /** Decoder rows, of unit norm: `[restarts, latents, width]`. */
  decoders(): Promise<Float32Array>;
  evaluate(x: Float32Array, rows: number): Promise<DictionaryEvaluation>;
  dispose(): void;
}

type Parameters = { encoder: Jax.Array; encoderBias: Jax.Array; decoder: Jax.Array; decoderBias: Jax.Array };

/** As for toy models: what is not waited for piles up. */
const STEPS_AT_ONCE = 10;
/** Shares of the training over which the rate, in the end, falls to 0. */
const DECAY = 0.2;

/** A trainer whose decoders are random directions at first, read by the encoders. Its arrays are its own until `dispose`. */
export function dictionaryTrainer(jax: typeof Jax, options: DictionaryOptions): DictionaryTrainer {
  const { numpy, nn, lax } = jax;
  const { selection, latents, width, restarts, seed, steps, learningRate } = options;
  const unit = (decoder: Jax.Array) =>
    decoder.ref.div(numpy.sqrt(numpy.square(decoder).sum(2).reshape([restarts, latents, 1]).add(1e-12)));
  const codes = (of: Parameters, x: Jax.Array, rows: number) => {
    const centred = numpy.broadcastTo(x, [restarts, rows, width]).sub(of.decoderBias);
    const z = nn.relu(numpy.matmul(centred, of.encoder).add(of.encoderBias));
    if (selection.kind === 'l1' || selection.k >= latents) return z;
    const [largest, at] = lax.topK(lax.stopGradient(z.ref), selection.k);
    at.dispose();
    const least = largest.slice([], [], [selection.k - 1, selection.k]);
    return numpy.where(z.ref.greaterEqual(least), z, 0);
  };
  const reconstruct = (of: Parameters, x: Jax.Array, rows: number) => {
    const { encoder, encoderBias, decoder, decoderBias } = of;
    const f = codes(
      { encoder, encoderBias, decoder: decoder.ref, decoderBias: decoderBias.ref },
      x.ref,
      rows,
    );
    const error = numpy
      .matmul(f.ref, unit(decoder))
      .add(decoderBias)
      .sub(numpy.broadcastTo(x, [restarts, rows, width]));
    return { f, squares: numpy.square(error).sum([1, 2]) };
  };
  const loss = (of: Parameters, x: Jax.Array) => {
    const { f, squares } = reconstruct(of, x, options.rows);
    const total = squares.sum();
    if (selection.kind === 'topk') {
      f.dispose();
      return total.div(options.rows);
    }
    return total.add(f.sum().mul(selection.penalty)).div(options.rows);
  };
  const gradient = jax.grad(loss as never) as unknown as (of: Parameters, x: Jax.Array) => Parameters;
  const update = jax.jit(((state: AdamState<Parameters>, x: Jax.Array, rate: Jax.Array) => {
    const { encoder, encoderBias, decoder, decoderBias } = state.parameters;
    const by = gradient(
      {
        encoder: encoder.ref,
        encoderBias: encoderBias.ref,
        decoder: decoder.ref,
        decoderBias: decoderBias.ref,
      },
      x,
    );
    return adamUpdate(jax, state, by, rate);
  }) as never) as unknown as (...of: [AdamState<Parameters>, Jax.Array, Jax.Array]) => AdamState<Parameters>;

  const first = new Float32Array(restarts * latents * width);
  for (let r = 0; r < restarts; r++) {
    const random = new Random(seed, 'playground', 'dictionary', `${r}`);
    first.set(randomDirections(latents, width, random), r * latents * width);
  }
  const decoder = numpy.array(first).reshape([restarts, latents, width]);
  let state = adamZeros(jax, {
    encoder: decoder.ref.transpose([0, 2, 1]),
    encoderBias: numpy.zeros([restarts, 1, latents]),
    decoder,
    decoderBias: numpy.zeros([restarts, 1, width]),
  });
  const kept = () =>
    Object.fromEntries(
      Object.entries(state.parameters).map(([name, array]) => [name, array.ref]),
    ) as Parameters;

  return {
    async step(step, x) {
      const share = rateShare({ kind: 'linear', warmupSteps: 0 }, step, steps);
      const rate = adamRate(jax, learningRate * Math.min(1, share / DECAY), step);
      state = update(state, numpy.array(x).reshape([1, options.rows, width]), rate);
      if (step === 1 || step % STEPS_AT_ONCE === 0) await jax.blockUntilReady(state.parameters.decoder);
    },
    decoders: () => read(unit(state.parameters.decoder.ref)),
    async evaluate(x, rows) {
      const { f, squares } = reconstruct(kept(), numpy.array(x).reshape([1, rows, width]), rows);
      const fires = f.greater(0).astype(numpy.float32).sum(1);
      return {
        errors: Float64Array.from(await read(squares)),
        firings: Float64Array.from(await read(fires)),
      };
    },
    dispose() {
      for (const group of Object.values(state)) for (const own of Object.values(group)) own.dispose();
    },
  };
}
