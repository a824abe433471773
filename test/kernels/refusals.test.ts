/** What the addon refuses of a training step's operands, by name, and the arrays that it gives. */
import { describe, expect, it } from 'vitest';
import { createNativeBackend } from '../../src/kernels/native.ts';
import type { Optimiser } from '../../src/kernels/trainingOperations.ts';
import { adam } from './latentGradients.ts';

describe('native arrays and refusals', () => {
  const native = createNativeBackend();

  it('allocates zeros', () => {
    for (const length of [0, 1, 1000, 3_000_000]) {
      const array = native.allocate(length);
      expect(array.length).toBe(length);
      expect(array.every((value) => value === 0)).toBe(true);
      array.fill(1);
    }
  });

  it('names a group that there is no room for', () => {
    const [x, table] = [new Float32Array(6), new Float64Array(4)];
    const weight = native.pack(new Float32Array(6), 2, 3);
    const group = Uint32Array.of(1, 2);
    expect(() => native.addMoments({ x, rows: 2, weight, group, second: table, fourth: table })).toThrow(
      /group\[1\]: 2, but second has room for 2 groups/,
    );
  });

  it.each([
    ['order.rows', { order: { rows: Uint32Array.of(9) } }, /order\.rows/],
    ['order.entries', { order: { entries: Uint32Array.of(1) } }, /order\.entries/],
    ['order.offsets', { order: { offsets: Uint32Array.of(2, 1, 1) } }, /order\.offsets/],
    ['outputGradient', { outputGradient: new Float32Array(5) }, /outputGradient: 5 elements.*needs 6/],
    ['values', { values: new Float32Array(0) }, /values/],
  ])('names %s where it does not fit', (_, change: object, message) => {
    const order = {
      columns: 2,
      offsets: Uint32Array.of(0, 1, 1),
      rows: Uint32Array.of(1),
      entries: Uint32Array.of(0),
    };
    const one = new Float32Array(1);
    const whole = {
      values: one,
      valueGradients: one,
      preGradients: one,
      outputGradient: new Float32Array(6),
    };
    const changed = { ...whole, ...change, order: { ...order, ...(change as { order?: object }).order } };
    const operands = {
      rows: 2,
      latents: 2,
      width: 3,
      outputWidth: 3,
      unitDecoder: true,
      input: new Float32Array(6),
      encoderWeight: new Float32Array(6),
      decoderWeight: new Float32Array(6),
      parts: [changed],
    };
    expect(() => native.measureLatentGradients({ ...operands, throughInput: new Float64Array(3) })).toThrow(
      message,
    );
  });

  it.each([
    [
      'everyRow',
      { everyRow: { coefficients: new Float32Array(1), inputSum: new Float32Array(3) } },
      /everyRow\.coef/,
    ],
    [
      'everyRow',
      { everyRow: { coefficients: new Float32Array(2), inputSum: new Float32Array(2) } },
      /everyRow\.inputSum/,
    ],
    [
      'bounds',
      { alongDecoder: { coefficients: new Float32Array(2), bounds: Uint32Array.of(0, 4) } },
      /bounds: past/,
    ],
    [
      'bounds',
      { alongDecoder: { coefficients: new Float32Array(4), bounds: Uint32Array.of(0, 2, 1) } },
      /descend/,
    ],
    [
      'coefficients',
      { alongDecoder: { coefficients: new Float32Array(1), bounds: Uint32Array.of(0, 3) } },
      /coefficients: 1 el/,
    ],
    [
      'unitDecoder',
      {
        unitDecoder: true,
        alongDecoder: { coefficients: new Float32Array(2), bounds: Uint32Array.of(0, 3) },
      },
      /unitDecoder/,
    ],
    ['decoderWeight', { outputWidth: 4 }, /decoderWeight: 6 elements.*needs 8/],
  ])('names %s of what all rows of a latent have in common', (_, change: object, message) => {
    const one = new Float32Array(0);
    const [offsets, none] = [new Uint32Array(3), new Uint32Array(0)];
    const operands = {
      rows: 2,
      latents: 2,
      width: 3,
      outputWidth: 3,
      unitDecoder: false,
      input: new Float32Array(6),
      encoderWeight: new Float32Array(6),
      decoderWeight: new Float32Array(6),
      parts: [
        {
          values: one,
          valueGradients: one,
          preGradients: one,
          outputGradient: new Float32Array(6),
          order: { columns: 2, offsets, rows: none, entries: none },
        },
      ],
      ...change,
    };
    expect(() => native.measureLatentGradients({ ...operands, throughInput: new Float64Array(3) })).toThrow(
      message,
    );
  });

  it('refuses an optimiser that cannot step', () => {
    const one = new Float32Array(1);
    const [gradient, trained] = [one, { parameter: one, m: one, v: new Float32Array() }];
    const signum: Optimiser = { kind: 'signum', step: 1, rate: 1, momentum: 0 };
    expect(() => native.stepArray({ optimiser: signum, trained, gradient })).toThrow(/momentum/);
    expect(() => native.stepArray({ optimiser: { ...signum, step: 0 }, trained, gradient })).toThrow(/step/);
    expect(() => native.stepArray({ optimiser: adam, trained, gradient })).toThrow(/trained\.v: 0 elements/);
  });
});
