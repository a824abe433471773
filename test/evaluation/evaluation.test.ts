/** Evaluation against sums made by hand, on a tiny transformer, and against what must hold for special dictionaries. */
import { describe, expect, it } from 'vitest';
import { type Corpus, hashedCorpus, sequence } from '../../src/activations/corpus.ts';
import { modelSource } from '../../src/activations/harvest.ts';
import { type Dictionary, decode, encode } from '../../src/dictionaries/dictionary.ts';
import { densityHistogram, measure } from '../../src/evaluation/metrics.ts';
import { randomDictionary } from '../../src/evaluation/nulls/random.ts';
import { spliceAll } from '../../src/evaluation/splice.ts';
import { emptySums, firingFrequency, type GroupSums } from '../../src/evaluation/sums.ts';
import { drawResamples } from '../../src/math/bootstrap.ts';
import { Random } from '../../src/math/random.ts';
import { tinyModel } from '../activations/tinyModel.ts';

const model = tinyModel(3);
const { backend } = model;
const width = 8;
const hook = 'blocks.0.hook_resid_post';

/** 20 documents of one or two sequences, of 3 to 12 tokens each. */
function ragged(): Corpus {
  const random = new Random(9);
  const [tokens, offsets, documents]: number[][] = [[], [0], []];
  for (let document = 0; document < 20; document++) {
    for (let s = 0; s <= document % 2; s++) {
      tokens.push(1, ...Array.from({ length: 2 + random.below(10) }, () => 2 + random.below(14)));
      offsets.push(tokens.length);
      documents.push(document);
    }
  }
  return hashedCorpus({
    name: 'ragged',
    description: 'random tokens',
    modelGenerated: false,
    tokens: Int32Array.from(tokens),
    offsets: Uint32Array.from(offsets),
    documents: Uint32Array.from(documents),
  });
}

const corpus = ragged();
const all = Uint32Array.from(corpus.documents.keys());
const { activations: x, rows } = await modelSource(model, corpus, all, hook).read(all);
const mean = Float32Array.from({ length: width }, (_, i) => {
  let sum = 0;
  for (let r = 0; r < rows; r++) sum += x[r * width + i];
  return sum / rows;
});

function dictionaryOf(
  decoderWeight: Float32Array,
  encoderWeight: Float32Array,
  k: number,
  bias = new Float32Array(width),
): Dictionary {
  const latents = decoderWeight.length / width;
  return {
    width,
    outputWidth: width,
    latents,
    encoderWeight,
    encoderBias: new Float32Array(latents),
    decoderWeight,
    decoderBias: bias,
    inputBias: bias,
    selection: { kind: 'topk', k },
  };
}

/** Both signs of every axis: reconstructs anything exactly. */
function lossless(): Dictionary {
  const weight = new Float32Array(2 * width * width);
  for (let i = 0; i < width; i++) {
    weight[2 * i * width + i] = 1;
    weight[(2 * i + 1) * width + i] = -1;
  }
  return dictionaryOf(weight, weight, 2 * width);
}

/** Latents that never fire: reconstructs the mean. */
const silent = dictionaryOf(new Float32Array(3 * width), new Float32Array(3 * width), 3, mean);

const partial = await randomDictionary(backend, { latents: 30, k: 3, seed: 4 }, mean, x, rows);
const splice = (sequences = all) =>
  spliceAll({
    model,
    site: { inputs: [hook], outputs: [hook] },
    corpus,
    sequences,
    dictionaries: { lossless: lossless(), silent, partial },
    mean,
  });
const { sums, documents } = await splice();
const draws = drawResamples(sums.partial.groups, 300, new Random(1));
const measured = (of: GroupSums) => measure(of, draws);

it('counts documents, activations and predictions', () => {
  expect(documents).toBe(20);
  expect(sums.partial.tokens.reduce((a, b) => a + b)).toBe(rows);
  expect(sums.partial.predictions.reduce((a, b) => a + b)).toBe(corpus.tokens.length - all.length);
});

describe('special dictionaries', () => {
  it('a lossless one changes nothing: EV 1, KL 0, all recovered', () => {
    const {
      explainedVariance,
      klSpliced,
      recoveredZero,
      recoveredMean,
      crossEntropyModel,
      crossEntropySpliced,
    } = measured(sums.lossless);
    expect(explainedVariance.value).toBeCloseTo(1, 5);
    expect(klSpliced.value).toBeCloseTo(0, 5);
    expect(crossEntropySpliced.value).toBeCloseTo(crossEntropyModel.value, 4);
    for (const share of [recoveredZero, recoveredMean]) {
      if (Number.isFinite(share.value)) expect(share.value).toBeCloseTo(1, 2);
    }
  });

  it('one that never fires is mean ablation: EV 0, all latents dead, nothing recovered', () => {
    const { explainedVariance, deadFraction, l0, crossEntropySpliced, crossEntropyMean } = measured(
      sums.silent,
    );
    expect(explainedVariance.value).toBeCloseTo(0, 4);
    expect(deadFraction.value).toBe(1);
    expect(l0.value).toBe(0);
    expect(crossEntropySpliced.value).toBeCloseTo(crossEntropyMean.value, 4);
    expect(densityHistogram(sums.silent).silent).toBe(3);
  });
});

it('agrees with the definitions, computed apart', async () => {
  const codes = await encode(backend, partial, x, rows);
  const output = await decode(backend, partial, codes, x);
  let [error, variance] = [0, 0];
  for (let i = 0; i < rows * width; i++) {
    error += (x[i] - output[i]) ** 2;
    variance += (x[i] - mean[i % width]) ** 2;
  }
  const { fvu, explainedVariance, l0, crossEntropyModel } = measured(sums.partial);
  expect(fvu.value).toBeCloseTo(error / variance, 5);
  expect(explainedVariance.value).toBeCloseTo(1 - error / variance, 5);
  expect(explainedVariance.low).toBeLessThanOrEqual(explainedVariance.value);
  expect(explainedVariance.high).toBeGreaterThanOrEqual(explainedVariance.value);
  expect(l0.value).toBeCloseTo(codes.values.length / rows, 10);
  const counted = new Float64Array(30);
  for (const latent of codes.indices) counted[latent] += 1 / rows;
  firingFrequency(sums.partial).forEach((frequency, j) => {
    expect(frequency).toBeCloseTo(counted[j], 10);
  });

  let [nats, predictions] = [0, 0];
  for (const s of all) {
    const tokens = sequence(corpus, s);
    const run = await model.run(tokens.slice(), {
      batch: 1,
      length: tokens.length,
      capture: ['ln_final.hook_normalized'],
    });
    const logits = await model.logits(run.get('ln_final.hook_normalized')!, tokens.length);
    for (let t = 0; t + 1 < tokens.length; t++) {
      const row = logits.subarray(t * 16, (t + 1) * 16);
      nats += Math.log(row.reduce((sum, z) => sum + Math.exp(z), 0)) - row[tokens[t + 1]];
      predictions++;
    }
  }
  expect(crossEntropyModel.value).toBeCloseTo(nats / predictions, 4);
});

it('does not depend on the order or the grouping of sequences', async () => {
  const halves = await Promise.all([all.subarray(0, 11), all.subarray(11)].map((part) => splice(part)));
  const total = (name: string, of: Record<string, GroupSums>) =>
    of[name].squaredError.reduce((a, b) => a + b, 0);
  for (const name of Object.keys(sums)) {
    const apart = halves.reduce((sum, half) => sum + total(name, half.sums), 0);
    expect(apart).toBeCloseTo(total(name, sums), 4);
  }
});

it('is blind to a constant that is added to all activations', () => {
  const shifted = (by: number): GroupSums => {
    const s = emptySums(4, 1, 2);
    const random = new Random(2);
    for (let i = 0; i < 400; i++) {
      const value = random.normal() + by;
      const group = i % 4;
      s.tokens[group] += 1;
      s.total[group] += value;
      s.squaredNorm[group] += value * value;
      s.squaredError[group] += 0.3;
      s.predictions[group] += 1;
    }
    return s;
  };
  const four = drawResamples(4, 100, new Random(1));
  const [a, b] = [measure(shifted(0), four), measure(shifted(50), four)];
  expect(b.explainedVariance.value).toBeCloseTo(a.explainedVariance.value, 6);
  expect(b.explainedVariance.low).toBeCloseTo(a.explainedVariance.low, 6);
});

it('calls a share of no gap not identified', () => {
  const s = emptySums(6, 1, 1);
  for (let g = 0; g < 6; g++) {
    s.tokens[g] = s.predictions[g] = s.squaredNorm[g] = 10;
    // The model does no better than its ablation.
    for (const [variant, nats] of Object.entries({
      model: 30 + (g % 2),
      spliced: 30,
      zero: 30.5,
      mean: 30 + (g % 3),
    })) {
      s.crossEntropy[variant as keyof typeof s.crossEntropy][g] = nats;
    }
  }
  const { recoveredZero, recoveredMean } = measure(s, drawResamples(6, 200, new Random(1)));
  expect(recoveredZero.value).toBeNaN();
  expect(recoveredMean.low).toBeNaN();
});

describe('dead and dense fractions', () => {
  const sampleOf = (frequencies: number[], seed: number) => {
    const groups = 60;
    const perGroup = 100;
    const s = emptySums(groups, 1, frequencies.length);
    const random = new Random(seed);
    for (let g = 0; g < groups; g++) {
      s.tokens[g] = s.predictions[g] = s.squaredNorm[g] = perGroup;
      frequencies.forEach((p, j) => {
        for (let t = 0; t < perGroup; t++)
          if (random.uniform() < p) s.firings[g * frequencies.length + j] += 1;
      });
    }
    return s;
  };
  it('count latents by what they do, with intervals that hold the value', () => {
    const s = sampleOf([0, 0, 0, 1e-4, 2e-4, 0.01, 0.05, 0.3, 0.6, 0.09], 5);
    const { deadFraction, denseFraction } = measure(s, drawResamples(60, 200, new Random(3)));
    const fired = firingFrequency(s);
    expect(deadFraction.value).toBeCloseTo(fired.filter((f) => f === 0).length / 10, 10);
    expect(deadFraction.low).toBeLessThanOrEqual(deadFraction.value);
    expect(deadFraction.high).toBeGreaterThanOrEqual(deadFraction.value);
    expect(denseFraction.value).toBeCloseTo(fired.filter((f) => f > 0.1).length / 10, 10);
    expect(denseFraction.high).toBeGreaterThanOrEqual(denseFraction.low);
  });
});

it('gives no interval from a single document', () => {
  const s = emptySums(1, 1, 2);
  s.tokens[0] = s.predictions[0] = s.squaredNorm[0] = 10;
  s.firings[0] = 3;
  const { deadFraction, l0 } = measure(s, drawResamples(1, 50, new Random(1)));
  expect(deadFraction.value).toBe(0.5);
  expect(deadFraction.low).toBeNaN();
  expect(l0.high).toBeNaN();
});

it('fits the random dictionary with the gain that is best', async () => {
  const errorWith = async (factor: number) => {
    const scaled = { ...partial, encoderWeight: partial.encoderWeight.map((value) => factor * value) };
    const output = await decode(backend, scaled, await encode(backend, scaled, x, rows), x);
    return output.reduce((sum, value, i) => sum + (value - x[i]) ** 2, 0);
  };
  const best = await errorWith(1);
  expect(await errorWith(0.95)).toBeGreaterThan(best);
  expect(await errorWith(1.05)).toBeGreaterThan(best);
  const { explainedVariance } = measured(sums.partial);
  expect(explainedVariance.value).toBeGreaterThan(0);
});
