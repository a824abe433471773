/** The static copy in a real browser, from a plain file server below a path. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pagesDirectory } from '../../src/explorer/pages.ts';
import { publishSite } from '../../src/explorer/publish.ts';
import { launch, noBrowser, visit } from './browser.ts';
import { settled } from './settled.ts';
import { smallSite } from './site.ts';
import { serveFiles } from './staticServer.ts';

const POST = `---
title: A first post
date: 2026-01-31
summary: what it is about
---
Stored are [2](<run:toy/five-features#features stored where all fire>) features.

![Squares](figure:toy/five-features/squares)
`;

describe.skipIf(noBrowser)('a published copy', () => {
  let root: string;
  let host: Awaited<ReturnType<typeof serveFiles>>;
  let browser: Browser;

  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'monosem-published-'));
    await mkdir(join(root, 'notebook'));
    await writeFile(join(root, 'notebook', 'first.md'), POST);
    const sources = { runs: await smallSite(), notebook: join(root, 'notebook') };
    await publishSite(sources, await pagesDirectory(), join(root, 'site'));
    host = await serveFiles(join(root, 'site'), '/some where/below/');
    browser = await launch();
  });
  afterAll(async () => {
    await browser?.close();
    await host?.close();
    await rm(root, { recursive: true, force: true });
  });

  const open = (hash: string) => visit(browser, new URL(hash, host.address).href);

  it('walks from the first page to a run, the notebook, an experiment, the blog and a post', async () => {
    const { page, faults } = await open('');
    await page.getByRole('link', { name: 'small', exact: true }).click();
    await page.waitForURL(/#\/run\/small$/);
    await page.locator('main :is(h1, h2)').first().waitFor();
    await page.keyboard.press('n');
    await page.getByRole('link', { name: 'Five features in the plane' }).click();
    await page.getByRole('heading', { name: 'Five features in the plane' }).waitFor();
    await page.locator('figure .drawing svg').first().waitFor();
    await page.keyboard.press('b');
    await page.getByRole('link', { name: 'A first post' }).click();
    await page.locator('.post figure .drawing svg').waitFor();
    await page.locator('.post a.from-run').waitFor();
    expect(await page.locator('.problem').count()).toBe(0);
    expect(faults).toEqual([]);
    await page.close();
  });

  it('reads features and examples by ranges', async () => {
    const { page, faults } = await open('#/run/small');
    const statuses = new Set<number>();
    page.on('response', (response) => {
      if (response.url().endsWith('.parquet')) statuses.add(response.status());
    });
    await page.locator('main :is(h1, h2)').first().waitFor();
    await page.keyboard.press('f');
    await page.locator('.row .latent').first().waitFor();
    expect(await page.locator('main').innerText()).toMatch(/192 of 192 latents/);
    expect([...statuses]).toEqual([206]);
    expect(faults).toEqual([]);
    await page.close();
  });

  it.each(['feature/1', 'map', 'neurons', 'neurons/neuron/0'])('shows %s of a run', async (place) => {
    const { page, faults } = await open(`#/run/small/${place}`);
    await settled(page);
    expect(await page.locator('.message').count()).toBe(0);
    expect(faults).toEqual([]);
    await page.close();
  });

  it('says that prompts need the server', async () => {
    const { page, faults } = await open('#/run/small/lab');
    await page.locator('main :is(h1, h2)').first().waitFor();
    expect(await page.locator('main').innerText()).toMatch(/needs a server.*monosem explore/s);
    expect(faults).toEqual([]);
    await page.close();
  });
});
