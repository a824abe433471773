/** The playground in a real browser, as a published copy has it, from a plain file server: no server of ours, no special headers. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pagesDirectory } from '../../src/explorer/pages.ts';
import { publishSite } from '../../src/explorer/publish.ts';
import { launch, noBrowser, visit } from './browser.ts';
import { serveFiles } from './staticServer.ts';

describe.skipIf(noBrowser)('the playground', () => {
  let root: string;
  let host: Awaited<ReturnType<typeof serveFiles>>;
  let browser: Browser;

  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'monosem-playground-'));
    for (const name of ['runs', 'notebook']) await mkdir(join(root, name));
    const sources = { runs: join(root, 'runs'), notebook: join(root, 'notebook') };
    await publishSite(sources, await pagesDirectory(), join(root, 'site'));
    host = await serveFiles(join(root, 'site'), '/below/');
    browser = await launch();
  });
  afterAll(async () => {
    await browser?.close();
    await host?.close();
    await rm(root, { recursive: true, force: true });
  });

  const open = (asked: string) => visit(browser, new URL(`#/playground?${asked}`, host.address).href);
  /** What the page says when the models have come to rest. */
  const atRest = async (page: Page) => {
    const said = page.getByRole('status').filter({ hasText: 'At rest' });
    await said.waitFor({ state: 'attached', timeout: 50_000 });
    return said.innerText();
  };
  const picture = (page: Page) => page.locator('figure.plane svg').innerHTML();

  it('reaches an antipodal pair, and says how fast', async () => {
    const { page, faults } = await open('n=2&m=1&p=0.05');
    expect(await atRest(page)).toMatch(/2 features in 1 dimension, an antipodal pair, loss 0\.000\d/);
    expect(await page.locator('.live').innerText()).toMatch(
      /step 1,000 of 1,000 · [\d,]+ steps\/s · 8 models on Web/,
    );
    expect(await page.locator('.tally').innerText()).toMatch(/random directions make .* in \d+ of 400/);
    expect(await page.getByRole('img', { name: /an antipodal pair, loss/ }).count()).toBe(1);
    expect(faults).toEqual([]);
    await page.close();
  });

  it('shows the same picture for the same address, and halts where it says', async () => {
    const asked = 'n=5&m=2&p=0.05&steps=400&restarts=4&seed=7&device=wasm';
    const pictures: string[] = [];
    for (const address of [asked, asked, `${asked}&at=100`]) {
      const { page, faults } = await open(address);
      await atRest(page);
      pictures.push(await picture(page));
      if (address !== asked) {
        expect(await page.locator('.live').innerText()).toMatch(/step 100 of 400/);
        await page.getByRole('button', { name: 'go on' }).click();
        await page.locator('.live').filter({ hasText: 'step 400 of 400' }).waitFor();
        await atRest(page);
        pictures.push(await picture(page));
      }
      expect(faults).toEqual([]);
      await page.close();
    }
    const [first, second, halted, resumed] = pictures;
    expect(second).toBe(first);
    expect(halted).not.toBe(first);
    expect(resumed).toBe(first);
  });

  it('goes by keys: sliders, another seed, and the address follows', async () => {
    const { page, faults } = await open('steps=200&restarts=2');
    await atRest(page);
    await page.getByRole('slider', { name: 'features n' }).focus();
    await page.keyboard.press('ArrowRight');
    await page.waitForURL(/[?&]n=6&/);
    await page.getByRole('button', { name: 'another seed' }).focus();
    await page.keyboard.press('Enter');
    await page.waitForURL(/[?&]seed=2(&|$)/);
    await page.waitForFunction(() =>
      document.querySelector('[role=status]')?.textContent?.includes('6 features'),
    );
    expect(faults).toEqual([]);
    await page.close();
  });

  it('trains a dictionary that finds the features of a pentagon, and says what chance would', async () => {
    const { page, faults } = await open('');
    expect(await atRest(page)).toMatch(/a pentagon/);
    await page.getByRole('button', { name: 'TopK' }).click();
    const row = page.getByRole('row', { name: /^found/ });
    await row.waitFor({ timeout: 90_000 });
    expect(await row.innerText()).toMatch(/found\s+5\s+5\.0 \[5\.0, 5\.0\]\s+[1-3]\.\d \[/);
    expect(page.url()).toMatch(/dictionary=topk/);
    expect(faults).toEqual([]);
    await page.close();
  }, 180_000);

  it('computes also where workers share memory, which jax-js then does its work in', async () => {
    const page = await browser.newPage();
    const faults: string[] = [];
    page.on('console', (message) => message.type() === 'error' && faults.push(message.text()));
    await page.context().route('**', async (route) => {
      const response = await route.fetch();
      const headers = {
        ...response.headers(),
        'cross-origin-opener-policy': 'same-origin',
        'cross-origin-embedder-policy': 'require-corp',
      };
      await route.fulfill({ response, headers });
    });
    await page.goto(new URL('#/playground?n=2&m=1&p=0.05&steps=100&restarts=2', host.address).href);
    expect(await page.evaluate(() => crossOriginIsolated)).toBe(true);
    await atRest(page);
    expect(faults).toEqual([]);
    await page.close();
  });
});
