/**
 * A real Chromium for tests of the pages: Debian's, which `npm test` installs where it is missing and can be had. A page must ask
 * for nothing from outside and write no error to its console; `visit` watches for both.
 */
import { existsSync } from 'node:fs';
import { type Browser, chromium, type Page } from 'playwright-core';

export const CHROMIUM = '/usr/bin/chromium';

/** Why there are no browser tests here; undefined where there are. */
export const noBrowser = existsSync(CHROMIUM)
  ? undefined
  : `there is no ${CHROMIUM}, and it could not be installed: tests of the pages are skipped`;

export function launch(): Promise<Browser> {
  return chromium.launch({
    executablePath: CHROMIUM,
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--enable-unsafe-swiftshader',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--no-first-run',
    ],
  });
}

export interface Visit {
  readonly page: Page;
  /** Errors on the console and requests to elsewhere, so far: expected to be empty. */
  readonly faults: string[];
}

/** A new page at `address`, whose origin is the only one that it may ask. */
export async function visit(browser: Browser, address: string): Promise<Visit> {
  const page = await browser.newPage();
  const faults: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error') faults.push(`console: ${message.text()}`);
  });
  page.on('pageerror', (error) => faults.push(`error: ${error.message}`));
  page.on('request', (request) => {
    const { origin, protocol } = new URL(request.url());
    if (protocol.startsWith('http') && origin !== new URL(address).origin)
      faults.push(`request to ${request.url()}`);
  });
  await page.goto(address);
  return { page, faults };
}
