/** The feed, read back by a parser of XML. */
import * as fc from 'fast-check';
import { DOMParser } from 'linkedom';
import { expect, it } from 'vitest';
import { feedOf } from '../../src/explorer/feed.ts';

const post = (slug: string, text = 'text', date = '2026-01-31') => ({
  slug,
  title: text,
  date,
  summary: text,
});
const read = (feed: string) => new DOMParser().parseFromString(feed, 'text/xml');

/** XML 1.0 has no place for any other, escaped or not. */
const isXml = (code: number) =>
  [9, 10, 13].includes(code) ||
  (code >= 0x20 && code <= 0xd7ff) ||
  (code >= 0xe000 && code <= 0xfffd) ||
  code >= 0x10000;

it('has what Atom asks for, of the feed and of each entry', () => {
  const feed = read(
    feedOf([post('two', 'Two', '2026-03-01'), post('one', 'One'), { path: 'x.md', error: 'no' }]),
  );
  const [root] = feed.getElementsByTagName('feed');
  expect(root.getAttribute('xmlns')).toBe('http://www.w3.org/2005/Atom');
  const entries = [...feed.getElementsByTagName('entry')];
  expect(entries.length).toBe(2);
  const ids = [...feed.getElementsByTagName('id')].map((id) => id.textContent);
  expect(new Set(ids).size).toBe(3);
  for (const id of ids)
    expect(id).toMatch(/^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/);
  expect([...feed.getElementsByTagName('updated')].map((time) => time.textContent)).toEqual([
    '2026-03-01T00:00:00Z',
    '2026-03-01T00:00:00Z',
    '2026-01-31T00:00:00Z',
  ]);
  expect(entries[0].querySelector('link')!.getAttribute('href')).toBe('./#/blog/two');
  expect(feed.getElementsByTagName('author').length).toBe(1);
});

it('gives a post the same id whatever else there is', () => {
  const id = (feed: string) => /<entry>\s*<id>(.*?)</.exec(feed)![1];
  expect(id(feedOf([post('one')]))).toBe(id(feedOf([post('one', 'other', '2026-02-02'), post('two')])));
});

it('is a feed without posts, too', () => {
  expect(read(feedOf([])).getElementsByTagName('updated').length).toBe(1);
});

it('keeps any text as text', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const feed = feedOf([post('one', `]]>${text}<x a="'&amp;`)]);
      expect([...feed].filter((character) => !isXml(character.codePointAt(0)!))).toEqual([]);
      const entry = feed.slice(feed.indexOf('<entry>'), feed.indexOf('</entry>'));
      expect(entry.match(/<[^/][^>]*>/g)!.map((tag) => /<(\w+)/.exec(tag)![1])).toEqual([
        'entry',
        'id',
        'title',
        'updated',
        'link',
        'summary',
      ]);
      const inner = /<title>(.*?)<\/title>/s.exec(entry)![1];
      const back = inner
        .replaceAll('&lt;', '<')
        .replaceAll('&gt;', '>')
        .replaceAll('&quot;', '"')
        .replaceAll('&#39;', "'")
        .replaceAll('&amp;', '&');
      expect(back.startsWith(']]>')).toBe(true);
      expect(back.endsWith(`<x a="'&amp;`)).toBe(true);
    }),
  );
});
