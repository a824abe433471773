/** Neurons of one feature and of several. */
import { describe, expect, it } from 'vitest';
import { featureGeometry } from '../../../src/toy/geometry/features.ts';
import { neuronGeometry } from '../../../src/toy/geometry/neurons.ts';
import { rowsOf } from './shapes.ts';

describe('neurons', () => {
  it('counts the features that each one serves', () => {
    const rows = rowsOf([1, 1, 3, 0], [0, -1, 1, 0], [0, 1, 0, 0]);
    const { participation, largestShare, monosemantic } = neuronGeometry(rows);
    expect(Array.from(participation.slice(0, 3))).toEqual([1, 3, 100 / 82]);
    expect(participation[3]).toBeNaN();
    expect(largestShare[2]).toBeCloseTo(0.9, 12);
    expect(monosemantic).toBe(1);
    expect(() => neuronGeometry({ values: [1], features: 1, hidden: 2 })).toThrow(RangeError);
  });

  it('has neurons of one feature where features have neurons of their own', () => {
    const rows = rowsOf([1, 0], [0, 2]);
    expect(neuronGeometry(rows).monosemantic).toBe(2);
    expect(Array.from(featureGeometry(rows).dimensionality)).toEqual([1, 1]);
  });
});
