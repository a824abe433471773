/**
 * Posts: Markdown files with a head of `title`, `date` and `summary` between two lines of `---`. HTML in them is shown as text, not
 * obeyed. It must not know of runs: a figure is only named, as `![caption](figure:<entry>/<figure>)`, and drawn by the page.
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import MarkdownIt from 'markdown-it';
import { explainSystemError, InputError, systemCode } from '../formats/errors.ts';
import { validate } from '../formats/validate.ts';
import { type Broken, type ListedPost, type Post, postSchema } from './catalogueSchema.ts';

const FIGURE = 'figure:';

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
  const date = (post: ListedPost | Broken) => ('date' in post ? post.date : '');
  return posts.sort((a, b) => (date(a) < date(b) ? 1 : date(a) > date(b) ? -1 : 0));
}

/** The post in `<slug>.md`. InputError where it cannot be read, or its head is not as it should be. */
export async function readPost(notebook: string, slug: string): Promise<Post> {
  const path = join(notebook, `${slug}.md`);
  const text = await readFile(path, 'utf8').catch((error) => {
    throw explainSystemError(error, 'read', path);
  });
  const match = /^---\r?\n(.*?)\r?\n---\r?\n(.*)$/s.exec(text);
  if (!match)
    throw new InputError(
      `${path}: no head; expected "title: ...", "date: 2026-01-31" and "summary: ..." between two lines of ---`,
    );
  const head = Object.fromEntries(
    match[1].split(/\r?\n/).map((line) => {
      const at = line.indexOf(':');
      return [line.slice(0, at).trim(), line.slice(at + 1).trim()];
    }),
  );
  return validate(postSchema, { ...head, slug, html: markdown().render(match[2]) }, path);
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
  const allowed = parser.validateLink.bind(parser);
  parser.validateLink = (url) => url.startsWith(FIGURE) || allowed(url);
  parser.renderer.rules.image = (tokens, at) => {
    const source = String(tokens[at].attrGet('src') ?? '');
    const caption = parser.utils.escapeHtml(tokens[at].content);
    // Pictures from elsewhere would be requests to elsewhere.
    if (!source.startsWith(FIGURE)) return `<em>[${caption}]</em>`;
    return `<span class="figure" data-figure="${parser.utils.escapeHtml(decodeURI(source.slice(FIGURE.length)))}">${caption}</span>`;
  };
  return parser;
}
