/**
 * The posts as an Atom feed (RFC 4287). Atom, since its links may be relative: a published copy need not know where it will stand.
 */
import { createHash } from 'node:crypto';
import type { Broken, ListedPost } from './catalogueSchema.ts';

export const FEED_FILE = 'feed.xml';
export const FEED_TYPE = 'application/atom+xml; charset=utf-8';

/** Posts that cannot be read are left out. */
export function feedOf(posts: readonly (ListedPost | Broken)[]): string {
  const readable = posts.filter((post): post is ListedPost => !('error' in post));
  const updated = readable.map(({ date }) => date).sort();
  const entries = readable.map(
    ({ slug, title, date, summary }) => `  <entry>
    <id>${idOf(slug)}</id>
    <title>${escaped(title)}</title>
    <updated>${timeOf(date)}</updated>
    <link rel="alternate" type="text/html" href="./#/blog/${slug}"/>
    <summary>${escaped(summary)}</summary>
  </entry>
`,
  );
  return `<?xml version="1.0" encoding="utf-8"?>
<feed xmlns="http://www.w3.org/2005/Atom">
  <id>${idOf('')}</id>
  <title>monosem</title>
  <author><name>monosem</name></author>
  <updated>${timeOf(updated.at(-1) ?? '1970-01-01')}</updated>
  <link rel="self" href="./${FEED_FILE}"/>
  <link rel="alternate" type="text/html" href="./#/blog"/>
${entries.join('')}</feed>
`;
}

function timeOf(date: string): string {
  return `${date}T00:00:00Z`;
}

/** The same for the same post wherever it is published. */
function idOf(slug: string): string {
  const hash = createHash('sha256').update(`monosem post ${slug}`).digest('hex');
  // A UUID of version 8: bits of one's own making.
  const parts = [hash.slice(0, 8), hash.slice(8, 12), `8${hash.slice(13, 16)}`, `8${hash.slice(17, 20)}`];
  return `urn:uuid:${parts.join('-')}-${hash.slice(20, 32)}`;
}

/** As text or an attribute of XML 1.0, which has no place for control characters and lone surrogates. */
function escaped(text: string): string {
  const named: Record<string, string> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
    "'": '&#39;',
  };
  return text
    .replace(/[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/gu, '\u{FFFD}')
    .replace(/[&<>"']/g, (character) => named[character]);
}
