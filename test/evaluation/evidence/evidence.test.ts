import { describe, expect, test } from 'vitest';
import { memorySource } from '../../../src/activations/memory.ts';
import { type Dictionary, decode, encode } from '../../../src/dictionaries/dictionary.ts';
import { familyOptions } from '../../../src/dictionaries/families/index.ts';
import { companionsOf } from '../../../src/evaluation/evidence/companions.ts';
import { COMPONENTS } from '../../../src/evaluation/evidence/components.ts';
import { componentsWithout, gatherEvidence } from '../../../src/evaluation/evidence/evidence.ts';
import { nearestRows, remainders } from '../../../src/evaluation/evidence/nearest.ts';
import { transferOf } from '../../../src/evaluation/evidence/transfer.ts';
import { InputError } from '../../../src/formats/errors.ts';
import { createReferenceBackend } from '../../../src/kernels/reference.ts';
import { Random } from '../../../src/math/random.ts';
import { tiedDictionary } from '../dictionaries.ts';

const backend = createReferenceBackend();
const [WIDTH, LATENTS, ROWS, DOCUMENTS] = [6, 9, 400, 20];

function normals(length: number, name: string): Float32Array {
  const values = new Float32Array(length);
  new Random(7, name).fillNormal(values, 1);
  return values;
}

function dictionary(name: string): Dictionary {
  const weight = normals(LATENTS * WIDTH, name);
  return {
    ...tiedDictionary(weight, WIDTH, { kind: 'topk', k: 3 }),
    encoderBias: normals(LATENTS, `${name} bias`).map((value) => value / 4),
    decoderWeight: weight.map((value) => value * 0.3),
  };
}

const x = normals(ROWS * WIDTH, 'rows');
const documents = Int32Array.from({ length: ROWS }, (_, r) => Math.floor((r * DOCUMENTS) / ROWS));
const source = memorySource({ width: WIDTH, activations: x, sequences: documents, documents });
const mean = new Float32Array(WIDTH);
const subject = dictionary('subject');
const seeds = [dictionary('a'), dictionary('b')];
const request = {
  backend,
  subjects: [subject],
  seeds,
  widths: [dictionary('w')],
  sparsities: [dictionary('s')],
  source,
  mean,
};

const row = (values: Float32Array, r: number) => values.subarray(r * WIDTH, (r + 1) * WIDTH);
const dot = (a: ArrayLike<number>, b: ArrayLike<number>) => {
  let sum = 0;
  for (let c = 0; c < a.length; c++) sum += a[c] * b[c];
  return sum;
};
const cosine = (a: Float32Array, b: Float32Array) => dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));

/** Which latents fire on each row, by row. */
async function firings(of: Dictionary): Promise<Map<number, number>[]> {
  const codes = await encode(backend, of, x, ROWS);
  return Array.from({ length: ROWS }, (_, r) => {
    const fired = new Map<number, number>();
    for (let e = codes.offsets[r]; e < codes.offsets[r + 1]; e++)
      fired.set(codes.indices[e], codes.values[e]);
    return fired;
  });
}

describe('evidence against its definitions, latent by latent', () => {
  test('worth, purity, share: by leaving a latent out of the reconstruction', async () => {
    const [{ components }] = await gatherEvidence({ ...request, seed: 1 });
    const fired = await firings(subject);
    const codes = await encode(backend, subject, x, ROWS);
    const output = await decode(backend, subject, codes, x);
    const variance = x.reduce((sum, value) => sum + value * value, 0);
    for (let j = 0; j < LATENTS; j++) {
      const direction = row(subject.decoderWeight, j);
      const length = Math.sqrt(dot(direction, direction));
      let [gain, whole, along, fires, amount, square] = [0, 0, 0, 0, 0, 0];
      for (let r = 0; r < ROWS; r++) {
        const value = fired[r].get(j);
        if (value === undefined) continue;
        const error = row(x, r).map((one, c) => one - output[r * WIDTH + c]);
        const left = error.map((one, c) => one + value * direction[c]);
        gain += dot(left, left) - dot(error, error);
        whole += dot(left, left);
        along += (dot(left, direction) / length) ** 2;
        fires++;
        amount += value * length;
        square += (value * length) ** 2;
      }
      expect(components.density.value[j]).toBeCloseTo(fires / ROWS, 10);
      expect(components.worth.value[j]).toBeCloseTo(gain / whole, 4);
      expect(components.purity.value[j]).toBeCloseTo(along / whole, 4);
      expect(components.share.value[j]).toBeCloseTo(gain / variance, 5);
      expect(components.evenness.value[j]).toBeCloseTo(amount ** 2 / (fires * square), 5);
      expect(components.worth.value[j]).toBeLessThanOrEqual(components.purity.value[j] + 1e-6);
    }
  });

  test('agreement: F1 with the nearest latents of other seeds, and cosines by hand', async () => {
    const [{ components }] = await gatherEvidence({ ...request, seed: 1 });
    const own = await firings(subject);
    const others = await Promise.all(seeds.map(firings));
    for (let j = 0; j < LATENTS; j++) {
      const nearest = seeds.map((seed) => {
        const cosines = Array.from({ length: LATENTS }, (_, l) =>
          cosine(row(subject.decoderWeight, j), row(seed.decoderWeight, l)),
        );
        return { latent: cosines.indexOf(Math.max(...cosines)), cosine: Math.max(...cosines) };
      });
      const f1 = nearest.map(({ latent }, s) => {
        let [both, mine, theirs] = [0, 0, 0];
        for (let r = 0; r < ROWS; r++) {
          mine += Number(own[r].has(j));
          theirs += Number(others[s][r].has(latent));
          both += Number(own[r].has(j) && others[s][r].has(latent));
        }
        return (2 * both) / (mine + theirs);
      });
      expect(components.agreement.value[j]).toBeCloseTo((f1[0] + f1[1]) / 2, 10);
      expect(components.consensus.value[j]).toBeCloseTo((nearest[0].cosine + nearest[1].cosine) / 2, 5);
      expect(components.consensus.low[j]).toBeCloseTo(Math.min(nearest[0].cosine, nearest[1].cosine), 5);
    }
  });

  test('kurtosis: of normals about 0, and by its definition', async () => {
    const [{ components }] = await gatherEvidence({ ...request, seed: 1 });
    for (let j = 0; j < LATENTS; j++) {
      let [second, fourth] = [0, 0];
      for (let r = 0; r < ROWS; r++) {
        const p = dot(row(x, r), row(subject.decoderWeight, j)) ** 2;
        second += p;
        fourth += p * p;
      }
      expect(components.kurtosis.value[j]).toBeCloseTo((ROWS * fourth) / second ** 2 - 3, 4);
      expect(components.kurtosis.low[j]).toBeLessThan(0.3);
      expect(components.kurtosis.high[j]).toBeGreaterThan(-0.3);
    }
  });
});

test('a dictionary among copies of itself agrees with them wholly; noise of another seed changes only steadiness', async () => {
  const copies = { ...request, seeds: [subject, subject], widths: [subject], sparsities: [subject] };
  const [one, other] = await Promise.all(
    [1, 2].map(async (seed) => (await gatherEvidence({ ...copies, seed }))[0]),
  );
  for (let j = 0; j < LATENTS; j++) {
    expect(one.components.consensus.low[j]).toBeCloseTo(1, 6);
    expect(one.components.agreement.value[j]).toBeCloseTo(1, 12);
    expect(one.components.neighbour.value[j]).toBeLessThan(1);
    expect(one.components.steadiness.value[j]).toBeGreaterThan(0.5);
  }
  expect(other.components.share).toEqual(one.components.share);
  expect(other.components.steadiness).not.toEqual(one.components.steadiness);
});

test('of several subjects each has the evidence that it has alone', async () => {
  const other = dictionary('other');
  const together = await gatherEvidence({ ...request, subjects: [subject, other], seed: 1 });
  for (const [i, one] of [subject, other].entries()) {
    const [alone] = await gatherEvidence({ ...request, subjects: [one], seed: 1 });
    expect(together[i].components).toEqual(alone.components);
  }
});

test('without some documents it is the evidence of the others', async () => {
  const keep = Array.from({ length: ROWS }, (_, r) => r).filter((r) => documents[r] % 4 !== 0);
  const fewer = memorySource({
    width: WIDTH,
    activations: Float32Array.from(keep.flatMap((r) => [...row(x, r)])),
    sequences: Int32Array.from(keep, (r) => documents[r]),
    documents: Int32Array.from(keep, (r) => documents[r]),
  });
  const [whole] = await gatherEvidence({ ...request, seed: 1 });
  const [part] = await gatherEvidence({ ...request, source: fewer, seed: 1 });
  const left = componentsWithout(whole, (group) => group % 4 === 0);
  // Steadiness depends on noise, which is drawn for some sequences at a time.
  for (const name of COMPONENTS.filter((name) => name !== 'steadiness'))
    for (let j = 0; j < LATENTS; j++)
      expect(left[name].value[j]).toBeCloseTo(part.components[name].value[j], 5);
  expect(left.consensus.low).toEqual(part.components.consensus.low);
});

test('intervals hold the truth of another half of the documents about as often as they say', async () => {
  const [{ components }] = await gatherEvidence({ ...request, seed: 1 });
  // Half-widths of a share of 400 rows: at least those of independent rows, not many times more.
  for (let j = 0; j < LATENTS; j++) {
    const p = components.density.value[j];
    const half = (components.density.high[j] - components.density.low[j]) / 2;
    const binomial = 2 * Math.sqrt((p * (1 - p)) / ROWS);
    expect(half / binomial).toBeGreaterThan(0.5);
    expect(half / binomial).toBeLessThan(2);
  }
});

test('nearest rows: the other decoder, never itself in its own', async () => {
  const decoder = Float32Array.of(1, 0, 0, 2, -1, 0);
  const other = Float32Array.of(0, 5, 3, 0.1);
  const { row: at, cosine: cosines } = await nearestRows(backend, decoder, 2, other);
  expect([...at]).toEqual([1, 0, 0]);
  expect(cosines[1]).toBeCloseTo(1, 6);
  const own = await nearestRows(backend, decoder, 2);
  expect([...own.row]).toEqual([1, 0, 1]);
  expect(own.cosine[0]).toBeCloseTo(0, 6);
});

test('nearest rows: below 0 too, the first of equals, and rows of 0', async () => {
  const opposite = await nearestRows(backend, Float32Array.of(1, 0, 0, 0), 2, Float32Array.of(-3, 0));
  expect([...opposite.row]).toEqual([0, 0]);
  expect([...opposite.cosine]).toEqual([-1, 0]);
  const copies = await nearestRows(backend, Float32Array.of(1, 1, 2, 2, 3, 3, 1, -1), 2);
  expect([...copies.row]).toEqual([1, 0, 0, 0]);
  const alone = await nearestRows(backend, Float32Array.of(1, 2), 2);
  expect([alone.row[0], alone.cosine[0]]).toEqual([-1, 0]);
});

test('remainders: nothing of a row that the other has, what is left of a sum beside one of its parts', async () => {
  const other = Float64Array.of(2, 0, 0, 0, 3, 0, -1, 0, 0);
  const decoder = Float32Array.of(5, 0, 0, 1, 0.9, 0, 0, 0, 1, 0, 0, 0);
  const rows = Float32Array.from(other);
  const nearest = await nearestRows(backend, decoder, 3, rows);
  const found = await remainders(backend, decoder, 3, rows, nearest);
  [0, 0.9 / Math.hypot(1, 0.9), 0, 0].forEach((expected, j) => {
    expect(found[j]).toBeCloseTo(expected, 6);
  });
});

test('nearest rows are those of the slow way', async () => {
  const [rows, others, width] = [40, 70, 12];
  const [a, b] = [normals(rows * width, 'a'), normals(others * width, 'b')];
  const { row: at, cosine: cosines } = await nearestRows(backend, a, width, b);
  const norm = (m: Float32Array, i: number) => Math.hypot(...m.subarray(i * width, (i + 1) * width));
  for (let i = 0; i < rows; i++) {
    const all = Array.from({ length: others }, (_, j) => {
      let dot = 0;
      for (let c = 0; c < width; c++) dot += a[i * width + c] * b[j * width + c];
      return dot / norm(a, i) / norm(b, j);
    });
    expect(at[i]).toBe(all.indexOf(Math.max(...all)));
    expect(cosines[i]).toBeCloseTo(Math.max(...all), 5);
  }
});

test('what cannot be judged is refused by name', async () => {
  const refused = (change: object) => expect(gatherEvidence({ ...request, ...change, seed: 1 })).rejects;
  await refused({ seeds: [subject] }).toThrow(InputError);
  await refused({ subjects: [{ ...subject, normalisation: 'layerNorm' }] }).toThrow(/layerNorm/);
  const narrow = tiedDictionary(normals(20, 'narrow'), 5, { kind: 'topk', k: 1 });
  await refused({ widths: [narrow] }).toThrow(/reads 5 values/);
});

test('companions: other seeds, twice the width, half and twice the L0', () => {
  const topk = companionsOf(familyOptions.parse({ family: 'topk', latents: 64, k: 8 }));
  expect(topk.seeds).toHaveLength(2);
  expect(topk.widths).toMatchObject([{ latents: 128, k: 8 }]);
  expect(topk.sparsities).toMatchObject([{ k: 4 }, { k: 16 }]);
  const l1 = companionsOf(familyOptions.parse({ family: 'l1', latents: 64, coefficient: 3 }));
  expect(l1.sparsities).toMatchObject([{ coefficient: 6 }, { coefficient: 1.5 }]);
});

describe('transfer', () => {
  const worthOfSubject = async () => (await gatherEvidence({ ...request, seed: 1 }))[0].components.worth;
  const transfer = async (activations: Float32Array) => {
    const other = memorySource({ width: WIDTH, activations, sequences: documents, documents });
    const subjects = [{ dictionary: subject, worth: await worthOfSubject() }];
    return (await transferOf({ backend, subjects, source: other, mean, seed: 1 }))[0];
  };

  test('is 0 on the same rows, and its intervals hold 0 on rows that are drawn alike', async () => {
    const same = await transfer(x);
    for (const value of same.value) expect(value === 0 || Number.isNaN(value)).toBe(true);
    const { low, high } = await transfer(normals(ROWS * WIDTH, 'more rows'));
    const known = Array.from({ length: LATENTS }, (_, j) => j).filter((j) => !Number.isNaN(low[j]));
    expect(known.length).toBeGreaterThan(LATENTS / 2);
    expect(known.filter((j) => low[j] <= 0 && high[j] >= 0).length).toBeGreaterThanOrEqual(known.length - 1);
  });

  test('is the worth there less the worth here', async () => {
    const there = x.map((value, at) => (at % WIDTH === 0 ? value + 2 : value / 3));
    const other = memorySource({ width: WIDTH, activations: there, sequences: documents, documents });
    const [{ components, sums }] = await gatherEvidence({ ...request, source: other, seed: 1 });
    const here = await worthOfSubject();
    const found = await transfer(there);
    for (let j = 0; j < LATENTS; j++) {
      let firings = 0;
      for (let g = 0; g < sums.groups; g++) firings += sums.fires[g * LATENTS + j];
      if (firings < 20) expect(found.value[j]).toBeNaN();
      else expect(found.value[j]).toBeCloseTo(components.worth.value[j] - here.value[j], 12);
    }
  });
});
