import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createReferenceBackend } from '../../src/kernels/reference.ts';
import { additiveDistribution } from '../../src/toy/additive.ts';
import { type FiringNode, firingLaw } from '../../src/toy/firingLaw.ts';
import { bitsOf, expectFrequencies, expectShare, labelsOf, rowsOf, supports } from './worlds.ts';

const ONE = { kind: 'constant', value: 1 } as const;

/** Random forests of up to 3 levels, each node with a feature of its own. */
function forest(draw: (most: number) => number): { roots: FiringNode[]; features: number } {
  let features = 0;
  const node = (level: number, share: number): FiringNode => {
    const feature = features++;
    const probability = (share * draw(100)) / 100;
    const groups = level < 2 ? draw(2) : 0;
    const children = Array.from({ length: groups }, () => {
      const [exclusive, size] = [draw(1) === 1, 1 + draw(1)];
      const nodes = Array.from({ length: size }, () => node(level + 1, exclusive ? 1 / size : 1));
      return { exclusive, nodes };
    });
    return { feature, probability, children };
  };
  const roots = Array.from({ length: 1 + draw(1) }, () => node(0, 1));
  return { roots, features };
}

describe('firingLaw', () => {
  test('probabilities and entropy of any forest are those of its enumeration', () => {
    fc.assert(
      fc.property(fc.infiniteStream(fc.nat(1000)), (numbers) => {
        const { roots, features } = forest((most) => numbers.next().value % (most + 1));
        fc.pre(features <= 14);
        const law = firingLaw({ features, roots, amplitudes: ONE });
        const all = supports(roots);
        for (let i = 0; i < features; i++) {
          let p = 0;
          for (const [key, q] of all) if (key.split(' ').includes(String(i))) p += q;
          expect(law.firingProbabilities[i]).toBeCloseTo(p, 10);
        }
        expect(law.entropy.kind).toBe('exact');
        expect('bits' in law.entropy && law.entropy.bits).toBeCloseTo(bitsOf(all), 9);
      }),
      { numRuns: 100 },
    );
  });

  const children = (first: number, exclusive: boolean, probabilities: number[]) => ({
    exclusive,
    nodes: probabilities.map((probability, i) => ({ feature: first + i, probability })),
  });
  const roots: FiringNode[] = [
    {
      feature: 0,
      probability: 0.4,
      children: [children(1, true, [0.5, 0.3]), children(3, false, [0.7, 0.2])],
    },
    { feature: 5, probability: 0.9 },
    { feature: 6, probability: 0.01 },
    { feature: 7, probability: 1 },
    { feature: 8, probability: 0 },
  ];

  test('every support is drawn as often as its probability has it', async () => {
    const count = 100_000;
    const labels = await labelsOf(firingLaw({ features: 9, roots, amplitudes: ONE }), count);
    const counts = new Map<string, number>();
    for (const row of rowsOf(labels)) counts.set(row.join(' '), (counts.get(row.join(' ')) ?? 0) + 1);
    const all = supports(roots);
    for (const [key, p] of all) expectShare((counts.get(key) ?? 0) / count, p, count);
    for (const key of counts.keys()) expect(all.has(key)).toBe(true);
  });

  test('roots of 300 probabilities between 1e-4 and 1 fire as they should, whatever class they fall into', async () => {
    const many = Array.from({ length: 300 }, (_, feature) => ({
      feature,
      probability: 10 ** (-feature / 75),
    }));
    const law = firingLaw({ features: 300, roots: many, amplitudes: ONE });
    expectFrequencies(await labelsOf(law, 60_000), law);
  });

  test('amplitudes of scaled children follow the parent’s; means stay', async () => {
    const child = { feature: 1, probability: 1, scaled: true };
    const parent = { feature: 0, probability: 1, children: [{ exclusive: false, nodes: [child] }] };
    const law = firingLaw({
      features: 2,
      roots: [parent],
      amplitudes: [
        { kind: 'uniform', low: 0, high: 2 },
        { kind: 'constant', value: 3 },
      ],
    });
    const { values } = await labelsOf(law, 20_000);
    let mean = 0;
    for (let e = 0; e < values.length; e += 2) {
      expect(values[e + 1]).toBeCloseTo(3 * values[e], 5);
      mean += values[e + 1] / 20_000;
    }
    expect(Math.abs(mean - 3)).toBeLessThan((4.5 * 3) / Math.sqrt(3 * 20_000));
  });

  test('a hidden node that may fire unseen leaves bounds, which hold', () => {
    const nodes = [
      { feature: 0, probability: 0.3 },
      { feature: 1, probability: 0.6 },
    ];
    const hidden = [{ probability: 0.5, children: [{ exclusive: false, nodes }] }];
    const { entropy } = firingLaw({ features: 2, roots: hidden, amplitudes: ONE });
    const exact = bitsOf(supports(hidden));
    expect(entropy.kind === 'bounds' && entropy.low < exact && exact < entropy.high).toBe(true);
  });

  test('what does not fit is refused', () => {
    const law = (nodes: FiringNode[]) => firingLaw({ features: 2, roots: nodes, amplitudes: ONE });
    expect(() => law([{ feature: 0, probability: 1.1 }])).toThrow(/1.1 is not a probability/);
    expect(() => law([{ feature: 2, probability: 1 }])).toThrow(/feature 2: there are 2/);
    const twice = [
      { feature: 0, probability: 0.5 },
      { feature: 0, probability: 0.5 },
    ];
    expect(() => law(twice)).toThrow(/two of its nodes can fire together/);
    expect(() => law([{ probability: 1, children: [{ exclusive: false, nodes: twice }] }])).toThrow(
      /together/,
    );
    law([{ probability: 1, children: [{ exclusive: true, nodes: twice }] }]);
    const over = [
      { feature: 0, probability: 0.5 },
      { feature: 1, probability: 0.6 },
    ];
    expect(() => law([{ probability: 1, children: [{ exclusive: true, nodes: over }] }])).toThrow(
      /sum to 1.1/,
    );
    expect(() =>
      firingLaw({
        features: 1,
        roots: [{ feature: 0, probability: 0.5 }],
        amplitudes: ONE,
        coupling: { rank: 2, loadings: Float64Array.of(0.1) },
      }),
    ).toThrow(/1 values were given for 1 roots of rank 2/);
  });

  test('no roots, and none that ever fires: samples are the bias', async () => {
    const law = firingLaw({ features: 1, roots: [{ feature: 0, probability: 0 }], amplitudes: ONE });
    const bias = Float32Array.of(2, -1);
    const world = additiveDistribution({ law, width: 2, directions: Float32Array.of(1, 0), bias, seed: 1 });
    const { x } = await world.draw(createReferenceBackend(), 5, 2);
    expect([...x]).toEqual([2, -1, 2, -1]);
  });
});
