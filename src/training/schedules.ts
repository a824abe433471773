/** What changes with the step, from 1 on: the learning rate, the weight of the sparsity penalty, k. */
import { type TrainingOptions, totalSteps } from './options.ts';

/** Linear warm-up, then constant, then a linear fall to 0. */
export function learningRate(options: TrainingOptions, step: number): number {
  const total = totalSteps(options);
  const decay = Math.min(1, (total - step + 1) / Math.max(1, options.decayFraction * total));
  return options.learningRate * Math.min(rise(options.warmupFraction * total, step), decay);
}

/** The share of its weight that the sparsity penalty has: a linear rise to 1. */
export function sparsityWarmth(options: TrainingOptions, step: number): number {
  return rise(options.sparsityWarmupFraction * totalSteps(options), step);
}

/** Latents of a token, where the family has a k: from `kStart` down (or up) to k, whole numbers where k is one. */
export function latentsAt(options: TrainingOptions, step: number): number {
  const k = options.dictionary.k ?? 0;
  const over = rise(options.kAnnealFraction * totalSteps(options), step);
  const now = options.kStart + (k - options.kStart) * over;
  return Number.isInteger(k) ? Math.round(now) : now;
}

/** Whether dead latents are resampled after `step`. */
export function resamplesAfter(options: TrainingOptions, step: number): boolean {
  return options.resampleAt.some((share) => Math.round(share * totalSteps(options)) === step);
}

function rise(steps: number, step: number): number {
  return Math.min(1, step / Math.max(1, steps));
}
