/** Drawing sparse rows: the addon against the reference, which must agree in every label, and in what it refuses. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Backend } from '../../src/kernels/backend.ts';
import type { FiringPlan } from '../../src/kernels/firingOperations.ts';
import { createNativeBackend } from '../../src/kernels/native.ts';
import { createReferenceBackend } from '../../src/kernels/reference.ts';
import { Random, streamState } from '../../src/math/random.ts';
import type { Amplitude } from '../../src/toy/amplitudes.ts';
import { randomLoadings } from '../../src/toy/copula.ts';
import { type FiringNode, firingLaw } from '../../src/toy/firingLaw.ts';
import { instructionSets } from './helpers.ts';

const BLOCK = 16;
const LAWS: Amplitude[] = [
  { kind: 'constant', value: 0.7 },
  { kind: 'uniform', low: 0, high: 2 },
  { kind: 'folded normal', mean: 0, sd: 1 },
  { kind: 'folded normal', mean: 1, sd: 0.5 },
  { kind: 'normal', mean: 1, sd: 0.15 },
  { kind: 'normal', mean: 0.2, sd: 2 },
];

/** Trees and single roots of any probabilities, coupled or not, all amplitudes, conjunctions and positions. */
function randomPlan(seed: number): FiringPlan {
  const random = new Random(seed, 'plan');
  let features = 0;
  const node = (level: number, most: number): FiringNode => {
    const feature = random.uniform() < 0.1 ? undefined : features++;
    const probability = most * random.uniform() ** 3;
    const groups = level < 2 && random.uniform() < 0.4 ? 1 + random.below(2) : 0;
    const children = Array.from({ length: groups }, () => {
      const [exclusive, size] = [random.uniform() < 0.5, 1 + random.below(4)];
      return {
        exclusive,
        nodes: Array.from({ length: size }, () => node(level + 1, exclusive ? 1 / size : 1)),
      };
    });
    return { feature, probability, scaled: random.uniform() < 0.5, children };
  };
  const roots = Array.from({ length: 1 + random.below(60) }, () => node(0, 1));
  const first = features;
  const conjunctions = Array.from({ length: first > 1 ? random.below(6) : 0 }, (_, j) => ({
    ...{ first: random.below(first), second: random.below(first + j), feature: first + j },
    ...{ product: random.uniform() < 0.5, probability: 0 },
  }));
  features = Math.max(1, first + conjunctions.length);
  const rank = random.below(3) === 0 ? 0 : 1 + random.below(30);
  const loadings = randomLoadings(roots.length, rank || 1, random.uniform(), random);
  return firingLaw({
    features,
    roots,
    amplitudes: Array.from({ length: features }, () => LAWS[random.below(LAWS.length)]),
    conjunctions,
    ...(rank > 0 && { coupling: { rank, loadings } }),
    ...(random.uniform() < 0.5 && {
      positions: Uint32Array.from({ length: features }, () => [0, 1, 7, 0xffff_ffff][random.below(4)]),
    }),
  }).plan;
}

function streams(seed: number, blocks: number): Int32Array {
  const all = Array.from({ length: blocks }, (_, b) => [
    ...streamState(seed, 'samples', String(b)),
    ...streamState(seed, 'normals', String(b)),
  ]);
  return Int32Array.from(all.flat());
}

const draw = (backend: Backend, plan: FiringPlan, seed: number, skip: number, rows: number) =>
  backend.drawFirings({
    plan,
    streams: streams(seed, Math.ceil((skip + rows) / BLOCK)),
    blockRows: BLOCK,
    skip,
    rows,
  });

describe.each(instructionSets)('drawFirings, %s', (instructionSet) => {
  const reference = createReferenceBackend();

  it('comes to the labels of the reference, with any number of threads', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(1e6), fc.nat(40), fc.nat(100), async (seed, skip, rows) => {
        const plan = randomPlan(seed);
        const expected = await draw(reference, plan, seed, skip, rows);
        for (const threads of [1, 2, 5]) {
          const native = createNativeBackend({ instructionSet, threads });
          expect(await draw(native, plan, seed, skip, rows)).toEqual(expected);
        }
      }),
      { numRuns: 40 },
    );
  });

  it('comes to the same rows from anywhere', async () => {
    const native = createNativeBackend({ instructionSet });
    const plan = randomPlan(7);
    const { labels } = await draw(native, plan, 1, 0, 20 * BLOCK);
    const { labels: some } = await draw(native, plan, 1, 37, 150);
    const [from, to] = [labels.offsets[37], labels.offsets[187]];
    expect(some.indices).toEqual(labels.indices.slice(from, to));
    expect(some.values).toEqual(labels.values.slice(from, to));
  });
});

describe('drawFirings refuses', () => {
  const native = createNativeBackend();
  const plan = firingLaw({
    features: 2,
    roots: [
      {
        feature: 0,
        probability: 0.5,
        children: [{ exclusive: true, nodes: [{ feature: 1, probability: 0.5 }] }],
      },
    ],
    amplitudes: LAWS[0],
    coupling: { rank: 1, loadings: Float64Array.of(0.5) },
  }).plan;

  it.each([
    ['feature', { feature: Uint32Array.of(0, 2) }, /feature: past the last feature, 2/],
    ['groupOffsets', { groupOffsets: Uint32Array.of(0, 0, 2) }, /groupOffsets: must lead from 0 to 1/],
    ['memberOffsets', { memberOffsets: Uint32Array.of(0, 2) }, /memberOffsets: must lead from 1 to 2/],
    ['children before parents', { groupOffsets: Uint32Array.of(0, 0, 1) }, /after their parents/],
    ['classOffsets', { classOffsets: Uint32Array.of(0, 2) }, /classOffsets: must lead from 0 to 1/],
    ['amplitudes', { mean: new Float64Array(1) }, /mean: 1 elements/],
    ['positions', { positions: new Uint32Array(1) }, /positions: 1 elements/],
  ])('%s that do not fit', (_, change: Partial<FiringPlan>, message) => {
    expect(() => draw(native, { ...plan, ...change }, 1, 0, 3)).toThrow(message);
  });

  it('too few streams', () => {
    const op = { plan, streams: streams(1, 1), blockRows: BLOCK, skip: 0, rows: BLOCK + 1 };
    expect(() => native.drawFirings(op)).toThrow(/streams: 8 elements, but the operation needs 16/);
  });
});
