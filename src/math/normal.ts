/** The standard normal distribution: density, probabilities and quantiles. It must not know what they are of. */

// Numerators and denominators of the three rational functions of AS 241 (PPND16), highest power first, rounded to doubles.
const CENTRE_OVER = [
  2509.0809287301227, 33430.57558358813, 67265.7709270087, 45921.95393154987, 13731.69376550946,
  1971.5909503065513, 133.14166789178438, 3.3871328727963665,
];
const CENTRE_UNDER = [
  5226.495278852854, 28729.085735721943, 39307.89580009271, 21213.794301586597, 5394.196021424751,
  687.1870074920579, 42.31333070160091, 1,
];
const NEAR_OVER = [
  0.0007745450142783414, 0.022723844989269184, 0.2417807251774506, 1.2704582524523684, 3.6478483247632045,
  5.769497221460691, 4.630337846156546, 1.4234371107496835,
];
const NEAR_UNDER = [
  1.0507500716444169e-9, 0.0005475938084995345, 0.015198666563616457, 0.14810397642748008, 0.6897673349851,
  1.6763848301838038, 2.053191626637759, 1,
];
const FAR_OVER = [
  2.0103343992922881e-7, 2.7115555687434876e-5, 0.0012426609473880784, 0.026532189526576124,
  0.29656057182850487, 1.7848265399172913, 5.463784911164114, 6.657904643501103,
];
const FAR_UNDER = [
  2.0442631033899397e-15, 1.421511758316446e-7, 1.8463183175100548e-5, 0.0007868691311456133,
  0.014875361290850615, 0.1369298809227358, 0.599832206555888, 1,
];

/**
 * The x with `P(normal <= x) = probability`, to about 1 part in 10^16: Wichura, "Algorithm AS 241: the percentage
 * points of the normal distribution", Applied Statistics 37, 1988. -Infinity at 0, Infinity at 1; RangeError outside.
 */
export function normalQuantile(probability: number): number {
  if (!(probability >= 0 && probability <= 1))
    throw new RangeError(`a probability is in [0, 1], not ${probability}`);
  const fromHalf = probability - 0.5;
  if (Math.abs(fromHalf) <= 0.425) {
    const r = 0.180625 - fromHalf * fromHalf;
    return (fromHalf * polynomial(CENTRE_OVER, r)) / polynomial(CENTRE_UNDER, r);
  }
  const tail = Math.min(probability, 1 - probability);
  if (tail === 0) return fromHalf * Infinity;
  const r = Math.sqrt(-Math.log(tail));
  const magnitude =
    r <= 5
      ? polynomial(NEAR_OVER, r - 1.6) / polynomial(NEAR_UNDER, r - 1.6)
      : polynomial(FAR_OVER, r - 5) / polynomial(FAR_UNDER, r - 5);
  return fromHalf < 0 ? -magnitude : magnitude;
}

/** `exp(-x^2 / 2) / sqrt(2 pi)` */
export function normalDensity(x: number): number {
  return Math.exp(-0.5 * x * x) / Math.sqrt(2 * Math.PI);
}

// The rational function of Hart's algorithm 5666, highest power first.
const TAIL_OVER = [
  0.0352624965998911, 0.700383064443688, 6.37396220353165, 33.912866078383, 112.079291497871,
  221.213596169931, 220.206867912376,
];
const TAIL_UNDER = [
  0.0883883476483184, 1.75566716318264, 16.064177579207, 86.7807322029461, 296.564248779674, 637.333633378831,
  793.826512519948, 440.413735824752,
];
/** From here on the continued fraction serves. */
const FAR_TAIL = 7.07106781186547;
const ROOT_TWO_PI = 2.506628274631;

/**
 * `P(normal <= x)`, to about 5e-15, and 8 digits of it however small: Hart et al., "Computer approximations", 1968, algorithm 5666, as West, "Better
 * approximations to cumulative normal functions", Wilmott Magazine, May 2005, has it. 0 at -Infinity, 1 at Infinity.
 */
export function normalProbability(x: number): number {
  const size = Math.abs(x);
  let tail = 0;
  if (size < FAR_TAIL)
    tail = (Math.exp(-0.5 * size * size) * polynomial(TAIL_OVER, size)) / polynomial(TAIL_UNDER, size);
  else if (size < 37) {
    const fraction = size + 1 / (size + 2 / (size + 3 / (size + 4 / (size + 0.65))));
    tail = Math.exp(-0.5 * size * size) / (fraction * ROOT_TWO_PI);
  }
  return x > 0 ? 1 - tail : tail;
}

function polynomial(coefficients: readonly number[], x: number): number {
  let value = 0;
  for (const coefficient of coefficients) value = value * x + coefficient;
  return value;
}
