/**
 * How the loss of dictionaries follows from their size, after Gao et al. 2024, "Scaling and evaluating sparse autoencoders"
 * (arXiv 2406.04093), section 3 and appendix: laws are fitted to the smaller arms of a sweep, and held against the largest,
 * which the fit has not seen. It knows neither files nor how an arm was trained.
 *
 * Fits are least squares on the logarithm of the loss. Intervals are percentile intervals of a wild bootstrap over arms (Wu
 * 1986; Cameron, Gelbach and Miller 2008): residuals of all seeds of an arm change sign together, widened by the
 * arm's leverage (`r / (1 - h)`, HC3) and by Student's t for so many arms, so that arms with several seeds count as one, and few arms are not taken for many.
 */
import type { Interval as CountedInterval } from '../math/bootstrap.ts';
import { leastSquares, leverages } from '../math/leastSquares.ts';
import type { Random } from '../math/random.ts';
import { mean, quantile } from '../math/statistics.ts';

export type Interval = Omit<CountedInterval, 'n'>;

/** One trained dictionary. */
export interface ScalingPoint {
  /** What seeds of one configuration have in common. */
  readonly arm: string;
  readonly latents: number;
  /** Latents that fire on a token. */
  readonly l0: number;
  /** FLOPs of its training. */
  readonly flops: number;
  /** Any loss above 0; FVU for one. */
  readonly loss: number;
}

export interface Extrapolation {
  readonly arm: string;
  /** What the arm came to: the geometric mean over its seeds. */
  readonly loss: number;
  /** Its interval is that of the law; the arm's own noise comes on top. */
  readonly forecast: Interval;
  /** `forecast / loss - 1` */
  readonly error: Interval;
}

export interface ScalingFit {
  /** The law, for people. */
  readonly law: string;
  readonly parameters: Readonly<Record<string, Interval>>;
  /** Arms that the law was fitted to. */
  readonly arms: number;
  /** Of the logarithm of the loss, on what it was fitted to. */
  readonly rootMeanSquare: number;
  /** The arms that were held out. */
  readonly heldOut: readonly Extrapolation[];
}

/** Why a law cannot be fitted: what is there, and what is needed. */
export interface Refusal {
  readonly law: string;
  readonly missing: string;
}

export const COMPUTE_LAW = 'L(C) = a + b (C / C0)^-c';
export const LATENTS_LAW =
  'L(n, k) = exp(alpha + beta_k ln k + beta_n ln n + gamma ln k ln n) + exp(zeta + eta ln k)';

interface Law {
  readonly law: string;
  readonly names: readonly string[];
  /** The logarithm of the loss. */
  readonly predict: (parameters: readonly number[], point: ScalingPoint) => number;
  readonly starts: (points: readonly ScalingPoint[], random: Random) => number[][];
  /** A parameter as it is reported. */
  readonly shown?: (name: string, value: number) => number;
}

const STARTS = 12;
/** Student's t over the normal quantile is 1 + (z^2 + 1) / 4 f for f degrees of freedom (Cornish and Fisher 1938); z = 1.96. */
const STUDENT = 1.21;

/**
 * `L(C) = a + b (C / C0)^-c` over the arms that are efficient, those that no other arm beats for as much compute or less. C0
 * is the geometric mean of their compute. Where the data do not ask for a floor (AICc, Hurvich and Tsai 1989), `a` is 0
 * and not among the parameters. The largest quarter of the efficient arms is held out.
 */
export function fitCompute(
  points: readonly ScalingPoint[],
  options: { random: Random; resamples?: number; level?: number },
): ScalingFit | Refusal {
  const efficient = efficientArms(points).sort((a, b) => a[0].flops - b[0].flops);
  const out = Math.max(1, Math.floor(efficient.length / 4));
  const fitted = efficient.slice(0, efficient.length - out);
  if (fitted.length < 4) {
    return {
      law: COMPUTE_LAW,
      missing:
        `${efficient.length} arms are efficient in compute (no other has a lower loss for as little); ` +
        '5 are needed, 4 to fit and the largest to hold out: train more sizes, each for more tokens the larger it is',
    };
  }
  const center = Math.exp(mean(fitted.flat().map(({ flops }) => Math.log(flops))));
  const plain = computeLaw(center, false);
  const floored = computeLaw(center, true);
  const candidates = fitted.length >= 5 ? [plain, floored] : [plain];
  const [best] = candidates
    .map((law) => ({
      law,
      score: criterion(fit(law, fitted.flat(), options.random).squares, fitted.flat().length, law),
    }))
    .sort((a, b) => a.score - b.score);
  return fitAndHold(best.law, fitted, efficient.slice(efficient.length - out), options);
}

/**
 * `L(n, k)` over all arms but those with the most latents, which are held out. Needs three numbers of latents and three
 * of k to fit, with eight arms among them, and one more number of latents to hold out.
 */
export function fitLatents(
  points: readonly ScalingPoint[],
  options: { random: Random; resamples?: number; level?: number },
): ScalingFit | Refusal {
  const most = Math.max(...points.map(({ latents }) => latents));
  const arms = armsOf(points);
  const fitted = arms.filter(([{ latents }]) => latents < most);
  const sizes = new Set(fitted.map(([{ latents }]) => latents)).size;
  const sparsities = distinct(fitted.map((arm) => mean(arm.map(({ l0 }) => l0))));
  if (fitted.length < 8 || sizes < 3 || sparsities < 3) {
    return {
      law: LATENTS_LAW,
      missing:
        `without the largest, there are ${fitted.length} arms with ${sizes} numbers of latents and ${sparsities} of k; ` +
        'its six parameters need 8 arms, 3 numbers of latents and 3 of k, and arms with more latents to hold out: ' +
        'train 4 sizes with 3 values of k each',
    };
  }
  return fitAndHold(
    latentsLaw,
    fitted,
    arms.filter(([{ latents }]) => latents === most),
    options,
  );
}

function computeLaw(center: number, floored: boolean): Law {
  return {
    law: `${floored ? COMPUTE_LAW : COMPUTE_LAW.replace('a + ', '')}, C0 = ${center.toExponential(3)} FLOPs`,
    names: floored ? ['b', 'c', 'a'] : ['b', 'c'],
    predict: ([b, c, a], { flops }) => {
      const power = b - c * Math.log(flops / center);
      return floored ? logSum(power, a) : power;
    },
    starts: (points, random) =>
      Array.from({ length: STARTS }, () => {
        const middle = mean(points.map(({ loss }) => Math.log(loss)));
        const least = Math.min(...points.map(({ loss }) => Math.log(loss)));
        return [middle, random.uniform(), ...(floored ? [least + Math.log(random.uniform() + 1e-3)] : [])];
      }),
    shown: (name, value) => (name === 'c' ? value : Math.exp(value)),
  };
}

const latentsLaw: Law = {
  law: LATENTS_LAW,
  names: ['alpha', 'beta_k', 'beta_n', 'gamma', 'zeta', 'eta'],
  predict: ([alpha, betaK, betaN, gamma, zeta, eta], { latents, l0 }) => {
    const [n, k] = [Math.log(latents), Math.log(l0)];
    return logSum(alpha + betaK * k + betaN * n + gamma * k * n, zeta + eta * k);
  },
  starts: (points, random) =>
    Array.from({ length: STARTS }, () => {
      const middle = mean(points.map(({ loss }) => Math.log(loss)));
      const slope = () => random.normal() * 0.1;
      return [middle, slope(), slope(), slope() / 3, middle - 3 * random.uniform(), slope()];
    }),
};

/** The best of fits from several starts. */
function fit(law: Law, points: readonly ScalingPoint[], random: Random) {
  const residuals = (parameters: readonly number[]) =>
    points.map((point) => law.predict(parameters, point) - Math.log(point.loss));
  return law
    .starts(points, random)
    .map((start) => leastSquares(residuals, start))
    .reduce((best, next) => (next.squares < best.squares ? next : best));
}

type Arm = readonly ScalingPoint[];

function fitAndHold(
  law: Law,
  fitted: readonly Arm[],
  heldOut: readonly Arm[],
  { random, resamples = 500, level = 0.95 }: { random: Random; resamples?: number; level?: number },
): ScalingFit {
  const points = fitted.flat();
  const best = fit(law, points, random);
  const predicted = points.map((point) => law.predict(best.parameters, point));
  const residuals = points.map(({ loss }, i) => Math.log(loss) - predicted[i]);
  const leverage = leverages((p) => points.map((point) => law.predict(p, point)), best.parameters);
  const ofArm = new Map<string, number>();
  points.forEach(({ arm }, i) => {
    ofArm.set(arm, (ofArm.get(arm) ?? 0) + leverage[i]);
  });
  // An arm that the fit goes through whatever it is says nothing of its own error.
  const freedom = Math.max(1, fitted.length - law.names.length);
  const student = 1 + STUDENT / freedom;
  const widened = residuals.map(
    (residual, i) => (student * residual) / Math.max(0.1, 1 - ofArm.get(points[i].arm)!),
  );
  const redrawn = Array.from({ length: resamples }, () => {
    const changed = fitted.flatMap((arm) => {
      const sign = random.uniform() < 0.5 ? -1 : 1;
      return arm.map(() => sign);
    });
    const targets = predicted.map((value, i) => value + changed[i] * widened[i]);
    const again = (p: readonly number[]) => points.map((point, i) => law.predict(p, point) - targets[i]);
    return leastSquares(again, best.parameters, 30).parameters;
  });
  const tail = (1 - level) / 2;
  const interval = (of: (parameters: readonly number[]) => number): Interval => {
    const all = redrawn.map(of);
    return { value: of(best.parameters), low: quantile(all, tail), high: quantile(all, 1 - tail) };
  };
  const shown = law.shown ?? ((_, value) => value);
  return {
    law: law.law,
    parameters: Object.fromEntries(
      law.names.map((name, p) => [name, interval((all) => shown(name, all[p]))]),
    ),
    arms: fitted.length,
    rootMeanSquare: Math.sqrt(best.squares / points.length),
    heldOut: heldOut.map((arm) => {
      const loss = Math.exp(mean(arm.map((point) => Math.log(point.loss))));
      const of = (parameters: readonly number[]) =>
        Math.exp(mean(arm.map((point) => law.predict(parameters, point))));
      return {
        arm: arm[0].arm,
        loss,
        forecast: interval(of),
        error: interval((parameters) => of(parameters) / loss - 1),
      };
    }),
  };
}

/** Akaike's criterion for few observations, up to a constant. */
function criterion(squares: number, observations: number, { names }: Law): number {
  const parameters = names.length + 1;
  const correction = (2 * parameters * (parameters + 1)) / Math.max(1e-9, observations - parameters - 1);
  return observations * Math.log(Math.max(squares, 1e-30) / observations) + 2 * parameters + correction;
}

function armsOf(points: readonly ScalingPoint[]): ScalingPoint[][] {
  const arms = new Map<string, ScalingPoint[]>();
  for (const point of points) arms.set(point.arm, [...(arms.get(point.arm) ?? []), point]);
  return [...arms.values()];
}

/** Arms that none with as much compute or less beats. */
function efficientArms(points: readonly ScalingPoint[]): ScalingPoint[][] {
  const loss = (arm: Arm) => mean(arm.map((point) => Math.log(point.loss)));
  const flops = (arm: Arm) => mean(arm.map((point) => point.flops));
  const arms = armsOf(points);
  return arms.filter(
    (arm) => !arms.some((other) => other !== arm && flops(other) <= flops(arm) && loss(other) < loss(arm)),
  );
}

/** How many values there are that differ by more than a tenth of themselves: measured L0 of one k vary a little. */
function distinct(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted.filter((value, i) => i === 0 || value > 1.1 * sorted[i - 1]).length;
}

function logSum(a: number, b: number): number {
  const most = Math.max(a, b);
  return most + Math.log(Math.exp(a - most) + Math.exp(b - most));
}
