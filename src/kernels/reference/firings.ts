/**
 * Drawing sparse rows in the reference backend: `firingOperations.ts` word for word, every root of every row looked at. The
 * oracle for `native/operations/firings.cc`, which must come to the same labels.
 */
import { normalProbability } from '../../math/normal.ts';
import { Random } from '../../math/random.ts';
import { NormalStream } from '../../math/ziggurat.ts';
import {
  AMPLITUDE_LAWS,
  ANYWHERE,
  type FiringOperations,
  type FiringPlan,
  NO_FEATURE,
} from '../firingOperations.ts';

export const firings: FiringOperations = {
  async drawFirings({ plan, streams, blockRows, skip, rows }) {
    const offsets = new Uint32Array(rows + 1);
    const indices: number[] = [];
    const values: number[] = [];
    const positions: number[] = [];
    for (let row = 0; row < rows; ) {
      const block = Math.floor((skip + row) / blockRows);
      const start = skip + row - block * blockRows;
      const end = Math.min(blockRows, start + rows - row);
      const state = streams.subarray(8 * block, 8 * block + 8);
      const drawRow = rowDrawer(plan, new Random(state), new Random(state.subarray(4)), blockRows);
      for (let r = 0; r < end; r++) {
        const fired = drawRow();
        if (r < start) continue;
        for (const [feature, { amplitude, position }] of [...fired].sort(([a], [b]) => a - b)) {
          indices.push(feature);
          values.push(amplitude);
          positions.push(position);
        }
        offsets[++row] = indices.length;
      }
    }
    const labels = { rows, offsets, indices: Uint32Array.from(indices), values: Float32Array.from(values) };
    return plan.positions ? { labels, positions: Float32Array.from(positions) } : { labels };
  },
};

type Fired = Map<number, { amplitude: number; position: number }>;

/** Draws a block's rows, one a call. */
function rowDrawer(plan: FiringPlan, random: Random, normalBits: Random, blockRows: number): () => Fired {
  const { coupling, conjunctions } = plan;
  const normals = new NormalStream(normalBits);
  const one = new Float64Array(1);
  const normal = () => {
    normals.fill(one);
    return one[0];
  };
  const shared = new Float64Array(blockRows * (coupling?.rank ?? 0));
  normals.fill(shared);
  let row = -1;
  let fired: Fired = new Map();

  const amplitudeOf = (feature: number): number => {
    const { law, shift, spread } = plan;
    for (;;) {
      const noise = law[feature] === AMPLITUDE_LAWS.uniform ? 1 - random.uniform() : normal();
      const drawn = shift[feature] + spread[feature] * noise;
      const amplitude = law[feature] === AMPLITUDE_LAWS.folded ? Math.abs(drawn) : drawn;
      if (Math.fround(amplitude) > 0) return amplitude;
    }
  };
  const positionOf = (feature: number): number => {
    const points = plan.positions?.[feature] ?? 0;
    if (points === 0) return 0;
    if (points === ANYWHERE) return random.uniformFloat32();
    return Math.fround(Math.floor(random.uniform() * points) / points);
  };
  /** The feature fires, unless it does already, and its amplitude comes back. */
  const call = (feature: number, amplitude: () => number): number => {
    const before = fired.get(feature);
    if (before) return before.amplitude;
    const drawn = Math.fround(amplitude());
    fired.set(feature, { amplitude: drawn, position: positionOf(feature) });
    return drawn;
  };
  const fire = (node: number, parentRatio: number): void => {
    const feature = plan.feature[node];
    const factor = plan.scaled[node] ? parentRatio : 1;
    const ratio =
      feature === NO_FEATURE
        ? parentRatio
        : call(feature, () => amplitudeOf(feature) * factor) / plan.mean[feature];
    for (let group = plan.groupOffsets[node]; group < plan.groupOffsets[node + 1]; group++) {
      let [sum, place] = [0, plan.exclusive[group] ? random.uniform() : 0];
      for (let m = plan.memberOffsets[group]; m < plan.memberOffsets[group + 1]; m++) {
        if (!plan.exclusive[group]) [sum, place] = [0, random.uniform()];
        sum += plan.probability[m];
        if (place >= sum) continue;
        fire(m, ratio);
        if (plan.exclusive[group]) break;
      }
    }
  };
  const excess = (root: number): number => {
    const { rank, loadings, threshold, residual } = coupling!;
    const sum = dot(loadings, root * rank, shared, row * rank, rank);
    return (sum - threshold[root]) / residual[root];
  };

  const rootsThatFire = (): number[] => {
    const places = new Map<number, number>();
    const classes = Array.from(plan.bound, (bound, c) => ({ bound, c, end: plan.classOffsets[c + 1] }));
    for (const { bound, c, end } of classes) {
      const start = plan.classOffsets[c];
      if (bound === 1) {
        for (let root = start; root < end; root++) places.set(root, random.uniform());
        continue;
      }
      const counts = plan.counts.subarray(plan.countOffsets[c], plan.countOffsets[c + 1]);
      const drawn = random.uniform();
      const marks = counts.findIndex((cumulative) => drawn < cumulative);
      for (let mark = 0; mark < marks; mark++) {
        const at = random.uniform() * (end - start);
        const root = start + Math.floor(at);
        if (!places.has(root)) places.set(root, (at - Math.floor(at)) * bound);
      }
    }
    for (const { bound, c, end } of coupling ? classes : []) {
      for (let root = plan.classOffsets[c]; root < end; root++) {
        if (!places.has(root) && excess(root) > coupling!.ceiling[c])
          places.set(root, bound + random.uniform() * (1 - bound));
      }
    }
    const probability = (root: number) =>
      coupling ? normalProbability(excess(root)) : plan.probability[root];
    return [...places].filter(([root, place]) => place < probability(root)).map(([root]) => root);
  };

  return () => {
    row++;
    fired = new Map();
    for (const root of rootsThatFire()) fire(root, 1);
    for (let j = 0; j < conjunctions.feature.length; j++) {
      const [a, b] = [fired.get(conjunctions.first[j]), fired.get(conjunctions.second[j])];
      const feature = conjunctions.feature[j];
      if (a && b)
        call(feature, () => (conjunctions.product[j] ? a.amplitude * b.amplitude : amplitudeOf(feature)));
    }
    return fired;
  };
}

/** In four partial sums, always the same. */
function dot(a: Float64Array, aStart: number, b: Float64Array, bStart: number, n: number): number {
  let [s0, s1, s2, s3] = [0, 0, 0, 0];
  for (let k = 0; k < n; k += 4) {
    s0 += a[aStart + k] * b[bStart + k];
    if (k + 1 < n) s1 += a[aStart + k + 1] * b[bStart + k + 1];
    if (k + 2 < n) s2 += a[aStart + k + 2] * b[bStart + k + 2];
    if (k + 3 < n) s3 += a[aStart + k + 3] * b[bStart + k + 3];
  }
  return s0 + s1 + (s2 + s3);
}
