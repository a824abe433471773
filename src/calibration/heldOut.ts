/**
 * How far the verdict can be trusted: it is fitted on all kinds of worlds but one and judges that one, for each kind in turn. It
 * must not know how subjects were made.
 */
import { fitVerdict, type KnownLatent } from '../evaluation/verdict/fit.ts';
import { INPUTS } from '../evaluation/verdict/inputs.ts';
import { scoreOf, type VerdictModel } from '../evaluation/verdict/model.ts';
import { calibrationError, reliability } from '../evaluation/verdict/reliability.ts';
import { verdictsOf } from '../evaluation/verdict/verdicts.ts';
import { studentInterval } from '../math/student.ts';
import type { Subject } from './cases.ts';

/** A subject under a verdict that never saw its kind. */
export interface Tested {
  readonly subject: Subject;
  readonly probability: Float64Array;
  /** Latents that were judged, and how many of them are true. */
  readonly judged: number;
  readonly trues: number;
  readonly supported: number;
  readonly falseSupported: number;
  readonly trueUnsupported: number;
  readonly unsupported: number;
}

/** The latents of subjects as `fitVerdict` takes them. */
export function knownLatents(subjects: readonly Subject[]): KnownLatent[] {
  return subjects.flatMap(({ kind, seed, name, inputs, isTrue, remainders }) =>
    isTrue.map((one, j) => ({
      kind,
      world: `${kind} ${seed} ${name}`,
      inputs: inputs.slice(j * INPUTS.length, (j + 1) * INPUTS.length),
      isTrue: one === 1,
      remainder: remainders[j],
      ofNull: name !== 'trained',
    })),
  );
}

/** Each subject, judged at `level` by a verdict that was fitted on the other kinds. */
export function testHeldOut(subjects: readonly Subject[], level: number): Tested[] {
  const kinds = [...new Set(subjects.map(({ kind }) => kind))];
  return kinds.flatMap((kind) => {
    const model = fitVerdict(INPUTS, knownLatents(subjects.filter((subject) => subject.kind !== kind)));
    return subjects.filter((subject) => subject.kind === kind).map((subject) => test(model, subject, level));
  });
}

function test(model: VerdictModel, subject: Subject, level: number): Tested {
  const { inputs, isTrue, remainders } = subject;
  const scores = Float64Array.from(isTrue, (_, j) =>
    scoreOf(model, inputs.slice(j * INPUTS.length, (j + 1) * INPUTS.length)),
  );
  const { verdict, probability } = verdictsOf(model, scores, level, Float64Array.from(remainders));
  const count = (wanted: string, truth?: number) =>
    verdict.reduce((sum, one, j) => sum + (one === wanted && (truth ?? isTrue[j]) === isTrue[j] ? 1 : 0), 0);
  return {
    subject,
    probability,
    judged: isTrue.length,
    trues: isTrue.reduce((sum, one) => sum + one, 0),
    supported: count('supported'),
    falseSupported: count('supported', 0),
    unsupported: count('unsupported'),
    trueUnsupported: count('unsupported', 1),
  };
}

/** A share, and its 95 % interval over seeds. */
export interface SeedShare {
  readonly value: number;
  readonly low: number;
  readonly high: number;
  readonly n: number;
}

/** `sum over / sum under` over the tested of each seed, and from these the mean and its interval (Student's t, within [0, 1]). */
export function overSeeds(
  tested: readonly Tested[],
  over: (one: Tested) => number,
  under: (one: Tested) => number,
): SeedShare {
  const seeds = [...new Set(tested.map(({ subject }) => subject.seed))];
  const shares = seeds.flatMap((seed) => {
    const own = tested.filter(({ subject }) => subject.seed === seed);
    const sum = (of: (one: Tested) => number) => own.reduce((total, one) => total + of(one), 0);
    return sum(under) === 0 ? [] : [sum(over) / sum(under)];
  });
  const { value, low, high } = studentInterval(shares);
  return { value, low: Math.max(0, low), high: Math.min(1, high), n: shares.length };
}

/** The expected calibration error of the probabilities of each seed, all its worlds together, and its interval over seeds. */
export function calibrationOverSeeds(tested: readonly Tested[]): SeedShare {
  const seeds = [...new Set(tested.map(({ subject }) => subject.seed))];
  const errors = seeds.map((seed) => {
    const own = tested.filter(({ subject }) => subject.seed === seed);
    const bins = reliability(
      own.flatMap(({ probability }) => [...probability]),
      own.flatMap(({ subject }) => subject.isTrue),
    );
    return calibrationError(bins);
  });
  return { ...studentInterval(errors), n: errors.length };
}
