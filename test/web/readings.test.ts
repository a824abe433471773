/** Drawings read by their axes and their records, against the records that they were drawn from. */
import * as Plot from '@observablehq/plot';
import * as fc from 'fast-check';
import { parseHTML } from 'linkedom';
import { describe, expect, it } from 'vitest';
import { figure } from '../../src/report/figure.ts';
import { axisOf, numberIn } from '../../web/src/notebook/axis.ts';
import { nearest, readingsOf } from '../../web/src/notebook/readings.ts';

type Data = Record<string, number | string | boolean>[];

const read = (data: Data, options: Plot.PlotOptions) => {
  const { svg, data: stored } = figure('one', 'a picture', data, options);
  const { document } = parseHTML(`<main>${svg}</main>`);
  return readingsOf(document.querySelector('svg') as unknown as Element, stored);
};
const said = (readings: ReturnType<typeof read>) =>
  readings.map((reading) => Object.fromEntries(reading.said));

describe('axes', () => {
  it.each([
    ['0.5', 0.5],
    ['−2', -2],
    ['1e−4', 1e-4],
    ['20k', 20_000],
    ['12.3 M', 12.3e6],
    ['1,000', 1000],
    ['5%', 0.05],
    ['.25', 0.25],
    ['topk', undefined],
    ['', undefined],
    ['1-2', undefined],
  ])('%s at a tick', (text, value) => {
    const found = numberIn(text);
    if (value === undefined) expect(found).toBeUndefined();
    else expect(found).toBeCloseTo(value, 12);
  });

  it('are told apart, linear and logarithmic, either way up', () => {
    fc.assert(
      fc.property(
        fc.boolean(),
        fc.integer({ min: 60, max: 600 }),
        fc.integer({ min: 3, max: 9 }),
        (up, length, n) => {
          const place = (share: number) => (up ? length * (1 - share) : length * share);
          const steps = Array.from({ length: n }, (_, i) => i);
          const linear = axisOf(steps.map((i) => ({ at: place(i / (n - 1)), text: String(10 + 5 * i) })))!;
          expect(linear.valueAt(place(0.5))).toBeCloseTo(10 + 2.5 * (n - 1), 6);
          expect(linear.placeOf(10)).toBeCloseTo(place(0), 6);
          const log = axisOf(
            [1, 2, 5, 10].map((value) => ({ at: place(Math.log10(value)), text: String(value) })),
          )!;
          expect(log.valueAt(place(0.5))).toBeCloseTo(10 ** 0.5, 6);
        },
      ),
    );
  });

  it('are told where what is written is rounded, and 0 is read as 0', () => {
    const values = [6.24, 7.253, 8.218, 9.249, 10.16, 11.24, 15.2];
    const log = axisOf(values.map((value) => ({ at: 600 * Math.log(value), text: value.toPrecision(3) })))!;
    expect(log.valueAt(600 * Math.log(9))).toBeCloseTo(9, 1);
    const linear = axisOf([-1, 0, 1].map((value) => ({ at: 100 * value + 0.1, text: String(value) })))!;
    expect(linear.readAt(0.2)).toBe(0);
    expect(linear.readAt(20)).toBeCloseTo(0.2, 2);
  });

  it('of words, of another scale, or with too few ticks are none', () => {
    const ticks = (...pairs: [number, string][]) => axisOf(pairs.map(([at, text]) => ({ at, text })));
    expect(ticks([0, 'a'], [10, 'b'], [20, 'c'])).toBeUndefined();
    expect(ticks([0, '0'], [10, '1'])).toBeUndefined();
    // A square root.
    expect(ticks([0, '0'], [100, '1'], [141.4, '2'], [200, '4'])).toBeUndefined();
    expect(ticks()).toBeUndefined();
  });
});

describe('marks', () => {
  it('say the record that they were drawn from, whatever the data', () => {
    const record = fc.record({
      a: fc.double({ min: -50, max: 50, noNaN: true }),
      b: fc.double({ min: 0.01, max: 900, noNaN: true }),
      kind: fc.constantFrom('x', 'y'),
    });
    fc.assert(
      fc.property(fc.array(record, { minLength: 4, maxLength: 30 }), (data) => {
        const readings = read(data, {
          x: { domain: [-50, 50] },
          y: { type: 'log', domain: [0.01, 1000] },
          marks: [Plot.dot(data, { x: 'a', y: 'b' })],
        });
        expect(readings.length).toBe(data.length);
        const close = (stated: string, value: number) =>
          Math.abs(Number(stated.replace('−', '-')) - value) <= 1e-3 * Math.abs(value) + 1e-9;
        for (const one of said(readings)) {
          // Records in the same place may differ in the rest, which is then not said.
          const its = data.filter(
            ({ a, b, kind }) =>
              (one.a === undefined || close(one.a, a)) &&
              (one.b === undefined || close(one.b, b)) &&
              (one.kind ?? kind) === kind,
          );
          expect(its.length).toBeGreaterThan(0);
        }
      }),
      { numRuns: 20 },
    );
  });

  it('in facets and by a reciprocal, too', () => {
    const data = ['p', 'q'].flatMap((panel) =>
      [0.5, 0.2, 0.1, 0.05].map((probability, i) => ({
        panel,
        probability,
        value: i + (panel === 'p' ? 0 : 0.5),
      })),
    );
    const readings = read(data, {
      fx: { label: null },
      x: { type: 'log' },
      marks: [Plot.dot(data, { fx: 'panel', x: (row) => 1 / row.probability, y: 'value' })],
    });
    expect(readings.length).toBe(8);
    for (const row of data)
      expect(said(readings)).toContainEqual({
        panel: row.panel,
        probability: String(row.probability),
        value: String(row.value),
      });
    // Of the right facet: what is drawn further right is read further right.
    const places = readings.map(({ x, said }) => [x, Object.fromEntries(said).panel] as const);
    const rightmostOfP = Math.max(...places.filter(([, panel]) => panel === 'p').map(([x]) => x));
    expect(places.filter(([, panel]) => panel === 'q').every(([x]) => x > rightmostOfP)).toBe(true);
  });

  it('say only what the axes say where no record stands there', () => {
    const data = [1, 2, 3, 4].map((x) => ({ x, y: x * x }));
    const readings = read([{ other: 5 }], {
      x: { label: 'across →' },
      y: { label: '↑ up' },
      marks: [Plot.dot(data, { x: 'x', y: 'y' })],
    });
    expect(said(readings)[1]).toEqual({ across: '2', up: '4' });
  });

  it('say the category where an axis has no numbers', () => {
    const data = [1, 2, 3, 4].map((x) => ({ x, kind: x % 2 ? 'odd' : 'even' }));
    const readings = read([{ other: 5 }], {
      x: { label: 'across' },
      y: { type: 'point', label: null },
      marks: [Plot.dot(data, { x: 'x', y: 'kind' })],
    });
    expect(readings.map(({ said }) => said)).toContainEqual([
      ['across', '3'],
      ['', 'odd'],
    ]);
  });

  it('say their records on an axis that is logarithmic on both sides of 0', () => {
    const data = [-20, -3, -0.02, 0, 0.3, 7].map((x, i) => ({ x, y: i }));
    const readings = read(data, {
      x: { type: 'symlog', constant: 0.1, ticks: [-10, -1, -0.1, 0, 0.1, 1, 10], tickFormat: String },
      marks: [Plot.dot(data, { x: 'x', y: 'y' })],
    });
    expect(said(readings).map((one) => one.x)).toEqual(['−20', '−3', '−0.02', '0', '0.3', '7']);
  });

  it('say what records in one place have in common, and no more', () => {
    const data = [...[1, 2, 3, 4].map((x) => ({ x, y: x, seed: 0 })), { x: 2, y: 2, seed: 1 }];
    const readings = read(data, { marks: [Plot.dot(data, { x: 'x', y: 'y' })] });
    const there = said(readings).filter((one) => one.x === '2');
    expect(there).toEqual([
      { x: '2', y: '2' },
      { x: '2', y: '2' },
    ]);
    expect(said(readings)[0]).toEqual({ x: '1', y: '1', seed: '0' });
  });

  it('are the corners of lines, too, where dots are few', () => {
    const data = [1, 2, 3, 4, 5].map((x) => ({ x, y: x * 10 }));
    const readings = read(data, {
      marks: [Plot.line(data, { x: 'x', y: 'y' }), Plot.dot([{ x: 2.5, y: 0 }], { x: 'x', y: 'y' })],
    });
    expect(readings.length).toBe(6);
    expect(said(readings)).toContainEqual({ x: '2.5', y: '0' });
  });

  it('are the corners of lines where there are no dots, and none where there are no axes', () => {
    const data = [1, 2, 3, 4].map((x) => ({ x, y: x * 10 }));
    expect(said(read(data, { marks: [Plot.line(data, { x: 'x', y: 'y' })] }))).toEqual(
      data.map(({ x, y }) => ({ x: String(x), y: String(y) })),
    );
    expect(
      read(data, { x: { axis: null }, y: { axis: null }, marks: [Plot.dot(data, { x: 'x', y: 'y' })] }),
    ).toEqual([]);
  });

  it('are the ends of links without axes, where two fields place them all, and else none', () => {
    const data = ['p', 'q'].flatMap((panel, p) =>
      [0, 1, 2, 3].map((i) => ({ panel, feature: i, a: Math.cos(i + p), b: Math.sin(2 * i + p) })),
    );
    const draw = (links: typeof data) => ({
      x: { axis: null, domain: [-1, 1] },
      y: { axis: null, domain: [-1, 1] },
      fx: { label: null },
      marks: [Plot.link(links, { fx: 'panel', x1: 0, y1: 0, x2: 'a', y2: 'b' })],
    });
    const found = said(read(data, draw(data)));
    expect(found.length).toBe(8);
    for (const { panel, feature } of data)
      expect(found).toContainEqual(expect.objectContaining({ panel, feature: String(feature) }));
    expect(read(data.toReversed(), draw(data))).toEqual([]);
    expect(read(data.slice(1), draw(data))).toEqual([]);
  });

  it('are found by the nearest, within reach', () => {
    const readings = [0, 10, 20].map((x) => ({ x, y: 0, said: [] }));
    expect(nearest(readings, 11, 2, 5)).toBe(1);
    expect(nearest(readings, 11, 20, 5)).toBeUndefined();
    expect(nearest([], 0, 0, 5)).toBeUndefined();
  });
});
