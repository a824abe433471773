/** The gradient with AuxK against finite differences of both losses, on both backends; the families' own are in test/dictionaries. */
import { describe, expect, it } from 'vitest';
import type { Parameters } from '../../src/dictionaries/families/family.ts';
import { topk } from '../../src/dictionaries/families/topk.ts';
import type { Backend } from '../../src/kernels/backend.ts';
import { createNativeBackend } from '../../src/kernels/native.ts';
import { createReferenceBackend } from '../../src/kernels/reference.ts';
import { Random } from '../../src/math/random.ts';
import { initialState } from '../../src/training/state.ts';
import { gradientOf as gradientIn, optionsFor } from '../dictionaries/families/gradientCheck.ts';

const [width, latents, rows, k] = [7, 24, 13, 3];
const auxCoefficient = 0.4;
const dead = Uint32Array.from([1, 4, 9, 16, 20]);
const PARAMETER_NAMES = ['encoderWeight', 'encoderBias', 'decoderWeight', 'decoderBias'] as const;

/** TopK that never chooses a dead latent, so that the two losses have no latent in common. */
const family: typeof topk = {
  ...topk,
  unitDecoder: false,
  loss: (batch) => {
    const { backend } = batch;
    const encodeTopK: Backend['encodeTopK'] = (op) => backend.encodeTopK({ ...op, subset: alive });
    return topk.loss({ ...batch, backend: { ...backend, encodeTopK } });
  },
};

async function world(backend: Backend, seed: number) {
  const random = new Random(seed);
  const options = optionsFor(
    family,
    { family: 'topk', latents, k },
    { auxLatents: k, deadAfterTokens: 1000 },
  );
  const center = new Float32Array(width);
  const state = await initialState(backend, options, { width, center, autoencoder: true });
  const { parameters } = state;
  for (const name of PARAMETER_NAMES) random.fillNormal(parameters[name], 0.5);
  const x = new Float32Array(rows * width);
  random.fillNormal(x, 1);
  // Dead latents are strong enough to have work to do in AuxK, and never chosen by the others' selection.
  for (const latent of dead) {
    parameters.encoderBias[latent] = 0.3;
    state.tokensSinceFired[latent] = 1000;
  }
  return { parameters, x, options, state };
}

const alive = Uint32Array.from({ length: latents }, (_, i) => i).filter((i) => !dead.includes(i));

/** The whole gradient, with the activations given at half their size. */
async function gradientOf(
  backend: Backend,
  { state, options, x }: Awaited<ReturnType<typeof world>>,
  auxCoefficient: number,
) {
  const data = { x: x.map((value) => value / 2), scale: 2 };
  return gradientIn(backend, { options: { ...options, auxCoefficient }, state, data });
}

/** A row's activations of the k strongest among `among`, in float64. */
function activations(p: Parameters, x: Float32Array, r: number, among: Uint32Array): Map<number, number> {
  const all = [...among].map((j) => {
    let z = p.encoderBias[j];
    for (let i = 0; i < width; i++)
      z += (x[r * width + i] - p.decoderBias[i]) * p.encoderWeight[j * width + i];
    return [j, z] as const;
  });
  return new Map(
    all
      .filter(([, z]) => z > 0)
      .sort((a, b) => b[1] - a[1])
      .slice(0, k),
  );
}

function reconstruct(p: Parameters, codes: Map<number, number>, bias: boolean): number[] {
  return Array.from({ length: width }, (_, i) => {
    let sum = bias ? p.decoderBias[i] : 0;
    for (const [j, f] of codes) sum += f * p.decoderWeight[j * width + i];
    return sum;
  });
}

function residuals(p: Parameters, x: Float32Array): number[][] {
  return Array.from({ length: rows }, (_, r) => {
    const output = reconstruct(p, activations(p, x, r, alive), true);
    return output.map((value, i) => x[r * width + i] - value);
  });
}

const meanSquare = (m: number[][]) => m.flat().reduce((sum, value) => sum + value * value, 0) / m.length;

/** The loss as the doc comments of gradients.ts and auxk.ts state it; AuxK's target and scale are given: constants. */
function loss(p: Parameters, x: Float32Array, target: number[][]): { reconstruction: number; aux: number } {
  const center = target[0].map((_, i) => target.reduce((sum, row) => sum + row[i], 0) / rows);
  const variance = meanSquare(target.map((row) => row.map((value, i) => value - center[i])));
  const left = target.map((row, r) => {
    const modelled = reconstruct(p, activations(p, x, r, dead), false);
    return row.map((value, i) => modelled[i] - value);
  });
  return { reconstruction: meanSquare(residuals(p, x)), aux: meanSquare(left) / variance };
}

describe.each([createReferenceBackend(), createNativeBackend()])('$name backend', (backend) => {
  it.each([1, 2, 3])('agrees with finite differences (seed %i)', async (seed) => {
    const made = await world(backend, seed);
    const { parameters, x } = made;
    const { result, gradient } = await gradientOf(backend, made, auxCoefficient);
    const target = residuals(parameters, x);
    const exact = loss(parameters, x, target);
    expect(result.loss.reconstruction).toBeCloseTo(exact.reconstruction, 4);
    expect(result.auxLoss).toBeCloseTo(exact.aux, 4);
    const mean = Array.from({ length: width }, (_, i) => x.filter((_, at) => at % width === i)).map(
      (column) => column.reduce((sum, value) => sum + value, 0) / rows,
    );
    const variance = x.reduce((sum, value, at) => sum + (value - mean[at % width]) ** 2, 0) / rows;
    expect(result.variance).toBeCloseTo(variance, 4);

    const total = () => {
      const { reconstruction, aux } = loss(parameters, x, target);
      return reconstruction + auxCoefficient * aux;
    };
    const step = 2e-4;
    for (const name of PARAMETER_NAMES) {
      const values = parameters[name];
      let checked = 0;
      for (let i = 0; i < values.length; i++) {
        const before = values[i];
        values[i] = before + step;
        const [above, high] = [total(), values[i]];
        values[i] = before - step;
        const [below, low] = [total(), values[i]];
        values[i] = before;
        const numeric = (above - below) / (high - low);
        // A step that changes the selection has no derivative; the two one-sided ones then differ.
        const [forward, backward] = [(above - total()) / (high - before), (total() - below) / (before - low)];
        if (Math.abs(forward - backward) > 0.05 * (1 + Math.abs(numeric))) continue;
        expect(Math.abs(gradient[name][i] - numeric), `${name}[${i}]`).toBeLessThan(
          2e-3 * (1 + Math.abs(numeric)),
        );
        checked++;
      }
      expect(checked).toBeGreaterThan(0.9 * values.length);
    }
  });

  it('lets AuxK reach encoder and decoder of dead latents, and only them', async () => {
    const made = await world(backend, 4);
    const gradients = await Promise.all(
      [0, auxCoefficient].map(async (coefficient) => (await gradientOf(backend, made, coefficient)).gradient),
    );
    const norm = (p: Record<string, Float32Array>, name: 'encoderWeight' | 'decoderWeight', j: number) =>
      Math.hypot(...p[name].subarray(j * width, (j + 1) * width));
    for (const name of ['encoderWeight', 'decoderWeight'] as const) {
      for (const latent of dead) expect(norm(gradients[0], name, latent)).toBe(0);
      expect([...dead].filter((latent) => norm(gradients[1], name, latent) > 1e-6).length).toBeGreaterThan(2);
      for (const latent of alive) {
        expect(norm(gradients[1], name, latent)).toBeCloseTo(norm(gradients[0], name, latent), 5);
      }
    }
  });
});
