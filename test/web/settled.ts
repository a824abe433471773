/** When a page can be looked at by a test. */
import type { Page } from 'playwright-core';

/** Waits until the page has a heading and reads no file any more, five seconds at most. */
export async function settled(page: Page): Promise<void> {
  await page.locator('main :is(h1, h2)').first().waitFor();
  const isRead = () =>
    [...document.querySelectorAll('main [role=status]')].every(
      ({ textContent }) => !textContent.startsWith('Reading'),
    );
  await page.waitForFunction(isRead, undefined, { timeout: 5000 }).catch(() => {});
}
