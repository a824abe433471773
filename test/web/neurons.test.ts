/** The pages of neurons and of a direction in a real browser, on the small run. */
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readAtlas, readDirections } from '../../src/runs/atlas.ts';
import { noBrowser } from './browser.ts';
import { type Shown, show, smallSite } from './site.ts';

describe.skipIf(noBrowser)('neurons', () => {
  let shown: Shown;
  let directory: string;
  let run: string;
  beforeAll(async () => {
    run = join(await smallSite(), 'small');
    directory = await mkdtemp(join(tmpdir(), 'monosem-neurons-'));
    for (const file of [
      'run.json',
      'features.parquet',
      'atlas.json',
      'directions.parquet',
      'direction_examples.parquet',
    ]) {
      await cp(join(run, file), join(directory, 'small', file));
      if (!/atlas|direction/.test(file)) await cp(join(run, file), join(directory, 'bare', file));
      await cp(join(run, file), join(directory, 'damaged', file));
    }
    await writeFile(join(directory, 'damaged', 'directions.parquet'), 'nothing');
    shown = await show(directory);
  });
  afterAll(async () => {
    await shown?.close();
    await rm(directory, { recursive: true });
  });

  it('says first how many latents coordinates serve, with intervals, beside the nulls', async () => {
    const { page, faults } = await shown.open('#/run/small/neurons');
    await page.locator('#summary').waitFor();
    const atlas = (await readAtlas(run))!;
    const text = await page.locator('main').innerText();
    // A residual stream has no neurons, and the page must not say so.
    expect(await page.locator('h1').innerText()).toBe('Residual coordinates');
    expect(text).toMatch(/not a neuron/);
    for (const { effective } of atlas.directions!.kinds)
      expect(text).toContain(effective.value!.toFixed(effective.value! >= 100 ? 0 : 1));
    expect(text).toMatch(/Residual coordinates less random axes: −?[\d.]+ \[−?[\d.]+, −?[\d.]+\]/);
    expect(await page.locator('figure svg rect.rotation').count()).toBeGreaterThan(0);
    expect(faults).toEqual([]);
    await page.close();
  });

  it('has a table that is sorted, and the same for random axes and latents', async () => {
    const { page, faults } = await shown.open('#/run/small/neurons');
    await page.locator('tbody th a').first().waitFor();
    const directions = (await readDirections(run))!;
    const order = (kind: string) =>
      directions
        .filter((one) => one.kind === kind)
        .sort((a, b) => b.effective - a.effective || a.index - b.index)
        .map(({ index }) => String(index));
    const rows = page.locator('tbody th a');
    expect((await rows.allInnerTexts()).slice(0, 20)).toEqual(order('neuron').slice(0, 20));
    await page.getByRole('button', { name: 'residual coordinate' }).click();
    expect((await rows.allInnerTexts()).slice(0, 3)).toEqual(['0', '1', '2']);
    await page.getByRole('link', { name: 'random axes' }).click();
    await page.waitForURL(/kind=rotation/);
    await page.waitForFunction(
      (first) => document.querySelector('tbody th a')?.textContent === first,
      order('rotation')[0],
    );
    await page.keyboard.press('j');
    await page.keyboard.press('Enter');
    await page.locator('h1', { hasText: 'Random axis' }).waitFor();
    expect(faults).toEqual([]);
    await page.close();
  });

  it('shows one direction: what it serves, and its examples by the latent that adds most', async () => {
    const direction = (await readDirections(run))!.find(({ kind }) => kind === 'neuron')!;
    const { page, faults } = await shown.open(`#/run/small/neurons/neuron/${direction.index}`);
    await page.locator('#served tbody tr').first().waitFor();
    expect(await page.locator('#served tbody a').allInnerTexts()).toEqual(direction.latents.map(String));
    await page.locator('.window mark').first().waitFor();
    expect(await page.locator('.window').count()).toBeGreaterThan(3);
    expect(await page.locator('#summary').innerText()).toMatch(/It serves .* latents .* of the random axes/);
    await page.keyboard.press('j');
    await page.locator('h1', { hasText: `Residual coordinate ${direction.index + 1}` }).waitFor();
    await page.locator('#served tbody a').first().click();
    await page.locator('h1', { hasText: 'Latent' }).waitFor();
    expect(faults).toEqual([]);
    await page.close();
  });

  it('says what is missing, damaged, or not there at all', async () => {
    const { page, faults } = await shown.open('#/run/bare/neurons');
    await page.getByText('monosem atlas bare').waitFor();
    await page.goto(`${shown.address}#/run/bare/neurons/neuron/3`);
    await page.getByText('monosem atlas bare').first().waitFor();
    await page.goto(`${shown.address}#/run/damaged/neurons`);
    expect(await page.getByRole('alert').innerText()).toMatch(
      /directions\.parquet: cannot be read as Parquet/,
    );
    // What does not need the table is still there.
    expect(await page.locator('#summary').innerText()).toMatch(/serves/);
    await page.goto(`${shown.address}#/run/small/neurons/neuron/100000`);
    await page.getByText('small has no residual coordinate 100000').waitFor();
    await page.goto(`${shown.address}#/run/small/neurons/nothing/1`);
    await page.getByText('there is no kind of direction nothing').waitFor();
    expect(faults).toEqual([]);
    await page.close();
  });
});
