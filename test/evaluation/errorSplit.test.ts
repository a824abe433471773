import { describe, expect, test } from 'vitest';
import type { Dictionary } from '../../src/dictionaries/dictionary.ts';
import { type ErrorSplit, splitError } from '../../src/evaluation/errorSplit.ts';
import { loadBackend } from '../../src/kernels/index.ts';
import { drawResamples } from '../../src/math/bootstrap.ts';
import { Random } from '../../src/math/random.ts';
import { orthogonalToy } from '../../src/toy/orthogonal.ts';
import { tiedDictionary, trueDictionary } from './dictionaries.ts';

const backend = loadBackend();
const toy = orthogonalToy(1);
const { directions, width } = toy;
const samples = await toy.draw(backend, 0, 768);
const draws = drawResamples(16, 100, new Random(1));
const split = (dictionary: Dictionary, with_ = samples) =>
  splitError(backend, dictionary, { directions, samples: with_ }, draws);
const reading = ({ readings }: ErrorSplit, dictionary: 'learned' | 'true', reader: string) =>
  readings.find((one) => one.dictionary === dictionary && one.reader === reader)!;

describe('splitError', () => {
  test('the truth, read well: no error of either kind', async () => {
    const found = await split(trueDictionary(toy));
    for (const part of [found.fvu.encoder, found.fvu.dictionary, found.f1.encoder, found.f1.dictionary])
      expect(Math.abs(part.value)).toBeLessThan(0.01);
    for (const { fvu, f1 } of found.readings) {
      expect(fvu.value).toBeLessThan(0.02);
      expect(f1.value).toBeGreaterThan(0.98);
    }
  });

  test('right directions behind a wrong encoder: all of it is the encoder’s', async () => {
    const encoderWeight = new Float32Array(directions.length);
    new Random(2, 'encoder').fillNormal(encoderWeight, 0.1);
    const found = await split({ ...trueDictionary(toy), encoderWeight, selection: { kind: 'topk', k: 11 } });
    expect(found.fvu.encoder.low).toBeGreaterThan(0.3);
    expect(found.f1.encoder.low).toBeGreaterThan(0.3);
    expect(Math.abs(found.fvu.dictionary.value)).toBeLessThan(0.01);
    expect(Math.abs(found.f1.dictionary.value)).toBeLessThan(0.01);
  });

  test('random directions: most of it is the dictionary’s, whoever reads them', async () => {
    const weight = new Float32Array(directions.length);
    new Random(3, 'directions').fillNormal(weight, 0.1);
    const found = await split(tiedDictionary(weight, width, { kind: 'topk', k: 11 }));
    expect(found.fvu.dictionary.low).toBeGreaterThan(0.3);
    expect(found.f1.dictionary.low).toBeGreaterThan(0.5);
    expect(found.f1.encoder.value).toBeLessThan(0.1);
  });

  test('what the true features explain at a given L0', async () => {
    // Of the strongest products of a batch, k a sample: with another seed's directions and 15 million samples .159, .656 and .940.
    for (const [k, explained] of [
      [3, 0.159],
      [7, 0.656],
      [10, 0.94],
    ]) {
      const found = await split(tiedDictionary(directions, width, { kind: 'topk', k }));
      const truth = reading(found, 'true', 'encoder');
      expect(truth.l0).toBeCloseTo(k, 1);
      expect(Math.abs(1 - truth.fvu.value - explained)).toBeLessThan(0.03);
    }
  });

  test('parts and readings add up, and intervals hold the values', async () => {
    const found = await split(tiedDictionary(directions, width, { kind: 'topk', k: 7 }));
    const fvu = (dictionary: 'learned' | 'true', reader: string) =>
      reading(found, dictionary, reader).fvu.value;
    const best = (dictionary: 'learned' | 'true') =>
      Math.min(fvu(dictionary, 'lasso'), fvu(dictionary, 'pursuit'));
    expect(found.fvu.encoder.value).toBeCloseTo(fvu('learned', 'encoder') - best('learned'), 10);
    expect(found.fvu.dictionary.value).toBeCloseTo(best('learned') - best('true'), 10);
    for (const { fvu, f1 } of found.readings) {
      for (const { low, value, high, n } of [fvu, f1]) {
        expect(low).toBeLessThanOrEqual(value);
        expect(high).toBeGreaterThanOrEqual(value);
        expect(n).toBe(16);
      }
    }
  });

  test('rows of any length and a bias change nothing', async () => {
    const shift = new Float32Array(width).fill(0.5);
    const moved = { ...samples, x: samples.x.map((value, i) => value + shift[i % width]) };
    const twice = {
      ...trueDictionary(toy, 0.15),
      encoderWeight: directions.map((value) => value / 2),
      decoderWeight: directions.map((value) => value * 2),
      decoderBias: shift,
      inputBias: shift,
    };
    const [plain, other] = [await split(trueDictionary(toy)), await split(twice, moved)];
    plain.readings.forEach(({ fvu, f1 }, i) => {
      expect(other.readings[i].fvu.value).toBeCloseTo(fvu.value, 2);
      expect(other.readings[i].f1.value).toBeCloseTo(f1.value, 2);
    });
  });

  test('a dictionary that never fires explains nothing and finds nothing', async () => {
    const found = await split(trueDictionary(toy, 1e9));
    expect(reading(found, 'learned', 'encoder').l0).toBe(0);
    expect(reading(found, 'learned', 'encoder').f1.value).toBe(0);
    expect(reading(found, 'learned', 'pursuit').l0).toBe(0);
    expect(reading(found, 'learned', 'encoder').fvu.value).toBeGreaterThanOrEqual(1);
  });

  test('only of plain autoencoders', async () => {
    const skip = new Float32Array(width * width);
    await expect(split({ ...trueDictionary(toy), skip })).rejects.toThrow('without skip path');
  });
});
