/**
 * `npm run screenshots -- <directory> <run>`: a picture of each page of the explorer into docs/screenshots/, in Debian's Chromium, light
 * and as wide as a laptop; the first page in the dark as well. The directory holds a run that has been judged, and experiments.
 */
import { mkdir } from 'node:fs/promises';
import { chromium } from 'playwright-core';
import { pagesDirectory } from '../dist/explorer/pages.js';
import { explorerApp } from '../dist/server/app.js';
import { listen } from '../dist/server/serve.js';

const [directory = 'runs', run = 'judged', latent = '0', entry = 'toy/five-features'] = process.argv.slice(2);
const out = new URL('../docs/screenshots/', import.meta.url).pathname;
const here = `#/run/${encodeURIComponent(run)}`;
const PAGES = {
  home: '#/',
  run: here,
  features: `${here}/features`,
  feature: `${here}/feature/${latent}`,
  map: `${here}/map`,
  neurons: `${here}/neurons`,
  neuron: `${here}/neurons/neuron/0`,
  lab: `${here}/lab?text=${encodeURIComponent('Once upon a time there was a little girl named Lily. She')}`,
  playground: '#/playground',
  notebook: '#/notebook',
  experiment: `#/notebook/${encodeURIComponent(entry)}`,
  blog: '#/blog',
};

await mkdir(out, { recursive: true });
const server = await listen(
  explorerApp({ runs: directory, notebook: 'notebook' }, await pagesDirectory()),
  0,
);
const browser = await chromium.launch({
  executablePath: '/usr/bin/chromium',
  args: ['--headless', '--no-sandbox', '--disable-gpu', '--enable-unsafe-swiftshader'],
});
for (const colorScheme of ['light', 'dark']) {
  const page = await browser.newPage({ viewport: { width: 1200, height: 860 }, colorScheme });
  for (const [name, hash] of Object.entries(PAGES)) {
    if (colorScheme === 'dark' && name !== 'home') continue;
    await page.goto(`${server.address}${hash}`);
    // Long enough for pictures to be drawn, and for the playground to have trained.
    await page.waitForTimeout(name === 'playground' ? 8000 : 2500);
    await page.screenshot({ path: `${out}${name}${colorScheme === 'dark' ? '-dark' : ''}.png` });
    console.log(name, colorScheme);
  }
}
await browser.close();
await server.close();
