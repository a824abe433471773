/** Shapes by their closed forms, with noise and turned, and what is none of them. */
import { describe, expect, it } from 'vitest';
import { orthonormalRows } from '../../../src/math/orthonormal.ts';
import { Random } from '../../../src/math/random.ts';
import { arrangementOf, chanceOf } from '../../../web/src/playground/geometry.ts';
import { planeOf } from '../../../web/src/playground/projection.ts';

const polygon = (k: number, radius = 1) =>
  Array.from({ length: k }, (_, i) => {
    const angle = 0.3 + (2 * Math.PI * i) / k;
    return [radius * Math.cos(angle), radius * Math.sin(angle)];
  });
const [h, r] = [1 / Math.sqrt(3), Math.sqrt(2 / 3)];
const antiprism = Array.from({ length: 8 }, (_, i) => {
  const angle = (Math.PI / 4) * i;
  return [r * Math.cos(angle), r * Math.sin(angle), i % 2 === 0 ? h : -h];
});
const tetrahedron = [
  [1, 1, 1],
  [1, -1, -1],
  [-1, 1, -1],
  [-1, -1, 1],
].map((v) => v.map((value) => value / Math.sqrt(3)));
const beside = (...groups: number[][][]) => {
  const hidden = groups.reduce((sum, group) => sum + group[0].length, 0);
  let before = 0;
  return groups.flatMap((group) => {
    const at = before;
    before += group[0].length;
    return group.map((v) => Array.from({ length: hidden }, (_, c) => v[c - at] ?? 0));
  });
};
const of = (vectors: number[][]) => ({
  values: vectors.flat(),
  features: vectors.length,
  hidden: vectors[0].length,
});

describe('arrangementOf', () => {
  it('names polygons in the plane', () => {
    const names = ['a triangle', 'a square', 'a pentagon', 'a hexagon', 'a heptagon', 'an octagon'];
    names.forEach((name, i) => {
      expect(arrangementOf(of(polygon(i + 3))).text).toBe(name);
    });
    expect(arrangementOf(of(polygon(9))).text).toBe('a regular polygon of 9');
  });

  it('leaves out what is not represented', () => {
    const { text, missing } = arrangementOf(of([...polygon(5), [0.2, 0.3]]));
    expect(text).toBe('a pentagon');
    expect(missing).toEqual([5]);
    expect(arrangementOf(of([[0.1], [-0.1]])).text).toBe('nothing stored');
  });

  it('names what few features do', () => {
    expect(arrangementOf(of([[1], [-1]])).text).toBe('an antipodal pair');
    expect(arrangementOf(of([[1], [0.1]])).text).toBe('1 alone');
    expect(arrangementOf(of([[1], [-1], [1]])).text).toBe('3 on one line');
    expect(
      arrangementOf(
        of([
          [1, 0],
          [0, 1],
        ]),
      ).text,
    ).toBe('2 alone');
    expect(
      arrangementOf(
        of([
          [1, 0],
          [-1, 0],
          [0, 1],
        ]),
      ).text,
    ).toBe('an antipodal pair and 1 alone');
    expect(
      arrangementOf(
        of([
          [1, 0],
          [0.5, 0.8],
        ]),
      ).text,
    ).toBe('2 features in 2 dimensions');
  });

  it('finds the shapes of blocks in any rotation, with a little noise', () => {
    const vectors = beside(polygon(5), tetrahedron, antiprism, [[1], [-1]], [[1], [-1]], [[1]]);
    const hidden = vectors[0].length;
    const random = new Random(1, 'test');
    const turn = orthonormalRows(hidden, hidden, random);
    const turned = vectors.map((v) =>
      Array.from(
        { length: hidden },
        (_, c) => v.reduce((sum, value, k) => sum + value * turn[k * hidden + c], 0) + 0.01 * random.normal(),
      ),
    );
    expect(arrangementOf(of(turned)).text).toBe(
      'a square antiprism, a pentagon, a tetrahedron, 2 antipodal pairs and 1 alone',
    );
  });
});

it('chance: two random directions on a line are opposite half the time, and no pentagon comes of five in the plane', () => {
  const half = chanceOf(arrangementOf(of([[1], [-1]])), { features: 2, hidden: 1 }, { seed: 1, draws: 1000 });
  expect(Math.abs(half - 0.5)).toBeLessThan(5 * Math.sqrt(0.25 / 1000));
  expect(
    chanceOf(arrangementOf(of(polygon(5))), { features: 5, hidden: 2 }, { seed: 1, draws: 300 }),
  ).toBeLessThan(0.02);
});

describe('planeOf', () => {
  it('leaves one and two dimensions as they are', () => {
    expect([...planeOf(of([[1], [-1]])).points]).toEqual([1, 0, -1, 0]);
    expect(planeOf(of(polygon(3))).share).toBe(1);
  });

  it('finds the plane in which most of the lengths lie', () => {
    const vectors = beside(polygon(5, 2), [[1], [-1]]);
    const { points, share } = planeOf(of(vectors));
    expect(share).toBeCloseTo(20 / 22, 9);
    for (let i = 0; i < 5; i++) expect(Math.hypot(points[2 * i], points[2 * i + 1])).toBeCloseTo(2, 9);
    for (let i = 5; i < 7; i++) expect(Math.hypot(points[2 * i], points[2 * i + 1])).toBeCloseTo(0, 9);
  });
});
