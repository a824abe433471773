/**
 * How near to each other random directions are: what one gets without arranging anything, and so the null of every cosine.
 * Exact integrals, no draws. It must not know what the directions stand for.
 *
 * The angle between a fixed line and a random one in m dimensions has density `cos(t)^(m - 2)` in the angle t from the
 * orthogonal, up to a constant: cos = sin t. Directions are independent, so the largest |cos| of several has the product
 * of their distributions.
 */

import { checkCounts } from './welch.ts';

const INTERVALS = 8192;

/**
 * The expected largest |cos| of one direction with n random ones in m dimensions: the MMCS of random directions against
 * random directions, whatever the number of the former. About `sqrt(2 ln n / m)` where that is small.
 * `E = int_0^1 1 - P(|cos| <= c)^n dc`. RangeError where n is not a whole number >= 1, or m not one >= 2.
 */
export function expectedNearestCosine(n: number, m: number): number {
  checkCounts({ n, m });
  return expectedLargest(n, m);
}

/**
 * The expected largest |cos| among all pairs of n random directions in m dimensions. Pairs are independent two by two, and
 * here taken to be in all: a little high where they are many for the dimensions. About `sqrt(4 ln n / m)` where that is
 * small. RangeError as in `expectedNearestCosine`.
 */
export function expectedGreatestCosine(n: number, m: number): number {
  checkCounts({ n, m });
  return n < 2 ? 0 : expectedLargest((n * (n - 1)) / 2, m);
}

/**
 * The expected |cos| of two random directions in m dimensions, `Gamma(m/2) / (sqrt(pi) Gamma((m+1)/2))`, about
 * `sqrt(2 / (pi m))`: by `E_{m+2} = E_m m / (m + 1)`, from `E_2 = 2 / pi` and `E_3 = 1/2`. RangeError where m is no whole number
 * >= 2.
 */
export function randomCosine(m: number): number {
  checkCounts({ n: 1, m });
  let value = m % 2 === 0 ? 2 / Math.PI : 1 / 2;
  for (let at = m % 2 === 0 ? 2 : 3; at < m; at += 2) value *= at / (at + 1);
  return value;
}

/** `P(|cos| > cosine)` of a random direction in m dimensions with a fixed one. */
export function tailOfCosine(cosine: number, m: number): number {
  if (!(cosine >= 0 && cosine <= 1)) throw new RangeError(`a |cos| is in [0, 1], not ${cosine}`);
  const { angles, tails } = tailsOfAngle(m);
  const angle = Math.asin(cosine);
  const last = angles.length - 1;
  if (angle >= angles[last]) return 0;
  const place = (angle / angles[last]) * last;
  const before = Math.min(last - 1, Math.floor(place));
  return tails[before] + (place - before) * (tails[before + 1] - tails[before]);
}

/**
 * How many random directions in m dimensions have, with a probability of 1/2 or more, no pair of a |cos| beyond `cosine`:
 * the largest n with `n (n - 1) / 2 P(|cos| > cosine) <= 1/2`. It grows as `exp(m cosine^2 / 4)`, which is what Johnson and
 * Lindenstrauss ("Extensions of Lipschitz mappings into a Hilbert space", 1984) have of almost orthogonal vectors.
 */
export function directionsWithin(cosine: number, m: number): number {
  const tail = tailOfCosine(cosine, m);
  return tail === 0 ? Infinity : Math.floor((1 + Math.sqrt(1 + 4 / tail)) / 2);
}

/** `int 1 - (1 - tail(t))^count d(sin t)`, by the rule of trapezia in sin t. */
function expectedLargest(count: number, m: number): number {
  const { angles, tails } = tailsOfAngle(m);
  const beyond = (i: number) => -Math.expm1(count * Math.log1p(-tails[i]));
  let sum = 0;
  for (let i = 1; i < angles.length; i++)
    sum += ((beyond(i - 1) + beyond(i)) / 2) * (Math.sin(angles[i]) - Math.sin(angles[i - 1]));
  return sum;
}

interface Tails {
  readonly m: number;
  readonly angles: Float64Array;
  readonly tails: Float64Array;
}

/** Those that were asked for last: who asks for many cosines asks in one number of dimensions. */
let latest: Tails | undefined;

/** `P(angle > t)` at evenly spaced t, from 0 to where nothing is left of the density; summed from the far end, where it is small. */
function tailsOfAngle(m: number): Tails {
  if (latest?.m === m) return latest;
  if (!Number.isSafeInteger(m) || m < 2)
    throw new RangeError(`m: directions differ in 2 dimensions or more, not in ${m}`);
  // cos(t)^(m-2) < exp(-(m-2) t^2 / 2), which is below 1e-40 at the end.
  const end = Math.min(Math.PI / 2, Math.sqrt(184 / Math.max(1, m - 2)));
  const step = end / INTERVALS;
  const density = (t: number) => Math.cos(t) ** (m - 2);
  const angles = Float64Array.from({ length: INTERVALS + 1 }, (_, i) => i * step);
  const tails = new Float64Array(INTERVALS + 1);
  for (let i = INTERVALS - 1; i >= 0; i--) {
    const t = angles[i];
    // Simpson's rule on each interval.
    tails[i] = tails[i + 1] + (density(t) + 4 * density(t + step / 2) + density(t + step)) / 6;
  }
  const whole = tails[0];
  latest = { m, angles, tails: tails.map((tail) => Math.min(1, Math.max(0, tail / whole))) };
  return latest;
}
