import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createRun } from '../../src/runs/directory.ts';
import { syntheticRun, writeSyntheticRun } from '../report/syntheticRun.ts';
import { cli, ESCAPE, fakeTerminal, recorder } from './fakeTerminal.ts';

const HOSTILE = ['\u001b[2J', '\u202eevil', 'bell\u0007', '\u009b31m', ' dog'];
const LATENTS = 80;

let root: string;
let run: string;
let hostile: string;
let bare: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'monosem-results-'));
  [run, hostile, bare] = ['run', 'hostile', 'bare'].map((name) => join(root, name));
  await writeSyntheticRun(run, { latents: LATENTS });
  await writeSyntheticRun(hostile, { latents: 40, tokenTexts: HOSTILE });
  await createRun(bare, { ...syntheticRun(), status: 'interrupted' });
});
afterAll(() => rm(root, { recursive: true }));

const onTerminal = (env = {}) => fakeTerminal({ out: recorder({ isTTY: true, columns: 120 }), env });

describe('monosem run', () => {
  test('shows each number with its interval and each null with its own', async () => {
    const { code, out, err } = await cli(['run', run]);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toMatch(
      /explained variance +0\.874 \[0\.870, 0\.878\] +0\.792 \[0\.788, 0\.796\] +0\.641 \[0\.637, 0\.645\]\n/,
    );
    expect(out).toMatch(/null: frozen decoder +null: random model\n/);
  });

  test('says "not identified" where a number is null', async () => {
    expect((await cli(['run', run])).out).toMatch(/recovered, over zeros .* not identified\n/);
  });

  test('says plainly that the text is model-generated', async () => {
    expect((await cli(['run', run])).out).toMatch(/corpus +model-generated: stories sampled/);
  });

  test('a run without an evaluation says how to go on', async () => {
    const { code, out } = await cli(['run', bare]);
    expect(code).toBe(0);
    expect(out).toContain(`interrupted (go on with: monosem train --resume ${bare})`);
    expect(out).toContain('Not evaluated yet');
  });

  test('a directory that is no run exits with 1', async () => {
    const { code, err } = await cli(['run', join(root, 'none')]);
    expect(code).toBe(1);
    expect(err).toContain('none');
    expect(err).not.toContain('    at ');
  });
});

describe('monosem latents', () => {
  test('lists as many as asked for, in the order asked for', async () => {
    const { out } = await cli(['latents', run, '--json', '--sort', 'max', '--limit', '7']);
    const { latents, matching, total } = JSON.parse(out);
    expect({ matching, total }).toEqual({ matching: LATENTS, total: LATENTS });
    const max = latents.map((one: { maxActivation: number }) => one.maxActivation);
    expect(max).toHaveLength(7);
    expect(max).toEqual([...max].sort((a, b) => b - a));
  });

  test('--search keeps those that fire on or promote a token, in either case', async () => {
    const { out } = await cli(['latents', run, '--json', '--search', 'LILY', '--limit', '1000']);
    const { latents, matching } = JSON.parse(out);
    const tokens = latents.map((one: { topTokens: string[]; promotedTokens: string[] }) =>
      [...one.topTokens, ...one.promotedTokens].join('|'),
    );
    expect(matching).toBe(latents.length);
    expect(matching).toBeGreaterThan(0);
    expect(matching).toBeLessThan(LATENTS);
    for (const text of tokens) expect(text).toContain('Lily');
  });

  test('nothing found is said, and is no failure', async () => {
    expect(await cli(['latents', run, '--search', 'zebra'])).toMatchObject({
      code: 0,
      out: `0 of 0 latents that match, of ${LATENTS}\n`,
    });
  });

  test('one latent is shown with its examples, strongest first, then by tenths', async () => {
    const { out } = await cli(['latents', run, '3']);
    expect(out).toMatch(/^latent +3\n/);
    const titles = out.split('\n').filter((line) => /^(strongest|tenth)/.test(line));
    expect(titles[0]).toBe('strongest');
    expect(titles[1]).toBe('tenth 10 of its activations');
    expect(titles).toHaveLength(11);
    expect(out).toContain('«');
  });

  test('a latent that never fired has no examples, and says so', async () => {
    expect((await cli(['latents', run, '74'])).out).toContain('never fired');
  });

  test('a latent that is not there exits with 2', async () => {
    const { code, err } = await cli(['latents', run, String(LATENTS)]);
    expect(code).toBe(2);
    expect(err).toContain(`latents 0 to ${LATENTS - 1}`);
  });

  test('a run that is not evaluated exits with 1 and says what to do', async () => {
    const { code, err } = await cli(['latents', bare]);
    expect(code).toBe(1);
    expect(err).toContain(`monosem evaluate ${bare}`);
  });

  test('colour only on a terminal, and not with NO_COLOR', async () => {
    expect((await cli(['latents', run, '3'], onTerminal())).out).toContain('\u001b[30;48;5;');
    expect((await cli(['latents', run, '3'], onTerminal({ NO_COLOR: '1' }))).out).not.toContain('\u001b');
    expect((await cli(['latents', run, '3'])).out).not.toContain('\u001b');
  });

  test.each([['list'], ['0']])(
    "no control characters of the model's text reach a terminal (%s)",
    async (what) => {
      const args = ['latents', hostile, ...(what === 'list' ? [] : [what])];
      const { out } = await cli(args, onTerminal());
      const ours = new RegExp(`${ESCAPE}\\[[0-9;]*m`, 'g');
      expect(out).toContain('evil');
      expect(out.replaceAll(ours, '')).not.toMatch(/(?!\n)[\p{Cc}\u202e]/u);
    },
  );
});

describe('--json', () => {
  test.each([
    ['run', ['run']],
    ['latents', ['latents']],
  ])('monosem %s prints one document and nothing else', async (_name, [command]) => {
    const { out, err } = await cli([command, run, '--json']);
    expect(JSON.parse(out)).toMatchObject({ directory: run });
    expect(err).toBe('');
  });

  test('a single latent comes with its examples', async () => {
    const { feature, examples } = JSON.parse((await cli(['latents', run, '3', '--json'])).out);
    expect(feature.latent).toBe(3);
    expect(examples).toHaveLength(48);
  });
});
