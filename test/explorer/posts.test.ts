/** Posts from Markdown: their heads, and that nothing in them runs or asks for anything elsewhere. */
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseHTML } from 'linkedom';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EXPERIMENTS } from '../../src/experiments/index.ts';
import { listPosts, readPost } from '../../src/explorer/posts.ts';
import { referenceOf } from '../../web/src/notebook/claimed.ts';

let notebook: string;
beforeEach(async () => {
  notebook = await mkdtemp(join(tmpdir(), 'monosem-posts-'));
});
afterEach(() => rm(notebook, { recursive: true }));

const HEAD = '---\ntitle: One: two\ndate: 2026-01-31\nsummary: in short\n---\n';
const write = (name: string, text: string) => writeFile(join(notebook, name), text);
const html = async (text: string) => {
  await write('one.md', `${HEAD}${text}`);
  return parseHTML(`<main>${(await readPost(notebook, 'one')).html}</main>`).document;
};

describe('heads', () => {
  it('are title, date and summary; a colon in the title stays', async () => {
    await write('one.md', `${HEAD.replaceAll('\n', '\r\n')}Text.`);
    expect(await readPost(notebook, 'one')).toMatchObject({
      slug: 'one',
      title: 'One: two',
      date: '2026-01-31',
      summary: 'in short',
    });
  });

  it.each([
    ['without one', 'Text.', /no head; expected "title/],
    ['never closed', '---\ntitle: One\n\nText.', /no head/],
    ['a field is missing', HEAD.replace('summary: in short\n', ''), /summary/],
    ['a field is empty', HEAD.replace('in short', ''), /summary/],
    ['a field comes twice', HEAD.replace('date', 'title: Two\ndate'), /found "title: Two"/],
    ['a field is not known', HEAD.replace('date', 'author: me\ndate'), /found "author: me"/],
    ['a line is no field', HEAD.replace('date', 'well\ndate'), /found "well"/],
    ['no such date', HEAD.replace('01-31', '02-31'), /date/],
    ['a date in words', HEAD.replace('2026-01-31', 'yesterday'), /date/],
  ])('are refused by file: %s', async (_, text, message) => {
    await write('one.md', text);
    await expect(readPost(notebook, 'one')).rejects.toThrow(message);
    await expect(readPost(notebook, 'one')).rejects.toThrow(/one\.md/);
  });

  it('make the list: newest first, those that cannot be read with the reason, other files not at all', async () => {
    await write('old.md', HEAD);
    await write('new.md', HEAD.replace('2026-01', '2026-03'));
    await write('broken.md', 'Text.');
    await write('Not a post.md', HEAD);
    await write('notes.txt', HEAD);
    await mkdir(join(notebook, 'directory.md'));
    expect((await listPosts(notebook)).map((post) => ('slug' in post ? post.slug : post.path))).toEqual([
      'new',
      'old',
      'broken.md',
      'directory.md',
    ]);
    expect(await listPosts(join(notebook, 'nowhere'))).toEqual([]);
  });
});

describe('text', () => {
  it('shows HTML as text', async () => {
    const page = await html('<script>alert(1)</script>\n\nAnd <b onclick="x()">inline</b>.');
    expect(page.querySelector('script, b')).toBeNull();
    expect(page.querySelector('main')!.textContent).toContain('<script>alert(1)</script>');
  });

  it.each([
    'javascript:alert(1)',
    'JaVaScRiPt:alert(1)',
    'vbscript:x',
    'data:text/html,x',
    'file:///etc/passwd',
  ])('makes no link of %s', async (address) => {
    const page = await html(`[click](${address}) [click](<${address}>)`);
    expect(page.querySelector('[href]')).toBeNull();
  });

  it('links to elsewhere without telling where the reader comes from, and within the site as it is', async () => {
    const page = await html('[a](https://example.org/x?y=1&z=2) and [b](#/blog/two)');
    const [out, within] = page.querySelectorAll('a');
    expect(out.getAttribute('href')).toBe('https://example.org/x?y=1&z=2');
    expect(out.getAttribute('rel')).toBe('noreferrer');
    expect(within.getAttribute('href')).toBe('#/blog/two');
    expect(within.hasAttribute('rel')).toBe(false);
  });

  it('asks for no picture from elsewhere, and names figures of its own', async () => {
    const page = await html(
      '![away](https://example.org/x.png) ![near](x.png)\n\n![A "figure" & <more>](<figure:toy/a b%20c/one>)',
    );
    expect(page.querySelector('img, [src]')).toBeNull();
    const figures = [...page.querySelectorAll('[data-figure]')];
    expect(figures.map((figure) => [figure.getAttribute('data-figure'), figure.textContent])).toEqual([
      ['toy/a b%20c/one', 'A "figure" & <more>'],
    ]);
  });

  it('says of a number where it is from', async () => {
    const page = await html(
      'It is [−0.3 [−0.4, −0.2]](<run:toy/pairs#share with |cos| \\< .2 null>), [so](https://example.org).',
    );
    const number = page.querySelector('[data-run]')!;
    expect(number.tagName).toBe('SPAN');
    expect(number.textContent).toBe('−0.3 [−0.4, −0.2]');
    expect(number.getAttribute('data-run')).toBe('toy/pairs#share with |cos| < .2 null');
    expect(page.querySelectorAll('a').length).toBe(1);
  });

  it('has classes in the place of styles', async () => {
    const page = await html('| a | b |\n| --- | ---: |\n| x | 1 |\n');
    expect(page.querySelector('[style]')).toBeNull();
    expect(page.querySelector('td.number')!.textContent).toBe('1');
  });
});

describe('the posts of this project', () => {
  it('can be read, and name experiments, figures and numbers as the pages find them', async () => {
    const ours = new URL('../../notebook', import.meta.url).pathname;
    const posts = await listPosts(ours);
    expect(posts.map((post) => ('error' in post ? post.error : ''))).toEqual(posts.map(() => ''));
    expect(posts.length).toBe((await readdir(ours)).length);
    const known = [...EXPERIMENTS.map(({ name }) => `toy/${name}`), 'judged'];
    let numbers = 0;
    for (const post of posts) {
      const page = parseHTML(
        `<main>${(await readPost(ours, (post as { slug: string }).slug)).html}</main>`,
      ).document;
      for (const figure of page.querySelectorAll('[data-figure]'))
        expect(known).toContain(figure.getAttribute('data-figure')!.replace(/\/[^/]*$/, ''));
      for (const number of page.querySelectorAll('[data-run]')) {
        expect(known).toContain(referenceOf(number.getAttribute('data-run')!)?.path);
        numbers++;
      }
      for (const link of page.querySelectorAll('a'))
        if (link.getAttribute('href')!.startsWith('#/blog/'))
          expect(posts).toContainEqual(
            expect.objectContaining({ slug: link.getAttribute('href')!.slice(7) }),
          );
      expect(page.querySelector('main')!.textContent).not.toMatch(/\]\(/);
    }
    expect(numbers).toBeGreaterThan(40);
  });
});
