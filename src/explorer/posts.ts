/**
 * Posts: Markdown files with a head of `title`, `date` and `summary` between two lines of `---`. HTML in them is shown as text, not
 * obeyed. It must not know of runs: a figure is only named, as `![caption](figure:<entry>/<figure>)`, and a number only says where it
 * is from, as `[0.903](run:<path>#<name>)`; the page draws the one and checks the other.
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import MarkdownIt from 'markdown-it';
import { explainSystemError, InputError, systemCode } from '../formats/errors.ts';
import { validate } from '../formats/validate.ts';
import { type Broken, type ListedPost, type Post, postSchema } from './catalogueSchema.ts';

const FIGURE = 'figure:';
const NUMBER = 'run:';
const HEAD = 'expected "title: ...", "date: 2026-01-31" and "summary: ..." between two lines of ---';

/** All posts, newest first; none where there is no such directory. */
export async function listPosts(notebook: string): Promise<(ListedPost | Broken)[]> {
  const posts: (ListedPost | Broken)[] = [];
  for (const slug of await slugs(notebook)) {
    try {
      const { html: _, ...listed } = await readPost(notebook, slug);
      posts.push(listed);
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      posts.push({ path: `${slug}.md`, error: error.message });
    }
  }
  const order = (post: ListedPost | Broken) => ('date' in post ? `${post.date} ${post.slug}` : '');
  return posts.sort((a, b) => (order(a) < order(b) ? 1 : order(a) > order(b) ? -1 : 0));
}

/** The post in `<slug>.md`. InputError where it cannot be read, or its head is not as it should be. */
export async function readPost(notebook: string, slug: string): Promise<Post> {
  const path = join(notebook, `${slug}.md`);
  const text = await readFile(path, 'utf8').catch((error) => {
    throw explainSystemError(error, 'read', path);
  });
  const match = /^\uFEFF?---\r?\n(.*?)\r?\n---\r?\n(.*)$/s.exec(text);
  if (!match) throw new InputError(`${path}: no head; ${HEAD}`);
  return validate(postSchema, { ...headOf(match[1], path), slug, html: markdown().render(match[2]) }, path);
}

function headOf(text: string, path: string): Record<string, string> {
  const head = new Map<string, string>();
  for (const line of text.split(/\r?\n/).filter((line) => line.trim() !== '')) {
    const [, key, value] = /^(\w+):\s*(.*?)\s*$/.exec(line) ?? [];
    if (key === undefined || !['title', 'date', 'summary'].includes(key) || head.has(key))
      throw new InputError(`${path}: found "${line.slice(0, 80)}" in the head; ${HEAD}, each once`);
    head.set(key, value);
  }
  return Object.fromEntries(head);
}

async function slugs(notebook: string): Promise<string[]> {
  try {
    const names = await readdir(notebook);
    return names.filter((name) => /^[a-z0-9-]+\.md$/.test(name)).map((name) => name.slice(0, -3));
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return [];
    throw explainSystemError(error, 'read', notebook);
  }
}

function markdown() {
  const parser = new MarkdownIt({ html: false, linkify: false, typographer: false });
  const isOurs = (url: string) => url.startsWith(FIGURE) || url.startsWith(NUMBER);
  const allowed = parser.validateLink.bind(parser);
  parser.validateLink = (url) => isOurs(url) || allowed(url);
  const normal = parser.normalizeLink.bind(parser);
  parser.normalizeLink = (url) => (isOurs(url) ? url : normal(url));
  parser.renderer.rules.image = (tokens, at) => {
    const source = String(tokens[at].attrGet('src') ?? '');
    const caption = parser.utils.escapeHtml(tokens[at].content);
    // Pictures from elsewhere would be requests to elsewhere.
    if (!source.startsWith(FIGURE)) return `<em>[${caption}]</em>`;
    return `<span class="figure" data-figure="${parser.utils.escapeHtml(source.slice(FIGURE.length))}">${caption}</span>`;
  };
  parser.core.ruler.push('links', ({ tokens }) => {
    for (const { children, type, attrs } of tokens) {
      if (children) mendLinks(children);
      // Posts have classes, not styles.
      if (type === 'td_open' || type === 'th_open')
        for (const attribute of attrs ?? [])
          if (attribute[0] === 'style')
            attribute.splice(0, 2, 'class', String(attribute[1]).endsWith('right') ? 'number' : 'text');
    }
  });
  return parser;
}

type Token = ReturnType<ReturnType<typeof markdown>['parse']>[number];

/** A number's link becomes a span that says where it is from; a link to elsewhere tells nobody where the reader comes from. */
function mendLinks(tokens: readonly Token[]): void {
  const open: Token[] = [];
  for (const token of tokens) {
    if (token.type === 'link_open') {
      open.push(token);
      const href = String(token.attrGet('href') ?? '');
      if (href.startsWith(NUMBER)) {
        token.tag = 'span';
        token.attrs = [
          ['class', 'from-run'],
          ['data-run', href.slice(NUMBER.length)],
        ];
      } else if (!href.startsWith('#')) token.attrSet('rel', 'noreferrer');
    } else if (token.type === 'link_close') token.tag = open.pop()?.tag ?? token.tag;
  }
}
