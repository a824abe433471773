/**
 * Families whose gradient nobody writes down: the loss is a function of jax-js' arrays (`@jax-js/jax`, an optional
 * package), and its `grad` does the rest. For trying a loss out; it runs in WebAssembly on one core, writes
 * rows x latents, and takes a gradient of the parameters' shape. The same training loop trains it, without AuxK and skip
 * paths. It must not know what training does with a gradient.
 */
import type * as Jax from '@jax-js/jax';
import type * as z from 'zod';
import { InputError } from '../formats/errors.ts';
import type { SparseRows } from '../kernels/backend.ts';
import { reconstruct } from './families/entries.ts';
import type { Batch, Family, FamilyOptions, Loss, OptionsSchema } from './families/family.ts';

/** A batch as the loss sees it. */
export interface JaxBatch<O extends FamilyOptions = FamilyOptions> {
  readonly options: O;
  /** What the encoder multiplies, `[rows, width]`: activations, less b_dec where `centersInput`. */
  readonly input: Jax.Array;
  /** What is to be reconstructed, less b_dec: `[rows, outputWidth]`. */
  readonly target: Jax.Array;
  /** Scalars: how far the sparsity penalty has risen to its weight, and the training to its end, both from 0 to 1. */
  readonly warmth: Jax.Array;
  readonly progress: Jax.Array;
}

/** A family whose loss is written for jax-js. */
export interface JaxFamily<S extends OptionsSchema, O extends FamilyOptions = z.output<S>>
  extends Omit<Family<S, O>, 'loss' | 'tied' | 'dense'> {
  readonly options: S;
  /**
   * The loss, a scalar, and the activations f `[rows, latents]` that it is of: what of them is not 0 has fired, and the
   * reconstruction is `f W_dec` whatever the loss makes of it. `parameters` are `encoderWeight [latents, width]`,
   * `encoderBias [latents]`, `decoderWeight [latents, outputWidth]` and the family's own `[latents]`; b_dec is in `input`
   * and `target`, through which its gradient flows. It is traced by `jit`, once for each shape of its arguments, and owns
   * them: an array is `.ref` in each use but the last.
   */
  loss(
    jax: typeof Jax,
    parameters: Readonly<Record<string, Jax.Array>>,
    batch: JaxBatch<O>,
  ): [loss: Jax.Array, activations: Jax.Array];
}

/**
 * A family by automatic differentiation. AuxK is left out of its recipe. Its first batch throws an InputError where
 * jax-js is not installed, or the loss gives other shapes.
 */
export function jaxFamily<S extends OptionsSchema, O extends FamilyOptions = z.output<S>>(
  described: JaxFamily<S, O>,
): Family<S, O> {
  const compiled = new WeakMap<FamilyOptions, Gradient>();
  return {
    ...described,
    recipe: { ...described.recipe, auxCoefficient: 0 },
    dense: true,
    loss: async (batch) => {
      const jax = await loadJax(described.name);
      const gradient = compiled.get(batch.options) ?? compile(jax, described, batch.options);
      compiled.set(batch.options, gradient);
      return propagate(jax, described.name, gradient, batch);
    },
  };
}

type Arrays = Record<string, Jax.Array>;

/** What the loss is differentiated by: parameters, and a change of b_dec, which lowers input and target alike. */
type Varied = { readonly parameters: Arrays; readonly input: Jax.Array; readonly target: Jax.Array };

type Gradient = (
  varied: Varied,
  constant: Omit<JaxBatch, 'options'>,
) => [[loss: Jax.Array, activations: Jax.Array], Varied];

async function loadJax(family: string): Promise<typeof Jax> {
  try {
    return await import('@jax-js/jax');
  } catch (error) {
    throw new InputError(
      `the loss of the family ${family} is written for jax-js, which cannot be loaded ` +
        `(${(error as Error).message.split('\n')[0]}); npm install @jax-js/jax`,
    );
  }
}

function compile<S extends OptionsSchema, O extends FamilyOptions>(
  jax: typeof Jax,
  { loss, centersInput }: JaxFamily<S, O>,
  options: O,
): Gradient {
  const varied = (
    { parameters, ...shift }: Varied,
    { input, target, ...schedules }: Omit<JaxBatch, 'options'>,
  ) =>
    loss(jax, parameters, {
      options,
      input: centersInput ? input.sub(shift.input) : input,
      target: target.sub(shift.target),
      ...schedules,
    });
  return jax.jit(jax.valueAndGrad(varied as never, { hasAux: true }) as never) as unknown as Gradient;
}

async function propagate(
  { numpy }: typeof Jax,
  family: string,
  gradient: Gradient,
  batch: Batch,
): Promise<Loss> {
  const { rows, width, outputWidth, latents } = batch;
  const array = (data: Float32Array, ...shape: number[]) => numpy.array(data).reshape(shape);
  const { encoderWeight, decoderWeight, decoderBias, skip, ...others } = batch.parameters;
  const parameters: Arrays = {
    encoderWeight: array(encoderWeight, latents, width),
    decoderWeight: array(decoderWeight, latents, outputWidth),
  };
  for (const [name, data] of Object.entries(others)) parameters[name] = array(data, latents);
  const [[loss, activations], by] = gradient(
    { parameters, input: numpy.zeros([width]), target: numpy.zeros([outputWidth]) },
    {
      input: array(batch.input, rows, width),
      target: array(batch.target, rows, outputWidth),
      warmth: numpy.array(batch.warmth),
      progress: numpy.array(batch.progress),
    },
  );
  if (`${activations.shape}` !== `${[rows, latents]}`) {
    throw new InputError(
      `the loss of the family ${family} gives activations of shape [${activations.shape}]; expected [rows, latents], ` +
        `here [${rows}, ${latents}]`,
    );
  }
  const codes = compress(await read(activations), rows, latents);
  const dense: Record<string, Float32Array> = {};
  for (const [name, array] of Object.entries(by.parameters)) dense[name] = await read(array);
  const [input, target] = [await read(by.input), await read(by.target)];
  const centered = batch.input === batch.target;
  const { error, outputGradient, factor } = await reconstruct(batch, codes);
  return {
    reconstruction: error,
    penalty: (await read(loss))[0] - error,
    codes,
    parts: [],
    dense,
    outputSum: Float64Array.from(target, (value, i) => (centered ? value + input[i] : value)),
    error: { scaled: outputGradient, factor },
  };
}

async function read(array: Jax.Array): Promise<Float32Array> {
  return (await array.data()) as Float32Array;
}

/** The entries that are not 0. */
function compress(dense: Float32Array, rows: number, columns: number): SparseRows {
  const offsets = new Uint32Array(rows + 1);
  const kept: number[] = [];
  for (let r = 0; r < rows; r++) {
    for (let at = r * columns; at < (r + 1) * columns; at++) if (dense[at] !== 0) kept.push(at);
    offsets[r + 1] = kept.length;
  }
  return {
    rows,
    offsets,
    indices: Uint32Array.from(kept, (at) => at % columns),
    values: Float32Array.from(kept, (at) => dense[at]),
  };
}
