/** The page of a latent in a real browser: evidence before examples, links, keys, and what is said where files are missing or hostile. */
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readAtlasRows } from '../../src/runs/atlas.ts';
import { readComposition } from '../../src/runs/composition.ts';
import { readEvidence, readLatentEvidence } from '../../src/runs/evidence.ts';
import type { Example, Feature } from '../../src/runs/schema.ts';
import { readExamples, readFeatures, writeExamples, writeFeatures } from '../../src/runs/tables.ts';
import { noBrowser } from './browser.ts';
import { type Shown, show, smallSite } from './site.ts';

const HOSTILE = [
  '<img src=x onerror="document.title=\'broken\'">',
  '</script><script>alert(1)</script>',
  'a\u0000b',
  '\u202eright to left\u202c',
  '\u05d0\u05d1',
  'x'.repeat(1_000_000),
  '\n\n\t',
  '\ud800',
  '',
];

describe.skipIf(noBrowser)('the page of a latent', () => {
  let shown: Shown;
  let directory: string;
  let latent: number;
  beforeAll(async () => {
    const site = await smallSite();
    directory = await mkdtemp(join(tmpdir(), 'monosem-feature-'));
    for (const name of ['small', 'bare', 'hostile', 'damaged'])
      for (const file of ['run.json', 'evaluation.json', 'features.parquet', 'examples.parquet'])
        await cp(join(site, 'small', file), join(directory, name, file));
    for (const file of [
      'evidence.json',
      'evidence.parquet',
      'composition.json',
      'composition.parquet',
      'atlas.json',
      'atlas.parquet',
      'directions.parquet',
      'direction_examples.parquet',
    ])
      for (const name of ['small', 'damaged'])
        await cp(join(site, 'small', file), join(directory, name, file));
    await makeHostile(join(directory, 'hostile'));
    await writeFile(join(directory, 'damaged', 'evidence.parquet'), 'PAR1 no table PAR1');
    await writeFile(join(directory, 'damaged', 'evidence.json'), '{"format": 7}');
    const features = (await readFeatures(join(directory, 'small')))!;
    const rows = (await readAtlasRows(join(directory, 'small')))!;
    latent = features.find(
      ({ firings, latent: j }) =>
        firings > 100 && rows[j].neighbours.length > 0 && rows[j].companions.length > 0,
    )!.latent;
    shown = await show(directory);
  });
  afterAll(async () => {
    await shown?.close();
    await rm(directory, { recursive: true });
  });

  const ready = (page: Page, number = latent) =>
    page.locator(`h1:text-is("Latent ${number}") >> visible=true`).waitFor();

  it('answers why one should believe it before what it fires on', async () => {
    const { page, faults } = await shown.open(`#/run/small/feature/${latent}`);
    await page.locator('.window mark').first().waitFor();
    const headings = await page.locator('h2').allInnerTexts();
    expect(headings.slice(0, 2)).toEqual(['Why should I believe this?', 'What does it fire on?']);
    const evidence = (await readLatentEvidence(join(directory, 'small')))![latent];
    const text = await page.locator('main').innerText();
    expect(text.toLowerCase()).toContain(`${evidence.verdict}.`);
    expect(text).toContain(`is ${evidence.probability.toFixed(2)}: `);
    const strips = page.locator('.measures tbody tr');
    expect(await strips.count()).toBe(
      Object.entries(evidence).filter(
        ([key, value]) => `${key}Low` in evidence && !Number.isNaN(value as number),
      ).length,
    );
    // A line for the dictionary and for each null, as evidence.json has them.
    const { dictionaries } = (await readEvidence(join(directory, 'small')))!;
    expect(await strips.first().locator('svg g').count()).toBe(dictionaries.length);
    expect(await strips.first().innerText()).toMatch(/better than (all|\d+ %) of the latents of/);
    expect(faults).toEqual([]);
    await page.close();
  });

  it('marks the token on which it fires, aligned or in whole windows', async () => {
    const { page, faults } = await shown.open(`#/run/small/feature/${latent}`);
    const first = page.locator('.window').first();
    await first.waitFor();
    const example = (await readExamples(join(directory, 'small'), new Set([latent])))!.find(
      ({ kind, rank }) => kind === 'top' && rank === 0,
    )!;
    expect((await first.locator('mark').innerText()).trim()).toBe(example.tokens[example.focus].trim());
    expect(await first.locator('mark').getAttribute('title')).toBe(example.activation.toFixed(2));
    const shade = await first.locator('mark').evaluate((mark) => getComputedStyle(mark).backgroundColor);
    expect(shade).not.toMatch(/, 0\)$|transparent/);
    const lefts = await page
      .locator('.window mark')
      .evaluateAll((marks) => marks.map((mark) => Math.round(mark.getBoundingClientRect().left)));
    expect(new Set(lefts).size).toBe(1);
    await page.getByLabel('whole windows').check();
    expect(await first.innerText()).toContain(
      example.tokens
        .slice(example.focus + 1)
        .join('')
        .trimEnd()
        .slice(0, 8),
    );
    expect(faults).toEqual([]);
    await page.close();
  });

  it('leads to neighbours, to the next latent by keys, and to the lab', async () => {
    const { page, faults } = await shown.open(`#/run/small/feature/${latent}`);
    const link = page.locator('#neighbours tbody a').first();
    await link.waitFor();
    const neighbour = await link.innerText();
    const [nearest] = (await readAtlasRows(join(directory, 'small')))![latent].neighbours;
    expect(neighbour).toBe(String(nearest));
    await link.click();
    await ready(page, nearest);
    await page.goBack();
    await ready(page);
    await page.keyboard.press('j');
    await ready(page, latent + 1);
    await page.waitForFunction(() => document.querySelector('[aria-busy="false"] .window') !== null);
    await page.keyboard.press('k');
    await ready(page);
    await page.locator('.window').first().waitFor();
    await page.keyboard.press('l');
    await page.waitForURL(new RegExp(`#/run/small/lab\\?.*edits=ablate_${latent}$`));
    expect(faults).toEqual([]);
    await page.close();
  });

  it('steps in the order of the table that one came from', async () => {
    const features = (await readFeatures(join(directory, 'small')))!;
    const order = [...features].sort((a, b) => b.density - a.density).map((one) => one.latent);
    const { page, faults } = await shown.open(`#/run/small/feature/${order[0]}?sort=-density`);
    await page.getByText('back to the table of 192').waitFor();
    await page.keyboard.press('j');
    await ready(page, order[1]);
    expect(page.url()).toContain('sort=-density');
    expect(faults).toEqual([]);
    await page.close();
  });

  it('shows what each latent is to others, with the meaning of each edge', async () => {
    const { edges } = (await readComposition(join(directory, 'small')))!;
    const { from } = edges[0];
    const { page, faults } = await shown.open(`#/run/small/feature/${from}`);
    await page.locator('h2#composition ~ h3').first().waitFor();
    const own = edges.filter((edge) => edge.from === from || (edge.to === from && edge.kind !== 'hedges'));
    expect(await page.locator('path.link').count()).toBeGreaterThan(0);
    expect(own.length).toBeGreaterThan(0);
    expect(await page.locator('main').innerText()).toContain('q-value');
    expect(faults).toEqual([]);
    await page.close();
  });

  it('says which command makes what is missing', async () => {
    const { page, faults } = await shown.open(`#/run/bare/feature/${latent}`);
    await page.locator('.window').first().waitFor();
    const text = await page.locator('main').innerText();
    expect(text).toMatch(/may be an artifact of its training\. monosem verdict bare gathers the evidence/);
    expect(text).toMatch(/has no atlas yet: monosem atlas bare/);
    expect(text).toMatch(/not been analysed: monosem verdict bare/);
    expect(faults).toEqual([]);
    await page.close();
  });

  it('says what cannot be read, and shows the rest', async () => {
    const { page, faults } = await shown.open(`#/run/damaged/feature/${latent}`);
    await page.locator('.window').first().waitFor();
    expect(await page.getByRole('alert').innerText()).toMatch(/evidence\.json: .*format/s);
    expect(await page.locator('#neighbours tbody tr').count()).toBeGreaterThan(0);
    expect(faults).toEqual([]);
    await page.close();
  });

  it('says that there is no such latent', async () => {
    const { page, faults } = await shown.open('#/run/small/feature/192');
    expect(await page.getByRole('alert').innerText()).toMatch(/no latent 192: its latents are 0 to 191/);
    expect(faults).toEqual([]);
    await page.close();
  });

  it('shows hostile tokens as text, within the page', async () => {
    const { page, faults } = await shown.open('#/run/hostile/feature/0');
    await page.locator('.window mark').first().waitFor();
    const text = await page.locator('main').innerText();
    expect(text).toContain('<img src=x onerror=');
    expect(text).toContain('a␀b');
    expect(text).toContain('⟨U+202E⟩right to left⟨U+202C⟩');
    expect(text).toContain('∅');
    expect(text.length).toBeLessThan(100_000);
    expect(await page.title()).toBe('Latent 0 of hostile');
    expect(await page.locator('main img, main script').count()).toBe(0);
    expect(await wide(page)).toBe(false);
    await page.getByLabel('whole windows').check();
    expect(await wide(page)).toBe(false);
    await page.setViewportSize({ width: 380, height: 700 });
    expect(await wide(page)).toBe(false);
    expect(faults).toEqual([]);
    await page.close();
  });

  it('needs no more of the examples than the row group of the latent', async () => {
    const { page, faults } = await shown.open('#/');
    const asked: string[] = [];
    page.on('request', (request) => {
      if (request.url().endsWith('/examples.parquet')) asked.push(request.headers().range ?? 'all');
    });
    await page.goto(`${shown.address}#/run/small/feature/${latent}`);
    await page.locator('.window').first().waitFor();
    expect(asked).not.toContain('all');
    expect(faults).toEqual([]);
    await page.close();
  });
});

/** Whether the page can be scrolled sideways. */
function wide(page: Page): Promise<boolean> {
  return page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth);
}

async function makeHostile(directory: string): Promise<void> {
  const features = (await readFeatures(directory))!;
  await writeFeatures(
    directory,
    features.map(
      (row): Feature => ({
        ...row,
        firings: Math.max(1, row.firings),
        topTokens: HOSTILE,
        promotedTokens: HOSTILE,
        promotedLogits: HOSTILE.map(() => 1),
        suppressedTokens: HOSTILE,
        suppressedLogits: HOSTILE.map(() => -1),
      }),
    ),
  );
  const examples = HOSTILE.map(
    (_, focus): Example => ({
      latent: 0,
      kind: 'top',
      quantile: -1,
      rank: focus,
      document: 0,
      sequence: 0,
      position: focus,
      activation: 1 + focus,
      tokens: HOSTILE,
      activations: HOSTILE.map((_, i) => (i === focus ? 1 + focus : i % 2)),
      focus,
    }),
  );
  await writeExamples(directory, examples);
  const run = JSON.parse(await readFile(join(directory, 'run.json'), 'utf8'));
  await writeFile(join(directory, 'run.json'), JSON.stringify({ ...run, name: HOSTILE[0] }));
}
