/** The prompt lab's routes: with a real run, and with labs that tell what they were asked. */
import type { Hono } from 'hono';
import { describe, expect, it } from 'vitest';
import { InputError } from '../../src/formats/errors.ts';
import type { Lab } from '../../src/pipeline/lab.ts';
import { explorerApp } from '../../src/server/app.ts';
import { labRoutes } from '../../src/server/lab.ts';
import { continueAnswer, effectAnswer, readAnswer } from '../../src/server/labSchema.ts';
import { smallSite } from '../web/site.ts';

const post = (app: Hono, path: string, body: unknown, init: RequestInit = {}) =>
  app.request(path, {
    method: 'POST',
    body: typeof body === 'string' ? body : JSON.stringify(body),
    headers: { host: 'localhost:4242', 'content-type': 'application/json' },
    ...init,
  });
const errorOf = async (response: Response) => ((await response.json()) as { error: string }).error;

/** Answers with the run's name; `gate` keeps an answer back until it is opened. */
function stub(run: string, log: string[], gate: (text: string) => Promise<void> = async () => {}): Lab {
  const answer = async (text: string) => {
    log.push(`begin ${run} ${text}`);
    await gate(text);
    log.push(`end ${run} ${text}`);
    return { tokens: [], next: [] };
  };
  return { read: answer, effect: answer, continue: answer } as unknown as Lab;
}

describe('the lab of a real run', () => {
  it('reads, edits and goes on with a text', async () => {
    const runs = await smallSite();
    const app = explorerApp({ runs, notebook: runs }, runs);
    const asked = { run: 'small', text: 'Once there was a <script>alert(1)</script> & "cat"' };
    const read = readAnswer.parse(await (await post(app, '/api/lab/read', asked)).json());
    expect(read.tokens.map(({ text }) => text).join('')).toBe(`<s> ${asked.text}`);
    const [{ latent }] = read.tokens.at(-1)!.latents;
    const edits = [{ latent, kind: 'ablate' }];
    const effect = effectAnswer.parse(await (await post(app, '/api/lab/effect', { ...asked, edits })).json());
    expect(effect.kl).toBeGreaterThan(0);
    expect(effect.tokens.some(({ before, after }) => before !== after)).toBe(true);
    const writing = {
      ...asked,
      edits: [{ latent, kind: 'add', value: 20 }],
      tokens: 12,
      temperature: 0,
      seed: 0,
    };
    const written = continueAnswer.parse(await (await post(app, '/api/lab/continue', writing)).json());
    expect(written.plain.text).not.toBe(written.steered.text);

    const refused = await post(app, '/api/lab/read', { ...asked, run: '../small' });
    expect(refused.status).toBe(400);
    expect(await errorOf(refused)).toMatch(/no run \.\.\/small/);
    const strange = { ...asked, edits: [{ latent: 99_999, kind: 'ablate' }] };
    expect(await errorOf(await post(app, '/api/lab/effect', strange))).toMatch(
      /edits\[0\].latent: found 99999/,
    );
    const long = await post(app, '/api/lab/read', { ...asked, text: 'a b '.repeat(400) });
    expect(long.status).toBe(400);
    expect(await errorOf(long)).toMatch(/text: found \d+ tokens with BOS, expected at most 256/);
    const foreign = { headers: { host: 'localhost:4242', origin: 'http://elsewhere' } };
    expect((await post(app, '/api/lab/read', asked, foreign)).status).toBe(403);
  });
});

describe('requests', () => {
  const app = labRoutes(async (run) => stub(run, []));
  const asked = { run: 'a', text: 'b' };
  it.each([
    ['/read', 'no JSON', /request: expected JSON/],
    ['/read', [], /request: found \[\], expected object/],
    ['/read', { run: 'a' }, /text is missing/],
    ['/read', { ...asked, txt: '' }, /unknown key "txt"/],
    ['/read', { run: '', text: '' }, /run: found ""/],
    ['/effect', asked, /edits is missing/],
    ['/effect', { ...asked, edits: [{ latent: 1, kind: 'add' }] }, /value is missing/],
    [
      '/effect',
      { ...asked, edits: [{ latent: 1, kind: 'ablate', value: 1 }] },
      /unknown key "edits\[0\]\.value"/,
    ],
    ['/effect', { ...asked, edits: [{ latent: -1, kind: 'ablate' }] }, /latent: found -1/],
    ['/effect', { ...asked, edits: [{ latent: 1, kind: 'explode' }] }, /kind: found "explode"/],
    ['/effect', { ...asked, edits: [], position: 1.5 }, /position: found 1.5/],
    ['/continue', { ...asked, edits: [], tokens: 0, temperature: 0, seed: 0 }, /tokens: found 0/],
    ['/continue', { ...asked, edits: [], tokens: 1, temperature: -1, seed: 0 }, /temperature: found -1/],
  ])('to %s with %j are refused', async (path, body, message) => {
    const response = await post(app, path, body);
    expect(response.status).toBe(400);
    expect(await errorOf(response)).toMatch(message);
  });

  it('that are too large are not read', async () => {
    const response = await post(app, '/read', { ...asked, text: 'x'.repeat(70_000) });
    expect(response.status).toBe(413);
    expect(await errorOf(response)).toMatch(/larger than 64 kB/);
  });

  it('are answered only where they are posted', async () => {
    expect((await app.request('/read')).status).toBe(404);
  });
});

describe('labs', () => {
  const read = (app: Hono, run: string, text: string, init?: RequestInit) =>
    post(app, '/read', { run, text }, init);

  it('answer one question at a time, in the order asked, and go on after one that fails', async () => {
    const log: string[] = [];
    let open = () => {};
    const app = labRoutes(async (run) =>
      stub(run, log, (text) => {
        if (text === 'bad') throw new InputError('text: too bad');
        return text === 'slow' ? new Promise<void>((resolve) => (open = resolve)) : Promise.resolve();
      }),
    );
    const answers = ['slow', 'bad', 'last'].map((text) => read(app, 'a', text));
    await expect.poll(() => log).toEqual(['begin a slow']);
    // Another lab is not held up.
    expect((await read(app, 'b', 'other')).status).toBe(200);
    open();
    expect((await Promise.all(answers)).map(({ status }) => status)).toEqual([200, 400, 200]);
    expect(log.filter((line) => line.includes(' a '))).toEqual([
      'begin a slow',
      'end a slow',
      'begin a bad',
      'begin a last',
      'end a last',
    ]);
  });

  it('pass over a question that nobody waits for any more', async () => {
    const log: string[] = [];
    let open = () => {};
    const app = labRoutes(async (run) =>
      stub(run, log, (text) =>
        text === 'slow' ? new Promise<void>((resolve) => (open = resolve)) : Promise.resolve(),
      ),
    );
    const slow = read(app, 'a', 'slow');
    await expect.poll(() => log).toEqual(['begin a slow']);
    const gone = new AbortController();
    const answers = [read(app, 'a', 'gone', { signal: gone.signal }), read(app, 'a', 'next')];
    gone.abort();
    open();
    await Promise.allSettled([slow, ...answers]);
    expect(log).toEqual(['begin a slow', 'end a slow', 'begin a next', 'end a next']);
  });

  it('are opened once, two are kept, and the one that was asked longest ago goes', async () => {
    const opened: string[] = [];
    const app = labRoutes(async (run) => {
      opened.push(run);
      return stub(run, []);
    });
    for (const run of ['a', 'b', 'a', 'c', 'a', 'b']) await read(app, run, 'x');
    expect(opened).toEqual(['a', 'b', 'c', 'b']);
  });

  it('that cannot be opened say why, and are tried anew', async () => {
    let tries = 0;
    const app = labRoutes(async (run) => {
      if (tries++ === 0) throw new InputError('a: training has not finished');
      return stub(run, []);
    });
    expect(await errorOf(await read(app, 'a', 'x'))).toBe('a: training has not finished');
    expect((await read(app, 'a', 'x')).status).toBe(200);
  });
});
