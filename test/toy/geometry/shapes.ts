/** Weights whose geometry is known. */
import type { FeatureRows } from '../../../src/toy/geometry/rows.ts';

export function rowsOf(...values: number[][]): FeatureRows {
  return { values: values.flat(), features: values.length, hidden: values[0].length };
}

/** The vertices of a regular polygon around the origin. */
export function polygon(vertices: number): number[][] {
  return Array.from({ length: vertices }, (_, i) => {
    const angle = (2 * Math.PI * i) / vertices;
    return [Math.cos(angle), Math.sin(angle)];
  });
}

export const TETRAHEDRON = [
  [1, 1, 1],
  [1, -1, -1],
  [-1, 1, -1],
  [-1, -1, 1],
].map((row) => row.map((x) => x / Math.sqrt(3)));

/** Two squares, one turned by an eighth, at heights that make it a tight frame. */
export const ANTIPRISM = Array.from({ length: 8 }, (_, i) => {
  const angle = (Math.PI * i) / 4;
  const radius = Math.sqrt(2 / 3);
  return [radius * Math.cos(angle), radius * Math.sin(angle), (i % 2 === 0 ? 1 : -1) / Math.sqrt(3)];
});
