/** The prompt lab in a real browser: text is typed, a latent is taken out, and the model says something else. */
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { noBrowser } from '../browser.ts';
import { type Shown, show, smallSite } from '../site.ts';

/** Polls with patience: the first question waits for the model to be loaded. */
const soon = <T>(look: () => T) => expect.poll(look, { timeout: 30_000 });
const TEXT = 'Once upon a time there was a <b>big</b> dog';

describe.skipIf(noBrowser)('the prompt lab', () => {
  let shown: Shown;
  beforeAll(async () => {
    shown = await show(await smallSite());
  });
  afterAll(() => shown?.close());

  const probabilities = (page: Page) =>
    page
      .locator('table', { has: page.getByRole('columnheader', { name: 'after' }) })
      .locator('tbody tr')
      .allInnerTexts();

  it('reads what is typed, and shows what taking out the strongest latent of a token does', async () => {
    const { page, faults } = await shown.open('#/run/small/lab');
    await page.getByLabel('Text', { exact: true }).fill(TEXT);
    const tokens = page.getByRole('toolbar').getByRole('button');
    await soon(async () => (await tokens.allInnerTexts()).join('').replaceAll('·', ' ')).toBe(`<s> ${TEXT}`);
    await tokens.filter({ hasText: '·dog' }).click();
    expect(await tokens.filter({ hasText: '·dog' }).getAttribute('aria-pressed')).toBe('true');
    await page.getByText(/of 192 fire here/).waitFor();

    await page
      .getByRole('button', { name: /^ablate latent/ })
      .first()
      .click();
    const told = await page.getByText(/^The prediction moves by/).innerText();
    expect(told).toMatch(/by [\d.]+ nats, more than (all|\d+ of) 20 random directions of the same length/);
    expect(await page.getByText(/^KL/).innerText()).toMatch(/KL \S+; random directions \S+ \[\S+, \S+\]/);
    const rows = await probabilities(page);
    expect(rows).toHaveLength(20);
    const moved = rows.filter((row) => new Set(row.match(/[\d.]+ %/g)).size === 2);
    expect(moved.length).toBeGreaterThan(5);

    // The edit is turned into another one, and the probabilities follow.
    await page.getByLabel(/^what is done with latent/).selectOption('add');
    await page.getByLabel(/^value for latent \d+$/).fill('30');
    await soon(() => probabilities(page)).not.toEqual(rows);
    await page.getByRole('button', { name: 'go on' }).click();
    const plain = page.getByRole('region', { name: 'Plain' });
    const edited = page.getByRole('region', { name: 'Edited' });
    await plain.waitFor();
    expect(await edited.locator('p').innerText()).not.toBe(await plain.locator('p').innerText());
    expect(await edited.locator('.parted').count()).toBeGreaterThan(0);

    // The address brings all of it back.
    await soon(() => page.url()).toMatch(/edits=add_\d+_30/);
    const shownThen = await probabilities(page);
    const again = await shown.open(new URL(page.url()).hash);
    await again.page.getByText(/^The prediction moves by/).waitFor();
    expect(await again.page.getByLabel('Text', { exact: true }).inputValue()).toBe(TEXT);
    expect(await probabilities(again.page)).toEqual(shownThen);
    expect([...faults, ...again.faults]).toEqual([]);
    await again.page.close();
    await page.close();
  });

  it('goes by keys', async () => {
    const { page, faults } = await shown.open('#/run/small/lab?text=Tom+ran&edits=add_3_20');
    const pressed = page.getByRole('toolbar').locator('[aria-pressed=true]');
    await soon(() => pressed.innerText()).toBe('·ran');
    await page.keyboard.press('k');
    expect(await pressed.innerText()).toBe('·Tom');
    await page.keyboard.press('k');
    await page.getByText('does not read this token').waitFor();
    await pressed.focus();
    await page.keyboard.press('End');
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('·ran');
    await page.getByLabel('where latent 3 is edited').selectOption('2');
    await soon(() => page.url()).toMatch(/add_3_20_at_2/);
    await page.keyboard.press('Tab');
    await page.evaluate(() => (document.activeElement as HTMLElement).blur());
    await page.keyboard.press('w');
    await page.getByRole('region', { name: 'Edited' }).waitFor();
    await page.getByLabel('take back the edit of latent 3').click();
    await soon(() => page.url()).not.toMatch(/edits/);
    expect(await page.getByText(/^The prediction moves by/).count()).toBe(0);
    expect(faults).toEqual([]);
    await page.close();
  });

  it('says what is wrong, and goes on when it is mended', async () => {
    const { page, faults } = await shown.open('#/run/small/lab?text=Tom+ran&edits=ablate_99999');
    await page.getByRole('alert').filter({ hasText: 'edits[0].latent: found 99999' }).waitFor();
    await page.getByLabel('take back the edit of latent 99999').click();
    await soon(() => page.getByRole('alert').count()).toBe(0);
    await page.getByLabel('Text', { exact: true }).fill('a b '.repeat(300));
    await page
      .getByRole('alert')
      .filter({ hasText: /text: found \d+ tokens/ })
      .waitFor();
    await page.getByLabel('Text', { exact: true }).fill('');
    await soon(() => page.getByRole('toolbar').getByRole('button').count()).toBe(1);
    // The browser tells of each refused request on its own.
    expect(faults.filter((fault) => !/status of 400/.test(fault))).toEqual([]);
    await page.close();
  });

  it('says so where there is no server, and where the run has no model', async () => {
    for (const [change, message] of [
      [{ served: false }, /start: monosem explore/],
      [{ hasModel: false }, /reads a file of activations/],
    ] as const) {
      const { page } = await shown.open('#/nowhere');
      await page.route('**/data/catalogue.json', async (route) => {
        const catalogue = await (await route.fetch()).json();
        Object.assign(catalogue, change);
        Object.assign(catalogue.runs[0], change);
        await route.fulfill({ json: catalogue });
      });
      await page.goto(`${shown.address}?again#/run/small/lab`);
      await page.getByRole('alert').filter({ hasText: message }).waitFor();
      await page.close();
    }
  });
});
