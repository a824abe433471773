/** Where to draw rows in the plane. It must not know what they stand for. */
import { symmetricEigen } from '../../../src/math/eigen.ts';
import type { FeatureRows } from '../../../src/toy/geometry/rows.ts';

export interface Plane {
  /** `[features, 2]` */
  readonly points: Float64Array;
  /** The share of `|W|_F^2` that lies in the plane: 1 in one and two dimensions. */
  readonly share: number;
}

/**
 * Rows as they are in one and two dimensions; else their first two principal coordinates, along the eigenvectors of `W^T W` with the
 * largest eigenvalues, each turned so that its largest component is positive.
 */
export function planeOf({ values, features, hidden }: FeatureRows): Plane {
  const axes = hidden <= 2 ? [axis(hidden, 0), axis(hidden, 1)] : principalAxes(values, features, hidden);
  const points = new Float64Array(2 * features);
  let [inPlane, all] = [0, 0];
  for (let i = 0; i < features; i++) {
    for (let c = 0; c < hidden; c++) {
      const value = values[i * hidden + c];
      all += value * value;
      for (let a = 0; a < 2; a++) points[2 * i + a] += value * axes[a][c];
    }
    inPlane += points[2 * i] ** 2 + points[2 * i + 1] ** 2;
  }
  return { points, share: all > 0 ? inPlane / all : 1 };
}

function axis(hidden: number, along: number): Float64Array {
  return Float64Array.from({ length: hidden }, (_, c) => Number(c === along));
}

function principalAxes(values: ArrayLike<number>, features: number, hidden: number): Float64Array[] {
  const second = new Float64Array(hidden * hidden);
  for (let i = 0; i < features; i++) {
    for (let a = 0; a < hidden; a++) {
      for (let b = 0; b < hidden; b++)
        second[a * hidden + b] += values[i * hidden + a] * values[i * hidden + b];
    }
  }
  const { values: along, vectors } = symmetricEigen(second, hidden);
  const order = Array.from(along.keys()).sort((a, b) => along[b] - along[a]);
  return order.slice(0, 2).map((at) => {
    const vector = vectors.slice(at * hidden, (at + 1) * hidden);
    const largest = vector.reduce((most, value) => (Math.abs(value) > Math.abs(most) ? value : most), 0);
    return largest < 0 ? vector.map((value) => -value) : vector;
  });
}
