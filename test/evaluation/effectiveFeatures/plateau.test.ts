import { describe, expect, test } from 'vitest';
import { findPlateau } from '../../../src/evaluation/effectiveFeatures/plateau.ts';
import type { EffectivePoint } from '../../../src/evaluation/effectiveFeatures/sweep.ts';

const around = (value: number) => ({ value, low: 0.98 * value, high: 1.02 * value, n: 20 });

/** A point of 10 dimensions. */
function point(
  penalty: number,
  latents: number,
  features: number,
  change: Partial<EffectivePoint> = {},
): EffectivePoint {
  return {
    penalty,
    latents,
    features: around(features),
    perDimension: around(features / 10),
    gaussian: around(20),
    untrained: around(latents),
    bySamples: [1, 2, 4, 8, 16, 20].map((groups) => ({ groups, value: features })),
    explainedVariance: around(0.95),
    l0: around(3),
    ...change,
  };
}

const grid = (of: Record<number, [number, number]>, change: Partial<EffectivePoint> = {}) =>
  Object.entries(of).flatMap(([penalty, [narrow, wide]]) => [
    point(Number(penalty), 40, narrow, change),
    point(Number(penalty), 80, wide, change),
  ]);

describe('findPlateau', () => {
  test('the penalties at which nothing changes, and no others', () => {
    const found = findPlateau(
      grid({ 0.01: [39, 75], 0.1: [13, 14], 0.3: [12, 12.5], 1: [12, 12], 3: [7, 8] }),
    );
    expect(found).toMatchObject({ kind: 'identified', penalties: [0.1, 0.3, 1] });
    if (found.kind !== 'identified') return;
    expect(found.features.value).toBeCloseTo((13 * 14 * 12 * 12.5 * 12 * 12) ** (1 / 6), 9);
    expect(found.features.low).toBeCloseTo(0.98 * 12, 9);
    expect(found.features.high).toBeCloseTo(1.02 * 14, 9);
    expect(found.perDimension.value).toBeCloseTo(found.features.value / 10, 9);
  });

  test('the order of the points does not matter', () => {
    const points = grid({ 0.1: [13, 14], 0.3: [12, 12.5], 1: [12, 12] });
    expect(findPlateau([...points].reverse())).toEqual(findPlateau(points));
  });

  test.each([
    [
      'normals have the same',
      grid({ 0.1: [20, 20], 0.3: [20, 20], 1: [20, 20] }),
      'at 0.1 F is that of normals',
    ],
    [
      'normals have nearly the same',
      grid({ 0.1: [23, 23], 0.3: [23, 23], 1: [23, 23] }),
      'F is that of normals',
    ],
    [
      'it follows the width',
      grid({ 0.1: [38, 70], 0.3: [37, 69], 1: [36, 68] }),
      'at 0.3 F depends on the width',
    ],
    [
      'it follows the penalty',
      grid({ 0.1: [13, 13], 0.3: [9, 9], 1: [6, 6] }),
      'F changes with the penalty everywhere',
    ],
    [
      'little is explained',
      grid({ 0.1: [5, 5], 0.3: [5, 5], 1: [5, 5] }, { explainedVariance: around(0.3) }),
      'explain too little',
    ],
    [
      'it grows with the samples',
      grid(
        { 0.1: [12, 12], 0.3: [12, 12], 1: [12, 12] },
        {
          bySamples: [
            { groups: 8, value: 6 },
            { groups: 20, value: 12 },
          ],
        },
      ),
      'F still grows with the samples',
    ],
    [
      'two penalties are too few',
      grid({ 0.1: [12, 12], 0.3: [12, 12] }),
      '2 penalties and 2 widths were swept; it takes 3 and 2',
    ],
    [
      'one width is too few',
      [0.1, 0.3, 1].map((penalty) => point(penalty, 40, 12)),
      '3 penalties and 1 widths were swept',
    ],
    [
      'there are no intervals',
      grid(
        { 0.1: [12, 12], 0.3: [12, 12], 1: [12, 12] },
        { gaussian: { value: 20, low: NaN, high: NaN, n: 1 } },
      ),
      'F is that of normals',
    ],
  ])('not identified where %s', (_, points, why) => {
    const found = findPlateau(points);
    expect(found).toMatchObject({ kind: 'not identified', why: expect.stringContaining(why) });
  });
});
