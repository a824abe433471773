/** What stands behind the pages of the notebook: numbers held against runs, tables to take away, ranges, the search. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ListedEntry } from '../../src/explorer/catalogueSchema.ts';
import type { Entry, Finding } from '../../src/runs/entrySchema.ts';
import { agrees, referenceOf, valuesInEntry, valuesInRun } from '../../web/src/notebook/claimed.ts';
import { withoutHandlers } from '../../web/src/notebook/clean.ts';
import { csvOf, fieldsOf } from '../../web/src/notebook/csv.ts';
import { makes, matching } from '../../web/src/notebook/entries.ts';
import { rangePlot } from '../../web/src/notebook/rangePlot.ts';

describe('numbers that a post states', () => {
  it.each([
    ['0.903', [0.9026639], true],
    ['0.902', [0.9026639], false],
    ['0.90', [0.9026639], true],
    ['1', [0.9026639], true],
    ['−0.33 [−0.37, −0.30]', [-0.3342, -0.3729, -0.2955], true],
    ['−0.33 [−0.37, −0.29]', [-0.3342, -0.3729, -0.2955], false],
    ['0.33', [-0.3342], false],
    ['4,486', [4486], true],
    ['.25', [0.2475], true],
    ['0.25', [null], false],
    ['0.25 [0.2, 0.3]', [0.25, null, null], false],
    ['none', [0], true],
  ])('%s of %j: %s', (text, values, expected) => {
    expect(agrees(text, values)).toBe(expected);
  });

  it('agree as they are rounded, and no longer one unit further', () => {
    fc.assert(
      fc.property(
        fc.double({ min: -1e4, max: 1e4, noNaN: true }),
        fc.integer({ min: 0, max: 6 }),
        (value, places) => {
          expect(agrees(value.toFixed(places), [value])).toBe(true);
          expect(agrees((value + 1.02 * 10 ** -places).toFixed(places), [value])).toBe(false);
        },
      ),
    );
  });

  it('are from a run, an experiment, or their nulls', () => {
    expect(referenceOf('judged#explainedVariance')).toMatchObject({
      path: 'judged',
      name: 'explainedVariance',
      null: undefined,
    });
    expect(referenceOf('a/b#l0 null soft-frozen-decoder')).toMatchObject({
      name: 'l0',
      null: 'soft-frozen-decoder',
    });
    expect(referenceOf('toy/pairs#share, |cos| < .2 null')).toMatchObject({
      path: 'toy/pairs',
      name: 'share, |cos| < .2',
      null: '',
    });
    expect(referenceOf('judged')).toBeUndefined();

    const finding: Finding = {
      name: 'x',
      value: 1,
      low: 0,
      high: 2,
      n: 3,
      null: { name: 'chance', value: 4, low: 3, high: 5 },
    };
    const entry = { findings: [finding] } as unknown as Entry;
    expect(valuesInEntry(entry, referenceOf('e#x')!)).toEqual([1, 0, 2]);
    expect(valuesInEntry(entry, referenceOf('e#x null')!)).toEqual([4, 3, 5]);
    expect(valuesInEntry(entry, referenceOf('e#y')!)).toBeUndefined();

    const metric = { value: 1, low: 0, high: 2, n: 9, nulls: [{ name: 'pca', value: 3, low: 3, high: 3 }] };
    const share = { value: 0, low: 0, high: 0 };
    const judged = {
      name: 'dictionary',
      latents: 9,
      judged: 9,
      supported: 1,
      unsupported: 5,
      undecided: 3,
      supportedShare: share,
      probability: metric,
    };
    const run = (name: string) =>
      valuesInRun(
        { metrics: { l0: metric } },
        {
          dictionaries: [judged, { ...judged, name: 'pca', supported: 7 }],
          classes: [
            { class: 'atom', latents: 8, supported: 0, unsupported: 0, undecided: 8, probability: null },
          ],
        },
        referenceOf(`r#${name}`)!,
      );
    expect(run('l0')).toEqual([1, 0, 2]);
    expect(run('l0 null pca')).toEqual([3, 3, 3]);
    expect(run('l0 null ica')).toBeUndefined();
    expect(run('supported')).toEqual([1]);
    expect(run('supported null pca')).toEqual([7]);
    expect(run('probability')).toEqual([1, 0, 2]);
    expect(run('atom')).toEqual([8]);
    expect(run('constructor')).toBeUndefined();
    expect(valuesInRun(undefined, undefined, referenceOf('r#l0')!)).toBeUndefined();
  });
});

describe('records as a table', () => {
  it('come back from CSV as they were', () => {
    const cell = fc.oneof(fc.string(), fc.double({ noNaN: true }), fc.boolean());
    fc.assert(
      fc.property(fc.array(fc.dictionary(fc.string({ minLength: 1 }), cell), { minLength: 1 }), (rows) => {
        const fields = fieldsOf(rows);
        fc.pre(fields.length > 0);
        const parsed = parseCsv(csvOf(rows));
        expect(parsed[0]).toEqual(fields);
        expect(parsed.slice(1)).toEqual(
          rows.map((row) => fields.map((field) => (Object.hasOwn(row, field) ? String(row[field]) : ''))),
        );
      }),
    );
  });
});

/** RFC 4180, slowly. */
function parseCsv(text: string): string[][] {
  const rows: string[][] = [[]];
  let cell = '';
  for (let i = 0, quoted = false; i < text.length; i++) {
    if (quoted && text[i] === '"' && text[i + 1] === '"') cell += text[i++];
    else if (text[i] === '"') quoted = !quoted;
    else if (!quoted && (text[i] === ',' || text.startsWith('\r\n', i))) {
      rows.at(-1)!.push(cell);
      cell = '';
      if (text[i] === '\r') {
        i++;
        rows.push([]);
      }
    } else cell += text[i];
  }
  return rows.slice(0, -1);
}

describe('a finding on a line', () => {
  const finding = (more: Partial<Finding>): Finding => ({
    name: 'x',
    value: 0.5,
    low: 0.4,
    high: 0.6,
    n: 3,
    ...more,
  });

  it('has value, interval, prediction and null in their order, within the line', () => {
    const number = fc.double({ min: -1e6, max: 1e6, noNaN: true });
    fc.assert(
      fc.property(
        fc.tuple(number, number, number).map((three) => three.sort((a, b) => a - b)),
        number,
        number,
        ([low, value, high], edge, nothing) => {
          const plot = rangePlot(
            finding({
              value,
              low,
              high,
              predicted: { low: edge },
              null: { name: 'n', value: nothing, low: null, high: null },
            }),
          )!;
          const places = [plot.value, ...plot.interval!, ...plot.predicted!, plot.null!];
          for (const place of places) expect(place).toBeGreaterThanOrEqual(0);
          for (const place of places) expect(place).toBeLessThanOrEqual(1);
          expect(plot.predicted![1]).toBe(1);
          // An interval lies within the band just where its numbers lie within what was predicted.
          if (Math.abs(low - edge) > 1e-6) expect(plot.interval![0] >= plot.predicted![0]).toBe(low >= edge);
          expect(plot.interval![0]).toBeLessThanOrEqual(plot.value);
          expect(plot.value).toBeLessThanOrEqual(plot.interval![1]);
        },
      ),
    );
  });

  it('is none without a value, and a point without an interval', () => {
    expect(rangePlot(finding({ value: null, low: null, high: null }))).toBeUndefined();
    expect(rangePlot(finding({ low: null, high: null }))).toMatchObject({
      interval: undefined,
      predicted: undefined,
    });
    expect(rangePlot(finding({ value: 0, low: 0, high: 0 }))!.value).toBeGreaterThan(0);
  });
});

it('handlers of events are renamed before a picture is parsed, in tags and not in texts', () => {
  const text = `<svg onload="1" x="2"/onclick='2'\nONX =3><text>a <b> one = two, on x</text><image href=x onerror=1></svg>`;
  const clean = withoutHandlers(text);
  expect(clean.match(/<[^>]*>/g)!.join('')).not.toMatch(/[\s"'/]on[a-z]+\s*=/i);
  expect(clean).toContain('one = two, on x');
});

it('experiments are found by all words, and carried out again as they were', () => {
  const entry = (path: string, title: string) => ({ path, title, claim: 'A claim.' }) as ListedEntry;
  const entries = [entry('toy/pairs', 'What fires together'), entry('toy/bits', 'Distortion')];
  expect(matching(entries, '')).toEqual(entries);
  expect(matching(entries, ' FIRES claim ')).toEqual([entries[0]]);
  expect(matching(entries, 'toy/bits')).toEqual([entries[1]]);
  expect(matching(entries, 'fires distortion')).toEqual([]);
  expect(makes({ experiment: 'pairs', quick: true, seed: 3 })).toBe('npx monosem toy pairs --quick --seed 3');
  expect(makes('deep/toy/pairs')).toBe('npx monosem toy pairs');
});
