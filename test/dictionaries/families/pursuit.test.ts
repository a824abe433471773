/** Matching pursuit as a family: its gradient through the rounds, and its training. */
import { describe, expect, it } from 'vitest';
import { encode } from '../../../src/dictionaries/dictionary.ts';
import { pursuit } from '../../../src/dictionaries/families/pursuit.ts';
import type { Backend } from '../../../src/kernels/backend.ts';
import type { Rows } from '../../../src/training/gradients.ts';
import { checkOptions } from '../../../src/training/options.ts';
import { currentDictionary, initialState } from '../../../src/training/state.ts';
import { trainStep } from '../../../src/training/step.ts';
import { createWorkspace } from '../../../src/training/workspace.ts';
import {
  backends,
  expectGradient,
  gradientOf,
  optionsFor,
  randomWorld,
  rows,
  width,
} from './gradientCheck.ts';
import { atTheEnd, trainSmall } from './smallWorld.ts';

const dictionary = { family: 'pursuit', latents: 12, k: 4, residual: 0 } as const;
const options = optionsFor(pursuit, dictionary);

describe.each(backends)('pursuit on the $name backend', (backend) => {
  it.each([1, 2, 3])('agrees with finite differences (seed %i)', async (seed) => {
    await expectGradient(backend, await randomWorld(backend, options, seed), [
      'decoderWeight',
      'decoderBias',
    ]);
  });

  it('agrees where tokens stop after different numbers of rounds', async () => {
    const world = await randomWorld(
      backend,
      optionsFor(pursuit, { ...dictionary, k: 7, residual: 1.2 } as never),
      4,
    );
    const { offsets } = (await gradientOf(backend, world)).result.loss.codes;
    const taken = new Set(Array.from({ length: rows }, (_, r) => offsets[r + 1] - offsets[r]));
    expect(taken.size).toBeGreaterThan(2);
    await expectGradient(backend, world, ['decoderWeight', 'decoderBias']);
  });

  it('has the gradient of the product of Jacobians, written out in float64', async () => {
    const world = await randomWorld(backend, options, 5);
    const { gradient, result } = await gradientOf(backend, world);
    const expected = jacobianGradient(world.state.parameters.decoderWeight, result.batch.input);
    expected.forEach((value, i) => {
      expect(Math.abs(gradient.decoderWeight[i] - value)).toBeLessThan(1e-4 * (1 + Math.abs(value)));
    });
  });

  it('learns the features of a small world, in unit rows', async () => {
    const small = { family: 'pursuit', latents: 32, k: 3, residual: 0.01 };
    const { steps, cosine, randomCosine, dictionary } = await trainSmall(backend, pursuit, small);
    expect(atTheEnd(steps, ({ fvu }) => fvu)).toBeLessThan(0.5 * steps[0].fvu);
    expect(cosine).toBeGreaterThan(randomCosine + 0.2);
    expect(cosine).toBeGreaterThan(0.8);
    for (let j = 0; j < 32; j++)
      expect(Math.hypot(...dictionary.decoderWeight.subarray(j * 16, (j + 1) * 16))).toBeCloseTo(1, 5);
  });

  it('encodes in the end as in training', async () => {
    const world = await randomWorld(backend, options, 6);
    const { result } = await gradientOf(backend, world);
    const used = await currentDictionary(backend, world.state, options);
    const x = world.data.x.map((value) => value * world.data.scale);
    expect((await encode(backend, used, x, rows)).indices).toEqual(result.loss.codes.indices);
  });

  it('takes more latents with a larger k, and fewer with a larger residual', async () => {
    const l0 = async (change: object) => {
      const world = await randomWorld(backend, optionsFor(pursuit, { ...dictionary, ...change }), 7);
      return (await gradientOf(backend, world)).result.loss.codes.values.length / rows;
    };
    const byK = await Promise.all([1, 2, 4].map((k) => l0({ k })));
    expect(byK[0]).toBe(1);
    expect(byK[1]).toBeGreaterThan(byK[0]);
    expect(byK[2]).toBeGreaterThan(byK[1]);
    const byResidual = await Promise.all([0, 1, 2].map((residual) => l0({ k: 7, residual })));
    expect(byResidual[1]).toBeLessThan(byResidual[0]);
    expect(byResidual[2]).toBeLessThan(byResidual[1]);
  });

  it('clips by the norm of the gradient that it steps along, without what would lengthen rows', async () => {
    const world = await randomWorld(backend, options, 8);
    const { gradient } = await gradientOf(backend, world);
    const { decoderWeight } = world.state.parameters;
    let squares = gradient.decoderBias.reduce((sum, value) => sum + value * value, 0);
    for (let j = 0; j < 12; j++) {
      const g = gradient.decoderWeight.subarray(j * width, (j + 1) * width);
      const w = decoderWeight.subarray(j * width, (j + 1) * width);
      const along = g.reduce((sum, value, i) => sum + value * w[i], 0);
      squares += g.reduce((sum, value, i) => sum + (value - along * w[i]) ** 2, 0);
    }
    expect((await step(backend, world.state, world.data)).gradientNorm).toBeCloseTo(Math.sqrt(squares), 3);
  });

  it('refuses AuxK, a skip path and a transcoder, by name', async () => {
    expect(() => checkOptions({ ...options, auxCoefficient: 1 / 32 })).toThrow(/auxCoefficient.*pursuit/);
    expect(() => checkOptions({ ...options, skip: true })).toThrow(/training\.skip.*pursuit/);
    const transcoder = { width, center: new Float32Array(width), autoencoder: false };
    await expect(initialState(backend, options, transcoder)).rejects.toThrow(/transcoder/);
  });
});

function step(backend: Backend, state: Parameters<typeof trainStep>[2], data: Rows) {
  return trainStep(backend, options, state, data, createWorkspace(backend));
}

/**
 * The gradient by the product of the rounds' Jacobians, written down as matrices: `r_(t+1) = (I - d d^T) r_t`, of which
 * the derivative along a change e of d is `-(e d^T + d e^T) r_t`. The rounds are made again, with their stopping rules.
 */
function jacobianGradient(weight: Float32Array, x: Float32Array): Float64Array {
  const out = new Float64Array(weight.length);
  const dot = (a: ArrayLike<number>, b: ArrayLike<number>) => {
    let sum = 0;
    for (let i = 0; i < width; i++) sum += a[i] * b[i];
    return sum;
  };
  const d = (j: number) => weight.subarray(j * width, (j + 1) * width);
  const count = x.length / width;
  for (let row = 0; row < count; row++) {
    const residuals = [Float64Array.from(x.subarray(row * width, (row + 1) * width))];
    const chosen: number[] = [];
    while (chosen.length < dictionary.k && new Set(chosen).size === chosen.length) {
      const r = residuals[residuals.length - 1];
      const products = Array.from({ length: dictionary.latents }, (_, j) => dot(r, d(j)));
      const best = products.indexOf(Math.max(...products));
      if (products[best] <= 0) break;
      chosen.push(best);
      residuals.push(r.map((value, i) => value - products[best] * d(best)[i]));
    }
    const last = residuals[residuals.length - 1];
    for (let t = 0; t < chosen.length; t++) {
      for (let c = 0; c < width; c++) {
        // Push the change of d_t along axis c through the later rounds.
        const [r, row_] = [residuals[t], d(chosen[t])];
        let change = Float64Array.from(r, (_, i) => -(i === c ? dot(row_, r) : 0) - row_[i] * r[c]);
        for (const later of chosen.slice(t + 1)) {
          const along = dot(change, d(later));
          change = change.map((value, i) => value - along * d(later)[i]);
        }
        out[chosen[t] * width + c] += (2 / count) * dot(last, change);
      }
    }
  }
  return out;
}
