/**
 * Toy models of superposition: more features than hidden dimensions, and whatever training makes of that. Elhage et al. 2022,
 * "Toy Models of Superposition", arXiv 2209.10652. Many instances of one shape are kept side by side. It must not know where
 * inputs come from, nor how weights are trained.
 */

/**
 * `relu`: `y = max(h W_out^T + b, 0)` with `h = x W_in` is to be x. `linear`: the same without the ReLU, which learns what
 * principal components do and never superposes. `magnitude`: `y = max(h W_out^T + b, 0)` with `h = max(x W_in, 0)` is to be
 * `|x|`: computation in superposition.
 */
export type ToyKind = 'relu' | 'linear' | 'magnitude';

export interface ToyArchitecture {
  readonly kind: ToyKind;
  readonly features: number;
  readonly hidden: number;
  /** Whether W_out is W_in. */
  readonly tied: boolean;
  /** Whether there is a b. */
  readonly biased: boolean;
}

/** The paper's model: `x' = ReLU(x W W^T + b)`. */
export function reluOutput(features: number, hidden: number): ToyArchitecture {
  return { kind: 'relu', features, hidden, tied: true, biased: true };
}

/** The paper's model of `|x|`, with a hidden layer of `hidden` neurons. */
export function magnitude(features: number, hidden: number): ToyArchitecture {
  return { kind: 'magnitude', features, hidden, tied: false, biased: true };
}

/** The weights of all instances. */
export interface ToyModel {
  readonly architecture: ToyArchitecture;
  readonly instances: number;
  /** W_in, a row for each feature: `[instances, features, hidden]`. */
  readonly encoder: Float32Array;
  /** W_out, likewise, where it is not W_in. */
  readonly decoder?: Float32Array;
  /** b, `[instances, features]`, where there is one. */
  readonly bias?: Float32Array;
}

/**
 * W_in of one instance, `[features, hidden]`: a view, which changes as training goes on. RangeError where there is no such
 * instance.
 */
export function encoderOf({ architecture, instances, encoder }: ToyModel, instance: number): Float32Array {
  if (!Number.isInteger(instance) || instance < 0 || instance >= instances)
    throw new RangeError(`instance ${instance}: the model has ${instances}`);
  const length = architecture.features * architecture.hidden;
  return encoder.subarray(instance * length, (instance + 1) * length);
}
