/**
 * From the curves of a sweep over sparsity to the L0 that they speak for, or to the reasons why they speak for none. It must not
 * know how curves were measured, nor of what.
 *
 * A criterion has a say where its curve has an optimum (`optimum.ts`). Three must agree that do not follow from one another. What
 * a decoder looks like (c_dec, s_n) is one kind of evidence: both are low where decoder rows do not point at each other's
 * features. What reconstruction costs (description length, the knee) is another: both are read off how FVU falls with L0.
 * Whether seeds agree is the third. So it takes one of each kind.
 */
import { Random } from '../../math/random.ts';
import { mean } from '../../math/statistics.ts';
import { type Curve, findOptimum, type Optimum } from './optimum.ts';

/** Two optima are the same within this factor. */
const AGREEMENT = 1.15;
/** An interval whose ends are further apart than this factor agrees with anything, and so with nothing. */
const WIDEST = 1.5;
/** The best description length must stay where it is while the distortion changes by this factor. */
const DISTORTIONS = 2;

const KINDS = {
  decoderCosine: 'decoder',
  projection: 'decoder',
  descriptionLength: 'cost',
  knee: 'cost',
  consensus: 'seeds',
} as const;

export type Criterion = keyof typeof KINDS;

export const CRITERIA = Object.keys(KINDS) as Criterion[];
const KIND_COUNT = new Set(Object.values(KINDS)).size;

/** The curves of a sweep, the less the better; that of the description length for each distortion, falling. */
export type Curves = Readonly<Record<Exclude<Criterion, 'descriptionLength'>, Curve>> & {
  readonly descriptionLength: readonly (Curve & { readonly fvu: number })[];
};

export type Proposal =
  | {
      readonly kind: 'identified';
      /** Geometric mean of the optima that agree; from the least lower to the greatest upper end of their intervals. */
      readonly l0: number;
      readonly low: number;
      readonly high: number;
      readonly agreeing: readonly Criterion[];
    }
  | {
      readonly kind: 'not identified';
      /** For people. */
      readonly why: string;
    };

export interface SparsityReading {
  readonly optima: Readonly<Record<Criterion, Optimum>>;
  /** FVU at which description lengths speak for themselves: the middle of the run that gave their optimum, or of all. */
  readonly distortion: number;
  readonly proposal: Proposal;
}

/** Reads off a sweep. `seed` is that of the bootstrap. */
export function readSparsity(curves: Curves, seed: number): SparsityReading {
  const of = (criterion: Exclude<Criterion, 'descriptionLength'>) =>
    findOptimum(curves[criterion], new Random(seed, 'sparsity', criterion));
  const { optimum, distortion } = shortest(curves.descriptionLength, seed);
  const optima = {
    decoderCosine: of('decoderCosine'),
    projection: of('projection'),
    descriptionLength: optimum,
    knee: of('knee'),
    consensus: of('consensus'),
  };
  return { optima, distortion, proposal: propose(optima) };
}

/**
 * The largest set of optima, of equally large ones the closest together, that has one of each kind and in which each is
 * within 15 % of their geometric mean, or has it in its interval.
 */
export function propose(optima: Readonly<Record<Criterion, Optimum>>): Proposal {
  const voices = CRITERIA.flatMap((criterion) => {
    const optimum = optima[criterion];
    const speaks = optimum.kind === 'optimum' && optimum.high <= WIDEST * optimum.low;
    return speaks ? [{ criterion, ...optimum }] : [];
  });
  let best: { set: typeof voices; center: number; spread: number } | undefined;
  for (let mask = 1; mask < 2 ** voices.length; mask++) {
    const set = voices.filter((_, i) => (mask >> i) & 1);
    if (new Set(set.map(({ criterion }) => KINDS[criterion])).size < KIND_COUNT) continue;
    const l0s = set.map(({ l0 }) => l0);
    const center = geometricMean(l0s);
    const agrees = ({ l0, low, high }: (typeof voices)[number]) =>
      Math.max(l0 / center, center / l0) <= AGREEMENT || (low <= center && center <= high);
    if (!set.every(agrees)) continue;
    const spread = Math.max(...l0s) / Math.min(...l0s);
    const better =
      !best || set.length > best.set.length || (set.length === best.set.length && spread < best.spread);
    if (better) best = { set, center, spread };
  }
  if (!best) return { kind: 'not identified', why: whyNot(optima) };
  return {
    kind: 'identified',
    l0: best.center,
    low: Math.min(...best.set.map(({ low }) => low)),
    high: Math.max(...best.set.map(({ high }) => high)),
    agreeing: best.set.map(({ criterion }) => criterion),
  };
}

/**
 * The optimum of the description length: that at every distortion of the widest run of them over which it stays within
 * 15 %. For data without an L0 of their own it follows the distortion that one asks for, so a run that is narrower than a factor
 * of 2 shows nothing.
 */
function shortest(
  curves: Curves['descriptionLength'],
  seed: number,
): { optimum: Optimum; distortion: number } {
  const at = curves.map((curve, i) => ({
    fvu: curve.fvu,
    optimum: findOptimum(curve, new Random(seed, 'sparsity', 'descriptionLength', String(i))),
  }));
  let best: typeof at = [];
  const factor = (run: typeof at) => (run.length === 0 ? 0 : run[0].fvu / run[run.length - 1].fvu);
  for (let from = 0; from < at.length; from++) {
    for (let end = from + 1; end <= at.length; end++) {
      const run = at.slice(from, end);
      if (factor(run) > factor(best) && staysPut(run)) best = run;
    }
  }
  if (factor(best) < DISTORTIONS) {
    const why = at.every(({ optimum }) => optimum.kind === 'none')
      ? 'it has an optimum at no distortion'
      : 'it follows the distortion that is asked for';
    return { optimum: { kind: 'none', why }, distortion: middle(at) };
  }
  const run = best.flatMap(({ optimum }) => (optimum.kind === 'optimum' ? [optimum] : []));
  const optimum: Optimum = {
    kind: 'optimum',
    l0: geometricMean(run.map(({ l0 }) => l0)),
    low: Math.min(...run.map(({ low }) => low)),
    high: Math.max(...run.map(({ high }) => high)),
    dip: run.reduce((least, { dip }) => (dip.low < least.low ? dip : least), run[0].dip),
  };
  return { optimum, distortion: middle(best) };
}

function staysPut(run: readonly { optimum: Optimum }[]): boolean {
  const l0s = run.map(({ optimum }) => (optimum.kind === 'optimum' ? optimum.l0 : Number.NaN));
  return Math.max(...l0s) <= AGREEMENT * Math.min(...l0s);
}

function middle(run: readonly { fvu: number }[]): number {
  return run[Math.floor(run.length / 2)].fvu;
}

function geometricMean(values: readonly number[]): number {
  return Math.exp(mean(values.map(Math.log)));
}

function whyNot(optima: Readonly<Record<Criterion, Optimum>>): string {
  const silent = CRITERIA.flatMap((criterion) => {
    const optimum = optima[criterion];
    if (optimum.kind === 'none') return [`${CRITERION_NAMES[criterion]}: ${optimum.why}`];
    if (optimum.high > WIDEST * optimum.low)
      return [`${CRITERION_NAMES[criterion]}: its interval is too wide to agree with anything`];
    return [];
  });
  const speaking = CRITERIA.length - silent.length;
  const kinds = `fewer than three kinds of evidence agree on an L0 (${speaking} of ${CRITERIA.length} criteria have a say)`;
  return [kinds, ...silent].join('; ');
}

/** As people call them. */
export const CRITERION_NAMES: Readonly<Record<Criterion, string>> = {
  decoderCosine: 'c_dec',
  projection: 's_n',
  descriptionLength: 'description length',
  knee: 'knee',
  consensus: 'consensus of seeds',
};
