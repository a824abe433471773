/**
 * Results of trainings that were done already, so that an hour's work can be broken off and gone on with. A result belongs
 * to the code that made it: with another build of the library or of its addon, all is measured anew.
 */
import { createHash } from 'node:crypto';
import { appendFileSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const FILE = join(root, 'build', 'families.jsonl');

/** SHA-256 of the library, the addon and the world as they are now. */
function codeHash() {
  const hash = createHash('sha256');
  const library = readdirSync(join(root, 'dist'), { recursive: true })
    .map(String)
    .filter((name) => name.endsWith('.js'))
    .sort()
    .map((name) => join('dist', name));
  const world = ['world', 'views'].map((part) => join('bench', 'families', `${part}.mjs`));
  for (const name of [...library, 'build/Release/monosem.node', ...world]) {
    const path = join(root, name);
    if (existsSync(path)) hash.update(name).update(readFileSync(path));
  }
  return hash.digest('hex');
}

/**
 * Results by what was trained and where.
 * @typedef {import('./world.mjs').Scores} Scores
 */
export function openStore() {
  const code = codeHash();
  /** @type {Map<string, Scores>} */
  const known = new Map();
  const lines = existsSync(FILE) ? readFileSync(FILE, 'utf8').split('\n') : [];
  for (const line of lines.filter((text) => text !== '')) {
    const { of, scores, code: madeBy } = JSON.parse(line);
    if (madeBy === code) known.set(of, scores);
  }
  return {
    /** @param {unknown} what @returns {Scores | undefined} */
    get: (what) => known.get(JSON.stringify(what)),
    /** @param {unknown} what @param {Scores} scores */
    add(what, scores) {
      const of = JSON.stringify(what);
      known.set(of, scores);
      appendFileSync(FILE, `${JSON.stringify({ of, scores, code })}\n`);
    },
  };
}
