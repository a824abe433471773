/** Directions sorted, binned, grouped, and put into words. */
import { describe, expect, it } from 'vitest';
import type { Direction, DirectionExample } from '../../../src/runs/atlasSchema.ts';
import { kindNames } from '../../../web/src/neurons/names.ts';
import { clustersOf, histogramOf, logTicks, sortedDirections } from '../../../web/src/neurons/table.ts';
import { spreadWords, summaryWords } from '../../../web/src/neurons/words.ts';

const direction = (index: number, effective: number, features = 1): Direction => ({
  kind: 'neuron',
  index,
  effective,
  effectiveLow: effective,
  effectiveHigh: effective,
  features,
  latents: [],
  shares: [],
});
const example = (cluster: number, rank: number): DirectionExample => ({
  kind: 'neuron',
  index: 0,
  cluster,
  rank,
  activation: 1,
  document: 0,
  sequence: 0,
  position: 0,
  tokens: ['a'],
  activations: [1],
  focus: 0,
});

describe('directions', () => {
  it('are sorted either way, equals by number, what serves nothing last', () => {
    const all = [direction(0, 3), direction(1, Number.NaN), direction(2, 5), direction(3, 3)];
    const order = (descending: boolean) =>
      sortedDirections(all, 'effective', descending).map(({ index }) => index);
    expect(order(true)).toEqual([2, 0, 3, 1]);
    expect(order(false)).toEqual([0, 3, 2, 1]);
  });

  it('are binned on one axis, all of them, each kind up to its tallest bin', () => {
    const { from, to, bars } = histogramOf(
      [
        [10, 100, 100, 1000, Number.NaN],
        [10, 1000],
      ],
      3,
    );
    expect(Math.exp(from)).toBeLessThan(11);
    expect(Math.exp(to)).toBeGreaterThan(950);
    expect(bars).toEqual([
      [0.5, 1, 0.5],
      [1, 0, 1],
    ]);
    expect(histogramOf([[], [Number.NaN]], 2).bars).toEqual([
      [0, 0],
      [0, 0],
    ]);
  });

  it('have round numbers along their axis', () => {
    expect(logTicks(Math.log(9), Math.log(210)).map(Math.round)).toEqual([10, 20, 50, 100, 200]);
  });

  it('have their examples by the latent that adds most, the largest cluster first', () => {
    const clusters = clustersOf([example(4, 0), example(9, 1), example(9, 2), example(-1, 3)]);
    expect(clusters.map(({ latent, examples }) => [latent, examples.length])).toEqual([
      [9, 2],
      [4, 1],
      [-1, 1],
    ]);
  });
});

describe('what is called a neuron', () => {
  it('is one only inside an MLP', () => {
    expect(kindNames('blocks.2.mlp.hook_post').neuron.one).toBe('neuron');
    expect(kindNames('blocks.2.hook_resid_post').neuron.one).toBe('residual coordinate');
    expect(kindNames('blocks.2.hook_mlp_out').neuron.one).toBe('residual coordinate');
    expect(kindNames('activations.npy').neuron.one).toBe('coordinate');
  });
});

describe('words', () => {
  const names = kindNames('blocks.2.mlp.hook_post');
  const interval = (value: number, half = 1) => ({ value, low: value - half, high: value + half });
  const kinds = (['neuron', 'rotation', 'latent'] as const).map((kind, i) => ({
    kind,
    directions: 4,
    effective: interval(100 - 10 * i),
  }));
  const gap = (effective: ReturnType<typeof interval>) =>
    summaryWords({ kinds, gaps: [{ of: 'neuron', less: 'rotation', effective }] }, names).gaps[0];

  it('tell medians with intervals, and a difference only where the interval has one', () => {
    expect(summaryWords({ kinds, gaps: [] }, names).medians).toMatch(
      /^The middle neuron serves 100 \[99, 101\] latents/,
    );
    expect(gap(interval(10))).toMatch(
      /Neurons less random axes: 10\.0 \[9\.0, 11\.0\], so they mix more latents/,
    );
    expect(gap(interval(-10))).toMatch(/so they mix fewer latents/);
    expect(gap(interval(0.5))).toMatch(/no difference/);
  });

  it('hold how far a latent is spread against random directions', () => {
    const atlas = {
      effectiveNeurons: { median: interval(100), random: { mean: interval(100), low: 90, high: 110 } },
    };
    expect(spreadWords(40, atlas, 'neurons')).toMatch(/fewer than random directions/);
    expect(spreadWords(100, atlas, 'neurons')).toMatch(/as many as a random direction/);
    expect(spreadWords(Number.NaN, atlas, 'neurons')).toMatch(/spread over nothing/);
  });
});
