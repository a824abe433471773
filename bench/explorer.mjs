/**
 * How fast the pages are on a large run: from navigation until the table can be used, searches, sorts, scrolling, and the map. The
 * run is made up (explorer/largeRun.mjs), in the system's directory for temporary files, once for each size.
 *
 *   npm run bench:explorer                                         24,576 latents, 500,000 examples
 *   npm run bench:explorer -- --latents 100000 --examples 200000   another size
 */
import { existsSync, mkdirSync, renameSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { chromium } from 'playwright-core';
import { pagesDirectory } from '../dist/explorer/pages.js';
import { explorerApp } from '../dist/server/app.js';
import { listen } from '../dist/server/serve.js';
import { makeLargeRun } from './explorer/largeRun.mjs';
import { median } from './measuring.mjs';

const REPEATS = 5;
const { values: flags } = parseArgs({
  options: {
    latents: { type: 'string', default: '24576' },
    examples: { type: 'string', default: '500000' },
  },
});
const size = { latents: Number(flags.latents), examples: Number(flags.examples), seed: 0 };
const runs = join(tmpdir(), `monosem-explorer-${size.latents}-${size.examples}`);
if (!existsSync(runs)) {
  const made = `${runs}.${process.pid}`;
  mkdirSync(made);
  process.stderr.write('making the run: minutes\n');
  await makeLargeRun(join(made, 'large'), size);
  renameSync(made, runs);
}
const server = await listen(
  explorerApp({ runs, notebook: join(runs, 'notebook') }, await pagesDirectory()),
  0,
);
const browser = await chromium.launch({
  executablePath: '/usr/bin/chromium',
  args: ['--headless', '--no-sandbox', '--disable-gpu', '--enable-unsafe-swiftshader'],
});
const grouped = size.latents.toLocaleString('en-US');

/** Milliseconds until the table shows its first row, of a browser that has nothing yet. */
const opened = [];
for (let i = 0; i < REPEATS; i++) {
  const page = await (await browser.newContext()).newPage();
  const start = performance.now();
  await page.goto(`${server.address}#/run/large/features`);
  await page.locator('.row').first().waitFor();
  opened.push(performance.now() - start);
  await page.context().close();
}
report('from navigation to a table that can be used', opened, 1500);

const page = await browser.newPage();
await page.goto(`${server.address}#/run/large/features`);
await page.getByLabel('verdict').waitFor();
// What is told of the table and of rows changes with one order; the page itself says when.
await page.evaluate(() => {
  const told = /** @type {{ change?: () => Promise<void> }} */ (/** @type {unknown} */ (window));
  told.change = () =>
    new Promise((resolve) => {
      const grid = document.querySelector('[role=grid]');
      const first = () =>
        `${grid?.getAttribute('aria-rowcount')} ${document.querySelector('.row a')?.textContent}`;
      const before = first();
      const watched = new MutationObserver(() => {
        if (first() === before) return;
        watched.disconnect();
        requestAnimationFrame(() => resolve());
      });
      if (grid)
        watched.observe(grid, { subtree: true, childList: true, attributes: true, characterData: true });
    });
});

/** Milliseconds in the page from an event until the table has changed and is drawn. @param {string} expression */
const timed = (expression) =>
  /** @type {Promise<number>} */ (
    page.evaluate(`(async () => {
      const changed = window.change();
      const start = performance.now();
      ${expression};
      await changed;
      return performance.now() - start;
    })()`)
  );
/** @param {string} text */
const type = (text) =>
  `const box = document.querySelector('input[type=search]'); box.value = ${JSON.stringify(text)}; box.dispatchEvent(new Event('input', { bubbles: true }))`;
/** @param {number} column */
const click = (column) => `document.querySelectorAll('.head button')[${column}].click()`;

for (const [name, text] of [
  ['the first search, for one word', 'kogu '],
  ['a search for a frequent word', 'wu '],
  ['for a rare word', 'lonukabu'],
  ['for all that begin with three letters', 'kog'],
  ['for two words', 'kogu wabo '],
]) {
  const times = [];
  for (let i = 0; i < (name.startsWith('the first') ? 1 : REPEATS); i++) {
    times.push(await timed(type(text)));
    await timed(type(''));
  }
  report(`${name}, its delay of 60 ms with it`, times, 150);
}
for (const [column, name] of [
  'latent',
  'density',
  'activation',
  'verdict',
  'probability',
  'class',
].entries()) {
  const times = [];
  // Upwards and downwards; by number upwards is how the table begins.
  if (column === 0) await timed(click(1));
  for (let i = 0; i < 2 * REPEATS; i++) times.push(await timed(click(column)));
  report(`sorting by ${name}`, times, 150);
}

/** The longest frame while the whole table passes by. */
const longest = await page.evaluate(async () => {
  const body = document.querySelector('.body');
  if (body === null) throw new Error('there is no table');
  let [longest, before] = [0, performance.now()];
  for (let i = 0; i < 120; i++) {
    body.scrollTop = (i / 119) * body.scrollHeight;
    await new Promise(requestAnimationFrame);
    const now = performance.now();
    [longest, before] = [Math.max(longest, now - before), now];
  }
  return longest;
});
report('the longest frame while all rows scroll by', [longest], 100);

const drawn = [];
for (let i = 0; i < REPEATS; i++) {
  const page = await (await browser.newContext()).newPage();
  const start = performance.now();
  await page.goto(`${server.address}#/run/large/map?at=0`);
  await page.locator('.mark').waitFor();
  drawn.push(performance.now() - start);
  await page.context().close();
}
report('from navigation to the map', drawn, 1500);
await browser.close();
await server.close();

/** @param {string} name @param {number[]} times @param {number} bound */
function report(name, times, bound) {
  const [middle, most] = [median(times), Math.max(...times)].map((time) => `${Math.round(time)} ms`);
  const held = Math.max(...times) <= bound ? 'held' : 'NOT HELD';
  console.log(
    `${grouped} latents, ${name}: ${middle}${times.length > 1 ? `, at most ${most}` : ''}; bound ${bound} ms, ${held}`,
  );
}
