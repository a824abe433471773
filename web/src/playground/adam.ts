/** AdamW on jax-js' arrays. It must not know what the parameters are of. */
import type * as Jax from '@jax-js/jax';

export type Arrays = Record<string, Jax.Array>;

/** Parameters, and the means of their gradients and of the squares of these. */
export type AdamState<P extends Arrays> = { parameters: P; m: P; v: P };

/** PyTorch's, with which the paper's notebook trains. */
const [BETA1, BETA2, EPSILON, DECAY] = [0.9, 0.999, 1e-8, 0.01];

/** The state before the first step. Owns `parameters`. */
export function adamZeros<P extends Arrays>({ numpy }: typeof Jax, parameters: P): AdamState<P> {
  const zeros = () =>
    Object.fromEntries(
      Object.entries(parameters).map(([name, array]) => [name, numpy.zeros(array.shape)]),
    ) as P;
  return { parameters, m: zeros(), v: zeros() };
}

/** What `adamUpdate` needs to know of step t, from 1: `rate`, and `1 / (1 - beta^t)` of both betas. */
export function adamRate({ numpy }: typeof Jax, rate: number, t: number): Jax.Array {
  return numpy.array(Float32Array.of(rate, 1 / (1 - BETA1 ** t), 1 / (1 - BETA2 ** t)));
}

/**
 * `p (1 - rate decay) - rate m' / (sqrt(v') + epsilon)`, with `m' = m / (1 - beta1^t)` and `v' = v / (1 - beta2^t)`: Loshchilov and Hutter, arXiv
 * 1711.05101, at betas .9 and .999 and a decay of .01. Owns its arguments; to be traced by `jit`.
 */
export function adamUpdate<P extends Arrays>(
  { numpy }: typeof Jax,
  { parameters, m, v }: AdamState<P>,
  gradient: P,
  rates: Jax.Array,
): AdamState<P> {
  const [rate, first, second] = [0, 1, 2].map((i) => rates.ref.slice(i));
  rates.dispose();
  const next: { parameters: Arrays; m: Arrays; v: Arrays } = { parameters: {}, m: {}, v: {} };
  for (const [name, by] of Object.entries(gradient)) {
    const mean = m[name].mul(BETA1).add(by.ref.mul(1 - BETA1));
    const square = v[name].mul(BETA2).add(numpy.square(by).mul(1 - BETA2));
    next.m[name] = mean.ref;
    next.v[name] = square.ref;
    const change = mean.mul(first.ref).div(numpy.sqrt(square.mul(second.ref)).add(EPSILON));
    const kept = parameters[name].mul(rate.ref.mul(-DECAY).add(1));
    next.parameters[name] = kept.sub(change.mul(rate.ref));
  }
  for (const scalar of [rate, first, second]) scalar.dispose();
  return next as AdamState<P>;
}

/** The numbers of an array, which is given up. */
export async function read(array: Jax.Array): Promise<Float32Array> {
  return (await array.data()) as Float32Array;
}
