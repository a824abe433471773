/**
 * The training of toy models, `x' = ReLU(x W W^T + b)`, by jax-js' gradient and AdamW: many restarts of several conditions side by
 * side. It must not know where inputs come from, nor who looks on.
 *
 * Elhage et al. 2022, "Toy Models of Superposition", arXiv 2209.10652.
 */
import type * as Jax from '@jax-js/jax';
import { Random } from '../../../src/math/random.ts';
import { initialToyModel } from '../../../src/toy/models/initialise.ts';
import { reluOutput } from '../../../src/toy/models/model.ts';
import { rateShare } from '../../../src/toy/models/schedule.ts';
import { type AdamState, adamRate, adamUpdate, adamZeros, read } from './adam.ts';
import type { WeightedRows } from './data.ts';

export interface ToyShape {
  /** Ways for features to fire and to matter: each has its own inputs and importances. */
  readonly conditions: number;
  /** Models of each condition, which differ by their first weights and see the same inputs. */
  readonly restarts: number;
  readonly features: number;
  readonly hidden: number;
  /** Inputs of a step, for each condition. */
  readonly rows: number;
}

export interface ToyOptions extends ToyShape {
  readonly seed: number;
  /** I, `[conditions, features]`. */
  readonly importance: Float32Array;
  readonly steps: number;
  /** Falls linearly to 0 over the steps. */
  readonly learningRate: number;
}

/** Weights of all models, condition by condition: model `c restarts + r`. */
export interface ToyWeights {
  /** W, a row for each feature: `[models, features, hidden]`. */
  readonly weight: Float32Array;
  /** `[models, features]` */
  readonly bias: Float32Array;
}

export interface ToyTrainer {
  /** Holds inputs for the steps to come, `[conditions, rows, features]` and `[conditions, rows]`. */
  hold(inputs: WeightedRows): void;
  /** One step, from 1, on the inputs that are held. It is in hand before the one after the next few is. */
  step(step: number): Promise<void>;
  /** The mean loss of each model over the steps since this was last called, each before its step: `[models]`. */
  losses(): Promise<Float32Array>;
  weights(): Promise<ToyWeights>;
  /** `sum_i I_i (x_i - x'_i)^2 / features` of each model on each of `rows` further inputs, `x [conditions, rows, features]`: `[models, rows]`. */
  evaluate(x: Float32Array, rows: number): Promise<Float32Array>;
  dispose(): void;
}

type Parameters = { weight: Jax.Array; bias: Jax.Array };

/** Steps that are handed over before one of them is waited for. */
const STEPS_AT_ONCE = 10;
/** Restarts of a seed. */
const MOST_RESTARTS = 64;

/** The first weights of restart r of condition c come from a seed of their own: they do not depend on how many others there are. */
export function initialWeights({
  conditions,
  restarts,
  features,
  hidden,
  seed,
}: ToyShape & { seed: number }) {
  const size = features * hidden;
  const weight = new Float32Array(conditions * restarts * size);
  for (let c = 0, at = 0; c < conditions; c++) {
    for (let r = 0; r < restarts; r++, at += size) {
      const own = new Random(seed * MOST_RESTARTS + r, 'playground', `condition ${c}`).uint32();
      weight.set(initialToyModel(reluOutput(features, hidden), [own], 'xavier').encoder, at);
    }
  }
  return weight;
}

/** A trainer with its first weights. Arrays on jax-js' default device are its own until `dispose`. */
export function toyTrainer(jax: typeof Jax, options: ToyOptions): ToyTrainer {
  const { numpy, nn } = jax;
  const { conditions, restarts, features, hidden, steps, learningRate } = options;
  const models = conditions * restarts;
  const array = (data: Float32Array, ...shape: number[]) => numpy.array(data).reshape(shape);

  /** One condition's inputs for each of its restarts. */
  const forAll = (x: Jax.Array, rows: number, width: number) =>
    numpy
      .broadcastTo(x.reshape([conditions, 1, rows, width]), [conditions, restarts, rows, width])
      .reshape([models, rows, width]);
  const errors = ({ weight, bias }: Parameters, x: Jax.Array, importance: Jax.Array, rows: number) => {
    const inputs = forAll(x, rows, features);
    const h = numpy.matmul(inputs.ref, weight.ref);
    const y = nn.relu(numpy.matmul(h, weight.transpose([0, 2, 1])).add(bias));
    return numpy
      .square(y.sub(inputs))
      .mul(forAll(importance, 1, features))
      .sum(2)
      .div(features);
  };
  const loss = (parameters: Parameters, x: Jax.Array, weights: Jax.Array, importance: Jax.Array) => {
    const each = errors(parameters, x, importance, options.rows)
      .mul(forAll(weights, 1, options.rows).reshape([models, options.rows]))
      .sum(1);
    return [each.ref.sum(), each] as [Jax.Array, Jax.Array];
  };
  const gradient = jax.valueAndGrad(loss as never, { hasAux: true }) as unknown as (
    ...of: [Parameters, Jax.Array, Jax.Array, Jax.Array]
  ) => [[Jax.Array, Jax.Array], Parameters];
  const update = jax.jit(((
    state: AdamState<Parameters>,
    sums: Jax.Array,
    x: Jax.Array,
    weights: Jax.Array,
    importance: Jax.Array,
    rate: Jax.Array,
  ) => {
    const { weight, bias } = state.parameters;
    const [[total, each], by] = gradient({ weight: weight.ref, bias: bias.ref }, x, weights, importance);
    total.dispose();
    return [adamUpdate(jax, state, by, rate), sums.add(each)];
  }) as never) as unknown as (
    ...of: [AdamState<Parameters>, Jax.Array, Jax.Array, Jax.Array, Jax.Array, Jax.Array]
  ) => [AdamState<Parameters>, Jax.Array];
  const evaluators = new Map<number, (...of: [Parameters, Jax.Array, Jax.Array]) => Jax.Array>();
  const evaluator = (rows: number) => {
    const made =
      evaluators.get(rows) ??
      (jax.jit(((parameters: Parameters, x: Jax.Array, importance: Jax.Array) =>
        errors(parameters, x, importance, rows)) as never) as unknown as (
        ...of: [Parameters, Jax.Array, Jax.Array]
      ) => Jax.Array);
    evaluators.set(rows, made);
    return made;
  };

  const importance = array(options.importance, conditions, 1, features);
  let state = adamZeros(jax, {
    weight: array(initialWeights(options), models, features, hidden),
    bias: numpy.zeros([models, 1, features]),
  });
  let sums: Jax.Array = numpy.zeros([models]);
  let summed = 0;
  let held: { x: Jax.Array; weights: Jax.Array } | undefined;
  const letGo = () => {
    held?.x.dispose();
    held?.weights.dispose();
    held = undefined;
  };

  return {
    hold({ x, weights }) {
      letGo();
      held = {
        x: array(x, conditions, options.rows, features),
        weights: array(weights, conditions, 1, options.rows),
      };
    },
    async step(step) {
      if (!held) throw new RangeError(`step ${step}: there are no inputs yet`);
      const rate = learningRate * rateShare({ kind: 'linear', warmupSteps: 0 }, step, steps);
      [state, sums] = update(
        state,
        sums,
        held.x.ref,
        held.weights.ref,
        importance.ref,
        adamRate(jax, rate, step),
      );
      summed++;
      // What is not waited for piles up, and kernels that are not compiled yet are compiled once for each step in the pile.
      if (step === 1 || step % STEPS_AT_ONCE === 0) await jax.blockUntilReady(sums);
    },
    async losses() {
      const since = await read(sums.div(summed));
      [sums, summed] = [numpy.zeros([models]), 0];
      return since;
    },
    async weights() {
      const { weight, bias } = state.parameters;
      return { weight: await read(weight.ref), bias: await read(bias.ref) };
    },
    evaluate(x, rows) {
      const { weight, bias } = state.parameters;
      return read(
        evaluator(rows)(
          { weight: weight.ref, bias: bias.ref },
          array(x, conditions, rows, features),
          importance.ref,
        ),
      );
    },
    dispose() {
      letGo();
      importance.dispose();
      sums.dispose();
      for (const group of Object.values(state)) for (const own of Object.values(group)) own.dispose();
    },
  };
}
