/**
 * Directories from strangers: markup in names and tokens, strings without end, files that are missing, damaged or of the wrong type.
 * Every page says what is wrong with which file, or shows the text as text; none is blank, and nothing of it runs.
 */
import { mkdir, mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeParquet } from '../../src/formats/parquet.ts';
import { createRun, RUN_FILES, writeEvaluation } from '../../src/runs/directory.ts';
import { writeEntry } from '../../src/runs/entry.ts';
import { writeExamples, writeFeatures } from '../../src/runs/tables.ts';
import { syntheticEvaluation, syntheticLatents, syntheticRun } from '../report/syntheticRun.ts';
import { noBrowser } from './browser.ts';
import { settled } from './settled.ts';
import { type Shown, show } from './site.ts';

const MARKUP = '<img src=x onerror="window.owned=1"><script>window.owned=1</script>';
const LONG = 'a'.repeat(1_000_000);
const ODD = '\u202Eright to left\u0000\u0007\uD800';

describe.skipIf(noBrowser)('hostile directories', () => {
  let root: string;
  let shown: Shown;

  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'monosem-hostile-'));
    const run = syntheticRun(64);
    const { features, examples } = syntheticLatents(64);
    const tokens = [MARKUP, LONG, ODD];

    const markup = join(root, 'markup');
    await createRun(markup, { ...run, name: MARKUP });
    await writeEvaluation(markup, syntheticEvaluation());
    await writeFeatures(
      markup,
      features.map((feature) => (feature.latent === 1 ? { ...feature, topTokens: tokens } : feature)),
    );
    await writeExamples(
      markup,
      examples.map((example) =>
        example.latent === 1 && example.rank === 0 && example.quantile === -1
          ? { ...example, tokens: example.tokens.map((_, i) => (i < 3 ? tokens[i] : MARKUP)) }
          : example,
      ),
    );

    await createRun(join(root, 'bare'), run);

    const damaged = join(root, 'damaged');
    await createRun(damaged, run);
    for (const file of Object.values(RUN_FILES))
      if (file.endsWith('.parquet')) await writeFile(join(damaged, file), 'PAR1 not really PAR1');
      else if (file !== RUN_FILES.run && /\.json/.test(file))
        await writeFile(join(damaged, file), '{"format": [');

    const torn = join(root, 'torn');
    await createRun(torn, run);
    await writeFeatures(torn, features);
    await truncate(join(torn, RUN_FILES.features), 300);

    const wrong = join(root, 'wrong');
    await createRun(wrong, run);
    await writeParquet(join(wrong, RUN_FILES.features), [
      { name: 'latent', data: ['zero', 'one'] },
      { name: 'density', data: [MARKUP, MARKUP] },
    ]);
    await writeFile(join(wrong, RUN_FILES.evaluation), JSON.stringify({ format: 1, metrics: MARKUP }));

    await mkdir(join(root, 'unreadable'));
    await writeFile(join(root, 'unreadable', RUN_FILES.run), `{"name": "${'x'.repeat(100_000)}"}`);

    await writeEntry(join(root, 'entry'), {
      format: 1,
      experiment: 'hostile',
      title: MARKUP,
      claim: MARKUP,
      prediction: ODD,
      source: 'javascript:window.owned=1',
      findings: [{ name: MARKUP, value: 1, low: 0, high: 2, n: 1 }],
      figures: [
        {
          name: 'bad',
          caption: MARKUP,
          data: [{ [MARKUP]: MARKUP }],
          svg: `<svg xmlns="http://www.w3.org/2000/svg" onload="window.owned=1">${MARKUP}<foreignObject><iframe src="https://evil.example"></iframe></foreignObject><a href="javascript:window.owned=1"><text>click</text></a><image href="https://evil.example/x.png"/><style>@import url(https://evil.example);</style><rect width="9" height="9"/></svg>`,
        },
      ],
      verdict: 'held',
      because: MARKUP,
      quick: false,
      seed: 0,
      created: '2026-11-20T09:41:00Z',
      seconds: 1,
      versions: { monosem: '0', node: '0' },
      machine: run.machine,
    });
    await mkdir(join(root, 'notebook'));
    await writeFile(
      join(root, 'notebook', 'bad.md'),
      `---\ntitle: ${MARKUP}\ndate: 2026-01-01\nsummary: ${MARKUP}\n---\n${MARKUP}\n\n[click](javascript:window.owned=1)\n\n![x](https://evil.example/x.png)\n`,
    );
    await writeFile(join(root, 'notebook', 'headless.md'), MARKUP);
    shown = await show(root);
  });
  afterAll(async () => {
    await shown?.close();
    await rm(root, { recursive: true, force: true });
  });

  const ofRun = (run: string) =>
    [
      '',
      '/features',
      '/feature/1',
      '/feature/99',
      '/map',
      '/neurons',
      '/neurons/neuron/0',
      '/neurons/nothing/7',
      '/lab',
    ].map((page) => `#/run/${run}${page}`);
  const told: [string, RegExp][] = [
    ['#/run/bare/features', /features\.parquet/],
    ['#/run/damaged/features', /features\.parquet.*cannot be read/s],
    ['#/run/torn/features', /features\.parquet/],
    ['#/run/wrong/features', /features\.parquet.*there is no column max_activation; it has latent, density/s],
    ['#/run/unreadable', /run\.json/],
    ['#/run/no%20such%20run', /there is no run no such run/],
    ['#/blog', /headless\.md: no head/],
    ['#/', /unreadable/],
  ];
  const places = [
    '',
    ...[
      'markup',
      'bare',
      'damaged',
      'torn',
      'wrong',
      'unreadable',
      'no%20such%20run',
      '..%2F..%2Fetc',
      '%E0%A4%A',
    ].flatMap(ofRun),
    '#/run/markup/compare/bare',
    '#/run/markup/features?q=%3Cscript%3E&sort=constructor&min=NaN&class=__proto__',
    '#/notebook',
    '#/notebook/entry',
    '#/notebook/no-such',
    '#/blog',
    '#/blog/bad',
    '#/blog/headless',
    '#/blog/..%2Fbad',
    `#/playground?n=${'9'.repeat(400)}&m=-1&density=NaN&seed=%00`,
  ];

  it('are shown on every page without anything of them running', async () => {
    const { page, faults } = await shown.open('');
    const shownAs: [string, string][] = [];
    for (const place of places) {
      await go(page, place);
      const text = await page.locator('main').innerText();
      const owned = await page.evaluate(() => (window as unknown as { owned?: number }).owned);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth + 1);
      if (text.trim().length <= 20) shownAs.push([place, `nearly nothing: ${text}`]);
      if (owned !== undefined) shownAs.push([place, 'it ran']);
      if (wide) shownAs.push([place, 'wider than the window']);
    }
    expect(shownAs).toEqual([]);
    // What the server refuses is said on the page, and the browser notes it as well, as it does handlers that the policy refuses.
    const noted = /status of 40[04]|Executing inline event handler violates/;
    expect(faults.filter((fault) => !noted.test(fault))).toEqual([]);
    await page.close();
  });

  it('have no token that turns the text around it', async () => {
    const { page } = await shown.open('#/run/markup/features');
    const row = page.locator('.row', { hasText: 'onerror' });
    await row.waitFor();
    expect(await row.innerText()).not.toContain('\u202E');
    await page.close();
  });

  it('are told with the file and what is wrong with it', async () => {
    const { page } = await shown.open('');
    for (const [place, message] of told) {
      await go(page, place);
      await page
        .getByText(message)
        .first()
        .waitFor({ timeout: 5000 })
        .catch(() => {});
      expect([place, await page.locator('main').innerText()]).toEqual([
        place,
        expect.stringMatching(message),
      ]);
    }
    await page.close();
  });
});

/** Shows the page at a place, and waits until nothing is being read any more. */
async function go(page: Page, place: string): Promise<void> {
  await page.evaluate((hash) => {
    location.hash = hash;
  }, place);
  await page.waitForTimeout(50);
  await settled(page);
}
