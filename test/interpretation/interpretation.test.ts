/** Examples and token logits against slow exact versions. */
import { describe, expect, it } from 'vitest';
import { memorySource } from '../../src/activations/memory.ts';
import { type Dictionary, encode } from '../../src/dictionaries/dictionary.ts';
import { AFTER, BEFORE, collectExamples } from '../../src/interpretation/examples.ts';
import { tokenLogits } from '../../src/interpretation/logits.ts';
import { createNativeBackend } from '../../src/kernels/native.ts';
import { Random } from '../../src/math/random.ts';

const backend = createNativeBackend();
const [width, latents, sequences, length] = [6, 18, 40, 25];
const rows = sequences * length;
const random = new Random(11);
const normals = (n: number) => {
  const values = new Float32Array(n);
  random.fillNormal(values, 1);
  return values;
};

const dictionary: Dictionary = {
  width,
  outputWidth: width,
  latents,
  encoderWeight: normals(latents * width),
  encoderBias: new Float32Array(latents).map((_, j) => (j === 5 ? -1e9 : 0)),
  decoderWeight: normals(latents * width),
  decoderBias: new Float32Array(width),
  selection: { kind: 'topk', k: 4 },
};
const activations = normals(rows * width);
const sequenceOf = Int32Array.from({ length: rows }, (_, r) => Math.floor(r / length));
const tokens = Int32Array.from({ length: rows }, () => random.below(100));
const source = memorySource({ width, activations, tokens, sequences: sequenceOf });
const collect = (sequencesAtOnce: number, seed = 1) =>
  collectExamples({ backend, dictionary, source, top: 5, sampled: 30, seed, sequencesAtOnce });

const codes = await encode(backend, dictionary, activations, rows);
const dense = new Float32Array(rows * latents);
for (let r = 0; r < rows; r++) {
  for (let e = codes.offsets[r]; e < codes.offsets[r + 1]; e++)
    dense[r * latents + codes.indices[e]] = codes.values[e];
}
const firingsOf = (latent: number) =>
  Array.from({ length: rows }, (_, row) => ({ row, value: dense[row * latents + latent] })).filter(
    ({ value }) => value > 0,
  );

describe('examples', () => {
  it('count, measure and rank the firings of every latent', async () => {
    const { latents: found, tokens: read } = await collect(7);
    expect(read).toBe(rows);
    for (let j = 0; j < latents; j++) {
      const exact = firingsOf(j);
      expect(found[j].firings).toBe(exact.length);
      expect(found[j].maxActivation).toBe(Math.max(0, ...exact.map(({ value }) => value)));
      const mean = exact.reduce((sum, { value }) => sum + value, 0) / Math.max(1, exact.length);
      expect(found[j].meanActivation).toBeCloseTo(mean, 5);
      const strongest = exact
        .map(({ value }) => value)
        .sort((a, b) => b - a)
        .slice(0, 5);
      expect(found[j].top.map(({ activation }) => activation)).toEqual(strongest);
    }
    expect(found[5]).toMatchObject({ firings: 0, top: [], quantiles: Array.from({ length: 10 }, () => []) });
  });

  it('carry the text around the token and the latent’s activation at each of its tokens', async () => {
    const { latents: found } = await collect(7);
    for (const [j, { top, quantiles }] of found.entries()) {
      for (const firing of [...top, ...quantiles.flat()]) {
        const row = firing.sequence * length + firing.position;
        const from = Math.max(firing.sequence * length, row - BEFORE);
        const to = Math.min((firing.sequence + 1) * length - 1, row + AFTER);
        expect([...firing.tokens]).toEqual([...tokens.subarray(from, to + 1)]);
        expect(firing.focus).toBe(row - from);
        expect(firing.activation).toBe(dense[row * latents + j]);
        expect([...firing.activations]).toEqual(
          Array.from({ length: to - from + 1 }, (_, i) => dense[(from + i) * latents + j]),
        );
      }
    }
  });

  it('split the sample into ascending tenths', async () => {
    const { latents: found } = await collect(7);
    for (const { quantiles, firings } of found) {
      expect(quantiles.flat().length).toBe(Math.min(30, firings));
      const values = quantiles.flat().map(({ activation }) => activation);
      expect(
        Math.max(...quantiles.map((q) => q.length)) - Math.min(...quantiles.map((q) => q.length)),
      ).toBeLessThanOrEqual(1);
      expect(values).toEqual([...values].sort((a, b) => a - b));
    }
  });

  it('are the same however the data is cut, and another sample for another seed', async () => {
    expect(await collect(1)).toEqual(await collect(40));
    const [a, b] = [await collect(7, 1), await collect(7, 2)];
    expect(a.latents[0].quantiles).not.toEqual(b.latents[0].quantiles);
    expect(a.latents[0].top).toEqual(b.latents[0].top);
  });

  it('are a uniform sample: each firing is as likely as any other', async () => {
    const counts = new Map<number, number>();
    const trials = 200;
    for (let seed = 0; seed < trials; seed++) {
      const { latents: found } = await collect(40, seed);
      for (const { sequence, position } of found[2].quantiles.flat()) {
        const row = sequence * length + position;
        counts.set(row, (counts.get(row) ?? 0) + 1);
      }
    }
    const exact = firingsOf(2);
    const expected = (trials * 30) / exact.length;
    const chiSquare = exact.reduce(
      (sum, { row }) => sum + ((counts.get(row) ?? 0) - expected) ** 2 / expected,
      0,
    );
    // A sample without replacement varies less than the chi-square distribution with as many degrees of freedom.
    expect(chiSquare).toBeLessThan(exact.length + 4 * Math.sqrt(2 * exact.length));
    expect(counts.size).toBe(exact.length);
  });
});

it('names the tokens that a latent promotes and suppresses', async () => {
  const vocabulary = 50;
  const unembedding = normals(vocabulary * width).map((value) => value + 3);
  const { promoted, suppressed } = await tokenLogits(backend, dictionary, unembedding, 4);
  for (let j = 0; j < latents; j++) {
    const logits = Array.from({ length: vocabulary }, (_, t) => {
      let sum = 0;
      for (let i = 0; i < width; i++)
        sum += dictionary.decoderWeight[j * width + i] * unembedding[t * width + i];
      return sum;
    });
    const mean = logits.reduce((a, b) => a + b) / vocabulary;
    const order = logits
      .map((logit, token) => ({ token, logit: logit - mean }))
      .sort((a, b) => b.logit - a.logit);
    expect([...promoted[j].tokens]).toEqual(order.slice(0, 4).map(({ token }) => token));
    expect([...suppressed[j].tokens]).toEqual(
      order
        .slice(-4)
        .reverse()
        .map(({ token }) => token),
    );
    expect(promoted[j].logits[0]).toBeCloseTo(order[0].logit, 3);
    expect(suppressed[j].logits[0]).toBeCloseTo(order.at(-1)!.logit, 3);
  }
});
