/**
 * How strongly a feature fires where it does: one small type that every world shares. It must not know when it fires.
 */

import { AMPLITUDE_LAWS } from '../kernels/firingOperations.ts';
import { normalProbability } from '../math/normal.ts';

/** The law of an amplitude, which is > 0 always. */
export type Amplitude =
  /** Always the same. */
  | { readonly kind: 'constant'; readonly value: number }
  /** Uniform in (low, high]. */
  | { readonly kind: 'uniform'; readonly low: number; readonly high: number }
  /** `|normal|` of this mean and standard deviation: half-normal where the mean is 0. */
  | { readonly kind: 'folded normal'; readonly mean: number; readonly sd: number }
  /** Normal of this mean and standard deviation before what is not > 0 was drawn again. */
  | { readonly kind: 'normal'; readonly mean: number; readonly sd: number };

/** Amplitudes for each feature: one law for all, or a law each. */
export type Amplitudes = Amplitude | readonly Amplitude[];

/** Uniform in (0, 1], as in "Toy Models of Superposition" (Elhage et al. 2022). */
export const UNIT_UNIFORM: Amplitude = { kind: 'uniform', low: 0, high: 1 };

/** The mean of a law, exact: those of the folded and of the truncated normal are textbook. */
export function amplitudeMean(amplitude: Amplitude): number {
  const { kind } = amplitude;
  if (kind === 'constant') return amplitude.value;
  if (kind === 'uniform') return (amplitude.low + amplitude.high) / 2;
  const { mean, sd } = amplitude;
  if (sd === 0) return Math.abs(mean);
  const ratio = mean / sd;
  const density = Math.exp(-0.5 * ratio * ratio) / Math.sqrt(2 * Math.PI);
  if (kind === 'normal') return mean + (sd * density) / normalProbability(ratio);
  return 2 * sd * density + mean * (1 - 2 * normalProbability(-ratio));
}

/** The arrays of a plan that say how amplitudes are drawn. RangeError where a law has no amplitudes > 0. */
export function amplitudeArrays(amplitudes: Amplitudes, features: number) {
  const each = Array.isArray(amplitudes)
    ? amplitudes
    : new Array<Amplitude>(features).fill(amplitudes as Amplitude);
  if (each.length !== features)
    throw new RangeError(`amplitudes: ${each.length} laws were given for ${features} features`);
  const arrays = {
    law: new Uint8Array(features),
    shift: new Float64Array(features),
    spread: new Float64Array(features),
    mean: new Float64Array(features),
  };
  each.forEach((amplitude, i) => {
    const { law, shift, spread } = lawOf(amplitude, i);
    arrays.law[i] = AMPLITUDE_LAWS[law];
    arrays.shift[i] = shift;
    arrays.spread[i] = spread;
    arrays.mean[i] = amplitudeMean(amplitude);
  });
  return arrays;
}

function lawOf(
  amplitude: Amplitude,
  feature: number,
): { law: keyof typeof AMPLITUDE_LAWS; shift: number; spread: number } {
  const refuse = (what: string): never => {
    throw new RangeError(`amplitude of feature ${feature}: ${what}`);
  };
  if (amplitude.kind === 'constant') {
    if (!(amplitude.value > 0)) refuse(`expected a value > 0, not ${amplitude.value}`);
    return { law: 'uniform', shift: amplitude.value, spread: 0 };
  }
  if (amplitude.kind === 'uniform') {
    const { low, high } = amplitude;
    if (!(low >= 0 && high > low)) refuse(`expected 0 <= low < high, not ${low} and ${high}`);
    return { law: 'uniform', shift: low, spread: high - low };
  }
  const { kind, mean, sd } = amplitude;
  const possible = kind === 'normal' ? mean > 0 : Number.isFinite(mean) && (mean !== 0 || sd > 0);
  if (!possible || !(sd >= 0)) refuse(`a ${kind} of mean ${mean} and standard deviation ${sd} is not one`);
  return { law: kind === 'normal' ? 'normal' : 'folded', shift: mean, spread: sd };
}
