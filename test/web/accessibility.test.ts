/** Every page under axe-core's rules (WCAG 2 A and AA: names, roles, labels, contrast), light and dark. */

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { AxeResults } from 'axe-core';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { noBrowser } from './browser.ts';
import { settled } from './settled.ts';
import { type Shown, show, smallSite } from './site.ts';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

const PAGES = [
  '#/',
  '#/run/small',
  '#/run/small/features',
  '#/run/small/feature/1',
  '#/run/small/map',
  '#/run/small/neurons',
  '#/run/small/neurons/neuron/0',
  '#/run/small/lab?text=Once+upon+a+time&edits=add_3_20*ablate_5_at_2',
  '#/playground',
  '#/notebook',
  '#/notebook/toy%2Ffive-features',
  '#/blog',
  '#/nowhere',
];

describe.skipIf(noBrowser)('accessibility', () => {
  let shown: Shown;
  beforeAll(async () => {
    shown = await show(await smallSite());
  });
  afterAll(() => shown?.close());

  it.each(PAGES)('%s', async (hash) => {
    const { page, faults } = await shown.open(hash);
    await settled(page);
    // Evaluated rather than added as a script, which the policy of the pages would refuse.
    await page.evaluate(AXE);
    expect(await violations(page, 'light', ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'])).toEqual([]);
    // All but the colours is the same in the dark.
    expect(await violations(page, 'dark', ['color-contrast'])).toEqual([]);
    expect(faults).toEqual([]);
    await page.close();
  });
});

async function violations(page: Page, theme: string, runOnly: string[]): Promise<object[]> {
  const found = await page.evaluate(
    ([name, rules]) => {
      document.documentElement.dataset.theme = name;
      const { axe } = window as unknown as { axe: { run(options: object): Promise<AxeResults> } };
      return axe.run({ runOnly: rules });
    },
    [theme, runOnly] as const,
  );
  return found.violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => ({ id, html, failureSummary })),
  );
}
