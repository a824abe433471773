/** How many latents a direction serves, and where it is strongest: closed forms and slow exact versions. */
import { beforeAll, describe, expect, it } from 'vitest';
import { memorySource } from '../../../src/activations/memory.ts';
import { type Dictionary, encode } from '../../../src/dictionaries/dictionary.ts';
import { summariseKinds } from '../../../src/interpretation/atlas/directionKinds.ts';
import { directionsOf } from '../../../src/interpretation/atlas/directions.ts';
import { binOf, type Observed, observe } from '../../../src/interpretation/atlas/observe.ts';
import { ACTIVATION_BINS } from '../../../src/interpretation/atlas/shape.ts';
import { eachServed, type Served } from '../../../src/interpretation/atlas/shares.ts';
import { StrongestRows } from '../../../src/interpretation/atlas/strongestRows.ts';
import { AFTER, BEFORE } from '../../../src/interpretation/examples.ts';
import { createNativeBackend } from '../../../src/kernels/native.ts';
import { jackknifeInterval } from '../../../src/math/jackknife.ts';
import { Random } from '../../../src/math/random.ts';

const backend = createNativeBackend({ threads: 2 });

function normals(count: number, seed: number): Float32Array {
  const values = new Float32Array(count);
  new Random(seed, 'test').fillNormal(values, 1);
  return values;
}

async function servedBy(
  decoder: Float32Array,
  width: number,
  energies: Float64Array,
  directions: Float32Array,
  on = backend,
): Promise<Served[]> {
  const served: Served[] = [];
  const groups = (energies.length / decoder.length) * width;
  await eachServed(on, { directions, decoder, width, energies, groups, listed: 10 }, (_, one) =>
    served.push(one),
  );
  return served;
}

describe('the effective number of latents of a direction', () => {
  it('is m where m latents serve it alike, with an interval of nothing where all documents agree', async () => {
    const [width, latents] = [4, 9];
    for (const m of [1, 3, 9]) {
      // The first m rows have 1/2 along the first axis, of either sign; the others none.
      const decoder = new Float32Array(latents * width);
      for (let i = 0; i < latents; i++) {
        decoder[i * width] = i < m ? 0.5 * (-1) ** i : 0;
        decoder[i * width + 1] = 1;
      }
      const [one] = await servedBy(
        decoder,
        width,
        new Float64Array(5 * latents).fill(2),
        Float32Array.of(1, 0, 0, 0),
      );
      expect(one.effective).toBeCloseTo(m, 12);
      expect(one.low).toBeCloseTo(m, 4);
      expect(one.high).toBeCloseTo(m, 4);
      expect(one.features).toBe(m);
      expect(one.latents).toEqual([...Array(m).keys()]);
      for (const share of one.shares) expect(share).toBeCloseTo(1 / m, 12);
    }
  });

  it('is 1 of neurons and of latents, and more of a rotation, where the decoder is the axes', async () => {
    const width = 16;
    const decoder = new Float32Array(width * width);
    for (let i = 0; i < width; i++) decoder[i * width + i] = 1;
    const energies = new Float64Array(8 * width).fill(1);
    const { names, unit } = directionsOf(decoder, width, (latent) => latent !== 3, 1);
    expect(names.map(({ kind }) => kind)).toEqual(
      ['neuron', 'rotation'].flatMap((kind) => new Array(16).fill(kind)).concat(new Array(15).fill('latent')),
    );
    expect(names.slice(32).map(({ index }) => index)).not.toContain(3);
    const served = await servedBy(decoder, width, energies, unit);
    const { kinds, gaps } = summariseKinds(names, served);
    expect(kinds.map(({ kind, directions }) => [kind, directions])).toEqual([
      ['neuron', 16],
      ['rotation', 16],
      ['latent', 15],
    ]);
    expect(kinds[0].effective.value).toBeCloseTo(1, 12);
    expect(kinds[2].effective.value).toBeCloseTo(1, 12);
    expect(kinds[1].effective.value).toBeGreaterThan(4);
    // Of energies that are all alike, an axis serves as many latents as it is spread over coordinates.
    const axis = unit.subarray(16 * width, 17 * width);
    const nats = axis.reduce((sum, u) => sum - u * u * Math.log(u * u), 0);
    expect(served[16].effective).toBeCloseTo(Math.exp(nats), 4);
    expect(gaps.map(({ of, less }) => [of, less])).toEqual([
      ['neuron', 'rotation'],
      ['neuron', 'latent'],
    ]);
    expect(gaps[0].effective.high).toBeLessThan(0);
    expect(gaps[1].effective.value).toBeCloseTo(0, 12);
  });

  it('is what summing contributions token by token gives, with the jackknife over documents', async () => {
    const [width, latents, rows, groups] = [6, 12, 200, 5];
    const decoder = normals(latents * width, 1);
    const codes = normals(rows * latents, 2).map((value) => Math.max(0, value - 0.5));
    const directions = normals(3 * width, 3);
    await backend.unitRows({ weight: directions, rows: 3, width });
    const effectiveOf = (u: Float32Array, keeps: (row: number) => boolean) => {
      const masses = new Float64Array(latents);
      for (let t = 0; t < rows; t++)
        for (let i = 0; keeps(t) && i < latents; i++) {
          let along = 0;
          for (let c = 0; c < width; c++) along += decoder[i * width + c] * u[c];
          masses[i] += (codes[t * latents + i] * along) ** 2;
        }
      const sum = masses.reduce((a, b) => a + b);
      return {
        nats: masses.reduce((h, m) => (m > 0 ? h - (m / sum) * Math.log(m / sum) : h), 0),
        masses,
        sum,
      };
    };
    const energies = new Float64Array(groups * latents);
    codes.forEach((value, at) => {
      energies[(Math.floor(at / latents) % groups) * latents + (at % latents)] += value ** 2;
    });
    const served = await servedBy(decoder, width, energies, directions);
    for (const [d, one] of served.entries()) {
      const u = directions.subarray(d * width, (d + 1) * width);
      const { nats, masses, sum } = effectiveOf(u, () => true);
      expect(one.effective).toBeCloseTo(Math.exp(nats), 5);
      expect(one.features).toBe(masses.filter((mass) => mass / sum > 0.01).length);
      const order = [...masses.keys()].sort((a, b) => masses[b] - masses[a]).slice(0, 10);
      expect(one.latents).toEqual(order);
      one.shares.forEach((share, i) => {
        expect(share).toBeCloseTo(masses[order[i]] / sum, 5);
      });
      const without = Array.from(
        { length: groups },
        (_, g) => effectiveOf(u, (row) => row % groups !== g).nats,
      );
      const { low, high } = jackknifeInterval(nats, without);
      expect(one.low).toBeCloseTo(Math.max(1, Math.exp(low)), 3);
      expect(one.high).toBeCloseTo(Math.exp(high), 3);
      expect([...one.without].map(Math.log)).toEqual(without.map((value) => expect.closeTo(value, 4)));
    }
    const alone = await servedBy(decoder, width, energies, directions, createNativeBackend({ threads: 1 }));
    expect(alone).toEqual(served);
  });

  it('is not known where nothing fires, and has no interval of one group', async () => {
    const decoder = normals(6, 1);
    const [silent] = await servedBy(decoder, 2, new Float64Array(6), Float32Array.of(1, 0));
    expect(silent).toMatchObject({
      effective: NaN,
      low: NaN,
      high: NaN,
      features: 0,
      latents: [],
      shares: [],
    });
    const [one] = await servedBy(decoder, 2, new Float64Array(3).fill(1), Float32Array.of(1, 0));
    expect(one.effective).toBeGreaterThanOrEqual(1);
    expect(one.high).toBeNaN();
    expect(summariseKinds([{ kind: 'neuron', index: 0 }], [silent]).kinds[0].effective.value).toBeNaN();
  });
});

describe('the strongest tokens of a direction', () => {
  it('are those of the largest magnitude over all rows, with the projections around them', () => {
    const [directions, kept, sequences, length] = [3, 4, 9, 25];
    const rows = sequences * length;
    const all = normals(rows * directions, 7).map((value) => Math.round(value * 4) / 4);
    const ids = Int32Array.from({ length: rows }, (_, r) => Math.floor(r / length));
    const strongest = new StrongestRows(directions, kept);
    for (const [from, to] of [
      [0, 2],
      [2, 3],
      [3, 9],
    ].map((ends) => ends.map((s) => s * length)))
      strongest.offer(
        { rows: to - from, sequences: ids.subarray(from, to) },
        all.slice(from * directions, to * directions),
      );
    for (let u = 0; u < directions; u++) {
      const at = (row: number) => all[row * directions + u];
      const exact = [...Array(rows).keys()].sort((a, b) => Math.abs(at(b)) - Math.abs(at(a)) || a - b);
      const found = strongest.of(u);
      expect(found.map(({ projection }) => Math.abs(projection))).toEqual(
        exact.slice(0, kept).map((row) => Math.abs(at(row))),
      );
      for (const { row, from, projection, window } of found) {
        const start = Math.floor(row / length) * length;
        expect(from).toBe(Math.max(start, row - BEFORE));
        const end = Math.min(start + length - 1, row + AFTER);
        expect([...window]).toEqual(Array.from({ length: end - from + 1 }, (_, i) => at(from + i)));
        expect(projection).toBe(at(row));
      }
    }
  });

  it('are fewer where there are fewer rows, zeros too', () => {
    const strongest = new StrongestRows(1, 5);
    strongest.offer({ rows: 2, sequences: Int32Array.of(0, 1) }, Float32Array.of(0, -1));
    expect(strongest.of(0).map(({ row, from }) => [row, from])).toEqual([
      [1, 1],
      [0, 0],
    ]);
  });
});

describe('one pass over held-out rows', () => {
  const [width, latents, sequences, length] = [6, 18, 40, 25];
  const rows = sequences * length;
  const activations = normals(rows * width, 11);
  const ids = Int32Array.from({ length: rows }, (_, r) => Math.floor(r / length));
  const documents = ids.map((sequence) => Math.floor(sequence / 4));
  const dictionary: Dictionary = {
    width,
    outputWidth: width,
    latents,
    encoderWeight: normals(latents * width, 12),
    encoderBias: new Float32Array(latents),
    decoderWeight: normals(latents * width, 13),
    decoderBias: new Float32Array(width),
    selection: { kind: 'topk', k: 4 },
  };
  const mean = Float32Array.from({ length: width }, (_, c) => c / 10);
  const directions = new Float32Array(width * width);
  for (let c = 0; c < width; c++) directions[c * width + c] = 1;
  const greatest = new Float32Array(latents).fill(3);
  let observed: Observed;
  beforeAll(async () => {
    const source = memorySource({ width, activations, sequences: ids, documents });
    observed = await observe({
      backend,
      dictionary,
      source,
      greatest,
      directions: { unit: directions, mean },
    });
  });

  it('sums squares by group of documents and counts activations by bin', async () => {
    expect([observed.documents, observed.groups, observed.rows.rows]).toEqual([10, 10, rows]);
    const codes = await encode(backend, dictionary, activations, rows);
    expect(observed.codes).toEqual(codes);
    const energies = new Float64Array(10 * latents);
    const bins = new Uint32Array(latents * ACTIVATION_BINS);
    for (let r = 0; r < rows; r++)
      for (let e = codes.offsets[r]; e < codes.offsets[r + 1]; e++) {
        energies[documents[r] * latents + codes.indices[e]] += codes.values[e] ** 2;
        const bin = Math.min(19, Math.ceil((codes.values[e] / 3) * 20) - 1);
        bins[codes.indices[e] * ACTIVATION_BINS + bin]++;
      }
    expect(observed.bins).toEqual(bins);
    observed.energies.forEach((value, at) => {
      expect(value).toBeCloseTo(energies[at], 8);
    });
    expect(observed.strongest!.of(2)[0].projection).toBeCloseTo(
      [...Array(rows).keys()]
        .map((r) => activations[r * width + 2] - mean[2])
        .reduce((most, value) => (Math.abs(value) > Math.abs(most) ? value : most)),
      5,
    );
  });

  it('has bins that are open below and closed above, the last one open to more', () => {
    expect([0.01, 0.05, 0.0501, 0.1, 0.999, 1, 1.5].map((value) => binOf(value, 1))).toEqual([
      0, 0, 1, 1, 19, 19, 19,
    ]);
    expect(binOf(0.5, 0)).toBe(19);
    expect(binOf(1e-40, 1)).toBe(0);
  });
});
