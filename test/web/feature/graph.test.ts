/** What a latent is to others, grouped and placed. */
import { describe, expect, it } from 'vitest';
import type { StoredEdge } from '../../../src/runs/compositionSchema.ts';
import { edgeGroups, hasPage, otherEnd, pictureOf } from '../../../web/src/feature/graph.ts';

const edge = (kind: StoredEdge['kind'], from: number, to: number, strength = 0.5, atom = -1): StoredEdge => ({
  kind,
  from,
  to,
  atom,
  strength,
  pValue: 0.01,
  qValue: 0.02,
});

describe('edges of a latent', () => {
  it('are grouped by kind and by which end it is, strongest first', () => {
    const groups = edgeGroups(7, [
      edge('split', 7, 1, 0.5),
      edge('split', 7, 2, 0.9),
      edge('split', 3, 7),
      edge('composed', 7, -1, 0.4, 12),
      edge('hedges', 7, 99),
    ]);
    expect(groups.map(({ kind, outward }) => [kind, outward])).toEqual([
      ['composed', true],
      ['split', true],
      ['hedges', true],
      ['split', false],
    ]);
    expect(groups[1].edges.map((one) => otherEnd(groups[1], one))).toEqual([2, 1]);
    expect(otherEnd(groups[3], groups[3].edges[0])).toBe(3);
    expect(groups[1].meaning).not.toBe(groups[3].meaning);
  });

  it('lead to a page only where the other end is a latent of the same dictionary', () => {
    const groups = edgeGroups(7, [
      edge('composed', 7, -1, 0.4, 12),
      edge('composed', 7, 0),
      edge('hedges', 7, 99),
    ]);
    const pages = groups.map((group) => group.edges.map((one) => hasPage(group, one)));
    expect(pages).toEqual([[true, false], [false]]);
  });

  it('are placed apart, few on each side, and the rest is counted', () => {
    const many = Array.from({ length: 30 }, (_, i) => edge('absorbs', i + 10, 7, i / 30));
    const { nodes, left, height, width } = pictureOf(edgeGroups(7, [...many, edge('split', 7, 1)]));
    expect(nodes.length + left).toBe(31);
    expect(nodes.filter(({ group }) => !group.outward).length).toBeLessThanOrEqual(8);
    for (const { x, y } of nodes) {
      expect(x).toBeGreaterThanOrEqual(0);
      expect(x).toBeLessThanOrEqual(width);
      expect(y).toBeGreaterThan(0);
      expect(y).toBeLessThan(height);
    }
    expect(new Set(nodes.map(({ x, y }) => `${x} ${y}`)).size).toBe(nodes.length);
  });
});
