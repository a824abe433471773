/** Resampling of dead latents: who gets what direction, at what norm, and that everyone else is left alone. */
import { describe, expect, it } from 'vitest';
import { gated } from '../../src/dictionaries/families/gated.ts';
import { l1 } from '../../src/dictionaries/families/l1.ts';
import { createReferenceBackend } from '../../src/kernels/reference.ts';
import { type BatchResult, propagate } from '../../src/training/gradients.ts';
import { resample } from '../../src/training/resample.ts';
import type { TrainingState } from '../../src/training/state.ts';
import { trainStep } from '../../src/training/step.ts';
import { createWorkspace } from '../../src/training/workspace.ts';
import { optionsFor, randomWorld, rows, type World, width } from '../dictionaries/families/gradientCheck.ts';

const backend = createReferenceBackend();
const latents = 12;
const dead = [2, 5, 11];
const dictionary = { family: 'l1', latents, coefficient: 0.03 };

/** A world in which `dead` have not fired for long, and its batch. */
async function worldWithDead(change = {}, which = dead): Promise<World & { result: BatchResult }> {
  const options = optionsFor(l1, dictionary, { deadAfterTokens: 1000, ...change });
  const world = await randomWorld(backend, options, 4);
  const { state } = world;
  for (const array of Object.values(state.firstMoment)) array.fill(0.5);
  for (const array of Object.values(state.secondMoment)) array.fill(0.25);
  for (const j of which) state.tokensSinceFired[j] = 2000;
  const result = await propagate(backend, options, state, world.data, createWorkspace(backend));
  state.step += 1;
  return { ...world, result };
}

const row = (array: Float32Array, r: number, of = width) => array.slice(r * of, (r + 1) * of);
const norm = (x: Float32Array) => Math.hypot(...x);
const cosine = (a: Float32Array, b: Float32Array) =>
  a.reduce((sum, value, i) => sum + value * b[i], 0) / (norm(a) * norm(b));

/** The row of the batch whose direction the latent has. */
function sourceOf({ parameters }: TrainingState, { batch }: BatchResult, latent: number): number {
  const decoder = row(parameters.decoderWeight, latent);
  return Array.from({ length: rows }, (_, r) => r).findIndex(
    (r) => cosine(decoder, row(batch.target, r)) > 1 - 1e-6,
  );
}

function snapshot(state: TrainingState): Record<string, Float32Array> {
  const groups = { p: state.parameters, m: state.firstMoment, v: state.secondMoment };
  return Object.fromEntries(
    Object.entries(groups).flatMap(([group, arrays]) =>
      Object.entries(arrays).map(([name, array]) => [`${group}.${name}`, array.slice()]),
    ),
  );
}

describe('resample', () => {
  it('gives each dead latent the direction of a row of its own, and forgets what it was', async () => {
    const { options, state, result } = await worldWithDead();
    const living = [...Array(latents).keys()].filter((j) => !dead.includes(j));
    const meanNorm =
      living.reduce((sum, j) => sum + norm(row(state.parameters.encoderWeight, j)), 0) / living.length;
    expect(resample(options, state, result)).toBe(3);
    const sources = dead.map((j) => sourceOf(state, result, j));
    expect(Math.min(...sources)).toBeGreaterThanOrEqual(0);
    expect(new Set(sources).size).toBe(3);
    for (const j of dead) {
      const [encoder, decoder] = ['encoderWeight', 'decoderWeight'].map((name) =>
        row(state.parameters[name], j),
      );
      expect(norm(decoder)).toBeCloseTo(1, 6);
      expect(norm(encoder)).toBeCloseTo(0.2 * meanNorm, 6);
      expect(cosine(encoder, decoder)).toBeCloseTo(1, 6);
      expect(state.parameters.encoderBias[j]).toBe(0);
      expect(state.tokensSinceFired[j]).toBe(0);
      for (const moments of [state.firstMoment, state.secondMoment]) {
        const all = [
          ...row(moments.encoderWeight, j),
          ...row(moments.decoderWeight, j),
          moments.encoderBias[j],
        ];
        expect(all.every((value) => value === 0)).toBe(true);
      }
    }
  });

  it('leaves the living and b_dec to the bit as they are', async () => {
    const { options, state, result } = await worldWithDead();
    const before = snapshot(state);
    resample(options, state, result);
    for (const [name, array] of Object.entries(snapshot(state))) {
      const of = array.length / latents;
      if (name.endsWith('decoderBias')) expect(array).toEqual(before[name]);
      else {
        for (let j = 0; j < latents; j++)
          if (!dead.includes(j)) expect(row(array, j, of), name).toEqual(row(before[name], j, of));
      }
    }
  });

  it('leaves a latent that fired in this very step, and does nothing where none is dead', async () => {
    const { options, state, result } = await worldWithDead();
    state.tokensSinceFired[5] = 0;
    const before = row(state.parameters.decoderWeight, 5);
    expect(resample(options, state, result)).toBe(2);
    expect(row(state.parameters.decoderWeight, 5)).toEqual(before);
    const after = snapshot(state);
    expect(resample(options, state, result)).toBe(0);
    expect(snapshot(state)).toEqual(after);
  });

  it('draws rows as the square of their loss says', async () => {
    const counts = new Float64Array(rows);
    const { options, state, result } = await worldWithDead({}, [3]);
    const { scaled } = result.loss.error;
    const weights = Array.from({ length: rows }, (_, r) => norm(row(scaled, r)) ** 4);
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    const draws = 4000;
    for (let seed = 0; seed < draws; seed++) {
      state.tokensSinceFired[3] = 2000;
      resample({ ...options, seed }, state, result);
      counts[sourceOf(state, result, 3)]++;
    }
    for (let r = 0; r < rows; r++) {
      const expected = weights[r] / total;
      const deviation = Math.sqrt((expected * (1 - expected)) / draws);
      expect(Math.abs(counts[r] / draws - expected)).toBeLessThan(4.5 * deviation + 1e-3);
    }
  });

  it('brings no more to life than there are rows', async () => {
    const all = [...Array(latents).keys()];
    const { options, state, result } = await worldWithDead({}, all);
    result.loss.error.scaled.fill(0, 3 * width);
    expect(resample(options, state, result)).toBe(3);
    expect(state.tokensSinceFired.filter((tokens) => tokens === 0).length).toBe(3);
  });

  it("takes a family's own parameters back to their start, and forgets them", async () => {
    const options = optionsFor(gated, { family: 'gated', latents }, { deadAfterTokens: 1000 });
    const { state, data } = await randomWorld(backend, options, 4);
    state.firstMoment.rMag.fill(0.5);
    state.parameters.magBias.fill(0.5);
    for (const j of dead) state.tokensSinceFired[j] = 2000;
    const result = await propagate(backend, options, state, data, createWorkspace(backend));
    resample(options, state, result);
    for (let j = 0; j < latents; j++) {
      expect(state.parameters.magBias[j]).toBe(dead.includes(j) ? 0 : 0.5);
      expect(state.firstMoment.rMag[j]).toBe(dead.includes(j) ? 0 : 0.5);
    }
  });

  it('with signum starts its average anew', async () => {
    const { options, state, result } = await worldWithDead({ optimiser: 'signum', beta1: 0.9 });
    resample(options, state, result);
    for (const j of dead)
      expect(row(state.firstMoment.encoderWeight, j)).toEqual(row(state.parameters.encoderWeight, j));
  });

  it('revives latents in a training, at the step that the options say', async () => {
    const options = optionsFor(l1, dictionary, { deadAfterTokens: 5 * rows, resampleAt: [0.1] });
    const { state, data } = await randomWorld(backend, options, 6);
    for (const j of dead) state.parameters.encoderBias[j] = -10;
    const workspace = createWorkspace(backend);
    const fired: boolean[] = [];
    for (let step = 1; step <= 11; step++) {
      await trainStep(backend, options, state, data, workspace);
      fired[step] = dead.some((j) => state.tokensSinceFired[j] === 0);
    }
    expect(fired.slice(1, 10).some(Boolean)).toBe(false);
    expect(dead.map((j) => state.tokensSinceFired[j])).toEqual([0, 0, 0]);
  });
});
