/**
 * The pages and what they look at as plain files, for any host that serves files: what the server answers, written down. It must not
 * know who watches, nor of hosts.
 */
import { copyFile, cp, lstat, mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { writeDirAtomic } from '../formats/atomic.ts';
import { explainSystemError, InputError, systemCode } from '../formats/errors.ts';
import { bytesAt } from '../formats/size.ts';
import { ENTRY_FILE } from '../runs/entry.ts';
import { makeCatalogue, type Sources } from './catalogue.ts';
import type { Broken, Catalogue } from './catalogueSchema.ts';
import { FEED_FILE, feedOf } from './feed.ts';
import { readPost } from './posts.ts';
import { PublicFiles } from './publicFiles.ts';

const CATALOGUE = join('data', 'catalogue.json');

export interface Published {
  readonly runs: number;
  readonly entries: number;
  readonly posts: number;
  readonly bytes: number;
  /** Runs, entries and posts that cannot be read: listed on the pages with the reason. */
  readonly broken: readonly Broken[];
}

export interface PublishOptions {
  /** A site that is already at `out` makes way, once the new one is whole. */
  readonly replace?: boolean;
  /** Files of runs that are copied, of all; throws where it is to stop. */
  readonly update?: (done: number, total: number) => void;
}

/**
 * Writes `pages` (the built ones) and all of `sources` that they show to `out`, which appears whole or not at all. InputError where `out`
 * exists (with `replace`: where it is something else than a published site), where it and the runs lie one within the other, or where
 * nothing can be read or written.
 */
export async function publishSite(
  sources: Sources,
  pages: string,
  out: string,
  { replace = false, update = () => {} }: PublishOptions = {},
): Promise<Published> {
  refuseNested(sources.runs, out);
  if (replace) await refuseStranger(out);
  let published: Published | undefined;
  await writeDirAtomic(
    out,
    async (site) => {
      const catalogue = await makeCatalogue(sources, false);
      await cp(pages, site, { recursive: true }).catch((error) => {
        throw explainSystemError(error, 'write', site);
      });
      await copyFiles(catalogue, new PublicFiles(sources.runs), site, update);
      await writePosts(catalogue, sources.notebook, site);
      await writeFile(join(site, FEED_FILE), feedOf(catalogue.posts));
      await writeFile(join(site, CATALOGUE), JSON.stringify(catalogue));
      published = { ...countsOf(catalogue), bytes: await bytesAt(site) };
    },
    { replace },
  );
  return published!;
}

/** A site within the runs would be looked through as runs; runs within the site would be replaced with it. */
function refuseNested(runs: string, out: string): void {
  const within = (inner: string, outer: string) => {
    const way = relative(resolve(outer), resolve(inner));
    return !(way === '..' || way.startsWith(`..${sep}`) || isAbsolute(way));
  };
  if (within(out, runs) || within(runs, out))
    throw new InputError(`${out}: it and the runs in ${runs} lie one within the other; choose another place`);
}

/** Whatever is not a site of ours is not ours to remove. */
async function refuseStranger(out: string): Promise<void> {
  const found = await lstat(out).catch((error) => {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw explainSystemError(error, 'read', out);
  });
  if (found === undefined) return;
  const isSite =
    found.isDirectory() &&
    ((await readdir(out)).length === 0 ||
      ((await isFile(join(out, CATALOGUE))) && (await isFile(join(out, 'index.html')))));
  if (!isSite)
    throw new InputError(
      `${out}: not a published site, so --replace leaves it alone; choose another place or remove it`,
    );
}

async function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isFile(),
    () => false,
  );
}

/**
 * Copies what the catalogue lists. A run may go on meanwhile, so that the catalogue then gets the sizes of the copies, and loses files
 * that are gone.
 */
async function copyFiles(
  { runs, entries }: Catalogue,
  known: PublicFiles,
  site: string,
  update: (done: number, total: number) => void,
): Promise<void> {
  const wanted = [
    ...runs.flatMap((run) =>
      'error' in run ? [] : Object.keys(run.files).map((file) => ({ run, path: run.path, file })),
    ),
    ...entries.flatMap((entry) =>
      'error' in entry ? [] : [{ run: undefined, path: entry.path, file: ENTRY_FILE }],
    ),
  ];
  for (const [done, { run, path, file }] of wanted.entries()) {
    update(done, wanted.length);
    const source = await known.find(`${path}/${file}`);
    // The parts are names of directories that were read, so that none leads out of the site.
    const target = join(site, 'data', 'files', ...path.split('/'), file);
    const size = source === undefined ? undefined : await copyOf(source, target);
    if (run === undefined) {
      if (size === undefined)
        throw new InputError(`${path}/${file}: it went away while it was published; try again`);
    } else if (size === undefined) delete run.files[file];
    else run.files[file] = size;
  }
  update(wanted.length, wanted.length);
}

/** The size of the copy; undefined where there is no such file any more. */
async function copyOf(source: string, target: string): Promise<number | undefined> {
  await mkdir(dirname(target), { recursive: true });
  try {
    await copyFile(source, target);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    // Of the two paths that the system names, which one is at fault shows in the code.
    const isRead = ['EACCES', 'EPERM', 'EISDIR'].includes(systemCode(error) ?? '');
    throw explainSystemError(error, isRead ? 'read' : 'write', isRead ? source : target);
  }
  return (await stat(target)).size;
}

async function writePosts({ posts }: Catalogue, notebook: string, site: string): Promise<void> {
  const directory = join(site, 'data', 'posts');
  await mkdir(directory, { recursive: true });
  for (const post of posts)
    if (!('error' in post))
      await writeFile(
        join(directory, `${post.slug}.json`),
        JSON.stringify(await readPost(notebook, post.slug)),
      );
}

function countsOf({ runs, entries, posts }: Catalogue): Omit<Published, 'bytes'> {
  const isBroken = (listed: object): listed is Broken => 'error' in listed;
  const broken = [...runs, ...entries, ...posts].filter(isBroken);
  const whole = (listed: readonly object[]) => listed.filter((one) => !isBroken(one)).length;
  return { runs: whole(runs), entries: whole(entries), posts: whole(posts), broken };
}
