/** The notebook and the blog in a real browser: verdicts, findings, live figures, posts and their numbers. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readEntry } from '../../src/runs/entry.ts';
import { noBrowser } from './browser.ts';
import { type Shown, show, smallSite } from './site.ts';

const ENTRY = '#/notebook/toy%2Ffive-features';

const post = (name: string, body: string) =>
  `---\ntitle: ${name}\ndate: 2026-01-31\nsummary: about it\n---\n${body}\n`;

describe.skipIf(noBrowser)('notebook and blog', () => {
  let shown: Shown;
  let notebook: string;
  let runs: string;
  beforeAll(async () => {
    runs = await smallSite();
    notebook = await mkdtemp(join(tmpdir(), 'monosem-notebook-'));
    const [{ name, value }] = (await readEntry(join(runs, 'toy', 'five-features'))).findings;
    const { metrics } = JSON.parse(await readFile(join(runs, 'small', 'evaluation.json'), 'utf8'));
    const variance = metrics.explainedVariance.value as number;
    await writeFile(
      join(notebook, 'numbers.md'),
      post(
        'Numbers',
        `True is [${value!.toFixed(3)}](<run:toy/five-features#${name}>) and [${variance.toFixed(2)}](run:small#explainedVariance).

Wrong is [${(variance + 0.1).toFixed(2)}](run:small#explainedVariance). Elsewhere is [7](run:other#l0).

![My caption](figure:toy/five-features/squares) and in the text.

![Not here](figure:toy/pairs/restarts)

![No such](figure:toy/five-features/nothing)

[out](https://example.org/)`,
      ),
    );
    await writeFile(join(notebook, 'second.md'), post('Second', 'Text.').replace('2026-01', '2026-03'));
    await writeFile(join(notebook, 'broken.md'), 'no head');
    shown = await show(runs, notebook);
  });
  afterAll(async () => {
    await shown?.close();
    await rm(notebook, { recursive: true, force: true });
  });

  it('lists experiments by verdict; a filter, a search and keys lead to them', async () => {
    const { page, faults } = await shown.open('#/notebook');
    const { verdict } = await readEntry(join(runs, 'toy', 'five-features'));
    await page.locator('article').waitFor();
    expect(await page.locator('article').innerText()).toMatch(/Five features in the plane.*quick/s);
    const filters = page.getByRole('navigation', { name: 'By verdict' });
    await filters.getByRole('link', { name: `${verdict} 1`, exact: true }).click();
    expect(await page.locator('article').count()).toBe(1);
    await filters.getByRole('link', { name: / 0$/ }).first().click();
    await page.waitForFunction(() => document.querySelectorAll('article').length === 0);
    await filters.getByRole('link', { name: 'all 1' }).click();
    await page.keyboard.press('/');
    await page.keyboard.type('hexagons');
    await page.getByText('No title or claim has these words').waitFor();
    await page.locator('main input[type=search]').fill('plane');
    await page.locator('main input[type=search]').blur();
    await page.keyboard.press('j');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { level: 1, name: 'Five features in the plane' }).waitFor();
    expect(faults).toEqual([]);
    await page.close();
  });

  it('shows an experiment with its prediction, findings and how to carry it out again', async () => {
    const { page, faults } = await shown.open(ENTRY);
    const entry = await readEntry(join(runs, 'toy', 'five-features'));
    await page.locator('.said').waitFor();
    const text = await page.locator('main').innerText();
    for (const part of [entry.claim, entry.prediction, entry.because, entry.source])
      expect(text).toContain(part);
    expect(text).toContain('npx monosem toy five-features --quick --seed 0');
    const rows = page.locator('tbody tr:has(td)');
    expect(await rows.count()).toBe(entry.findings.length);
    const first = await rows.first().innerText();
    expect(first).toContain(entry.findings[0].name);
    expect(first).toMatch(/1\.95 to 2\.1/);
    expect(await rows.first().locator('svg .predicted').count()).toBe(1);
    expect(faults).toEqual([]);
    await page.close();
  });

  it('reads a figure at the pointer and by keys, as numbers, as files, and large', async () => {
    const { page, faults } = await shown.open(ENTRY);
    const { figures } = await readEntry(join(runs, 'toy', 'five-features'));
    const index = figures.findIndex(({ name }) => name === 'squares');
    const figure = page.locator('figure').nth(index);
    const drawing = figure.locator('.drawing');
    // A picture that comes later would move those below it.
    await page.waitForFunction(
      (all) => document.querySelectorAll('.drawing svg').length === all,
      figures.length,
    );
    await figure.scrollIntoViewIfNeeded();
    await drawing.locator('circle').first().hover({ force: true });
    const readout = figure.locator('.reading');
    await page.waitForFunction(() => document.querySelector('.ring') !== null);
    // The record itself is said: its fields, not the axes' names.
    expect(await readout.innerText()).toMatch(/probability [\d.]+.*squares [\d.]+/);

    await page.mouse.move(0, 0);
    await drawing.focus();
    await page.keyboard.press('ArrowRight');
    const left = await drawing.getAttribute('aria-valuetext');
    await page.keyboard.press('ArrowRight');
    expect(left).toMatch(/probability/);
    expect(await drawing.getAttribute('aria-valuenow')).toBe('1');

    await figure.getByRole('button', { name: 'numbers' }).click();
    expect(await figure.locator('.rows tbody tr').count()).toBe(Math.min(500, figures[index].data.length));
    const [csv] = await Promise.all([
      page.waitForEvent('download'),
      figure.getByRole('button', { name: 'CSV' }).click(),
    ]);
    expect(csv.suggestedFilename()).toBe('five-features-squares.csv');
    const lines = (await readFile(await csv.path(), 'utf8')).trimEnd().split('\r\n');
    expect(lines[0]).toBe(Object.keys(figures[index].data[0]).join(','));
    expect(lines.length).toBe(figures[index].data.length + 1);
    const [json] = await Promise.all([
      page.waitForEvent('download'),
      figure.getByRole('button', { name: 'JSON' }).click(),
    ]);
    expect(JSON.parse(await readFile(await json.path(), 'utf8'))).toEqual(figures[index].data);

    const small = (await drawing.locator('svg').boundingBox())!.width;
    await figure.getByRole('button', { name: 'enlarge' }).click();
    const large = page.getByRole('dialog').locator('svg');
    await large.waitFor();
    expect((await large.boundingBox())!.width).toBeGreaterThan(small);
    await page.keyboard.press('Escape');
    await page.waitForFunction(() => document.querySelector('dialog[open]') === null);
    expect(faults).toEqual([]);
    await page.close();
  });

  it('is legible in light and dark: the picture takes the colours of the page', async () => {
    const { page, faults } = await shown.open(ENTRY);
    await page.locator('.drawing svg').first().waitFor();
    const colour = (theme: string) =>
      page.evaluate((name) => {
        document.documentElement.dataset.theme = name;
        const text = document.querySelector('.drawing svg text')!;
        return getComputedStyle(text).fill;
      }, theme);
    expect(await colour('light')).not.toBe(await colour('dark'));
    expect(faults).toEqual([]);
    await page.close();
  });

  it('lists posts, the newest first, with those that cannot be read', async () => {
    const { page, faults } = await shown.open('#/blog');
    await page.locator('article').first().waitFor();
    expect(await page.locator('article h3').allInnerTexts()).toEqual(['Second', 'Numbers']);
    expect(await page.locator('.message').innerText()).toMatch(/broken\.md: no head/);
    await page.keyboard.press('j');
    await page.keyboard.press('j');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { level: 1, name: 'Numbers' }).waitFor();
    await page.keyboard.press('k');
    await page.getByRole('heading', { level: 1, name: 'Second' }).waitFor();
    expect(faults).toEqual([]);
    await page.close();
  });

  it('holds numbers against their runs, and figures against their experiments', async () => {
    const { page, faults } = await shown.open('#/blog/numbers');
    await page.locator('.post .drawing svg').waitFor();
    await page.locator('.post .problem').waitFor();
    expect(await page.locator('.post a.from-run').count()).toBe(3);
    expect(await page.locator('.post .problem').allInnerTexts()).toEqual([
      expect.stringMatching(/here small has 0\.\d+/),
    ]);
    expect(await page.locator('.post span.from-run').getAttribute('title')).toBe(
      'from other, which is not here',
    );
    expect(await page.locator('.post figcaption').first().innerText()).toBe('My caption');
    expect(await page.locator('.missing').innerText()).toMatch(/Not here\s+.*npx monosem toy pairs/s);
    expect(await page.locator('.post .message').innerText()).toMatch(
      /five-features has no figure nothing; it has/,
    );
    expect(await page.getByRole('link', { name: 'out' }).getAttribute('rel')).toBe('noreferrer');
    expect(faults).toEqual([]);
    await page.close();
  });

  it('has a feed that the page names', async () => {
    const { page, faults } = await shown.open('#/blog');
    const address = await page
      .locator('link[rel=alternate]')
      .evaluate((link) => (link as HTMLLinkElement).href);
    const feed = await page.evaluate(async (url) => {
      const response = await fetch(url);
      const parsed = new DOMParser().parseFromString(await response.text(), 'application/xml');
      return {
        type: response.headers.get('content-type'),
        fault: parsed.querySelector('parsererror')?.textContent,
        titles: [...parsed.querySelectorAll('entry > title')].map((title) => title.textContent),
      };
    }, address);
    expect(feed).toEqual({
      type: expect.stringMatching(/^application\/atom\+xml/),
      fault: undefined,
      titles: ['Second', 'Numbers'],
    });
    expect(faults).toEqual([]);
    await page.close();
  });

  it('says what is not there', async () => {
    for (const [place, message] of [
      ['#/notebook/toy%2Fpairs', /there is no experiment toy\/pairs here; npx monosem toy pairs makes it/],
      ['#/blog/nothing', /there is no post nothing here/],
      ['#/blog/broken', /no head/],
    ] as const) {
      const { page, faults } = await shown.open(place);
      await page.locator('.message').waitFor();
      expect(await page.locator('.message').innerText()).toMatch(message);
      expect(faults).toEqual([]);
      await page.close();
    }
  });
});
