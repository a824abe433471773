/** Dictionaries of random numbers, what they compute, and where the files of other software are. */
import { join } from 'node:path';
import { expect } from 'vitest';
import { type Dictionary, decode, encode, type Selection } from '../../../src/dictionaries/dictionary.ts';
import { readSafetensors } from '../../../src/formats/safetensors.ts';
import type { Backend, SparseRows } from '../../../src/kernels/backend.ts';
import { createReferenceBackend } from '../../../src/kernels/reference.ts';
import { Random } from '../../../src/math/random.ts';

export const FIXTURES = new URL('../../fixtures/saes/', import.meta.url).pathname;

const [WIDTH, LATENTS] = [8, 24];

/** A dictionary with a bias at both ends that is the same, unless `parts` say otherwise. */
export function randomDictionary(
  selection: Selection,
  parts: Partial<Dictionary> = {},
  seed = 5,
): Dictionary {
  const random = new Random(seed, 'interop');
  const normal = (count: number, size = 1) => {
    const values = new Float32Array(count);
    random.fillNormal(values, size);
    return values;
  };
  const { width = WIDTH, latents = LATENTS } = parts;
  const outputWidth = parts.outputWidth ?? width;
  const decoderWeight = normal(latents * outputWidth);
  const bias = normal(outputWidth);
  const encoderWeight = selection.kind === 'pursuit' ? decoderWeight : normal(latents * width);
  return {
    width,
    outputWidth,
    latents,
    encoderWeight,
    encoderBias: selection.kind === 'pursuit' ? new Float32Array(latents) : normal(latents, 0.1),
    decoderWeight,
    decoderBias: bias,
    inputBias: bias,
    selection,
    ...parts,
  };
}

export function withoutInputBias({ inputBias: _, ...rest }: Dictionary): Dictionary {
  return rest;
}

export function normalRows(rows: number, width: number, seed = 9): Float32Array {
  const x = new Float32Array(rows * width);
  new Random(seed, 'rows').fillNormal(x, 1);
  return x;
}

export function dense(codes: SparseRows, latents: number): Float32Array {
  const out = new Float32Array(codes.rows * latents);
  for (let r = 0; r < codes.rows; r++) {
    for (let e = codes.offsets[r]; e < codes.offsets[r + 1]; e++)
      out[r * latents + codes.indices[e]] = codes.values[e];
  }
  return out;
}

export interface Outputs {
  readonly latents: Float32Array;
  readonly reconstruction: Float32Array;
}

export async function outputs(
  dictionary: Dictionary,
  x: Float32Array,
  backend: Backend = createReferenceBackend(),
): Promise<Outputs> {
  const codes = await encode(backend, dictionary, x, x.length / dictionary.width);
  const reconstruction = await decode(backend, dictionary, codes, x);
  return { latents: dense(codes, dictionary.latents), reconstruction };
}

/** What the other software computed of its own file, and from which input. */
export async function golden(dir: string): Promise<Outputs & { x: Float32Array }> {
  const tensors = await readSafetensors(join(FIXTURES, dir, 'golden.safetensors'));
  const take = (name: string) => tensors.get(name)!.data as Float32Array;
  return { x: take('x'), latents: take('latents'), reconstruction: take('reconstruction') };
}

export function expectSame(found: Outputs, expected: Outputs, tolerance: number): void {
  for (const part of ['latents', 'reconstruction'] as const) {
    expect(found[part].length).toBe(expected[part].length);
    const worst = found[part].reduce(
      (most, value, i) => Math.max(most, Math.abs(value - expected[part][i])),
      0,
    );
    expect(worst, part).toBeLessThan(tolerance);
  }
}
