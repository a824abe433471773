// Builds the addon during `npm install`, with the node-gyp that npm carries. Where that fails (no compiler, say)
// the install still succeeds: the reference backend serves, slower, and `monosem doctor` says so.
// With --strict a failed build is an error.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

const strict = process.argv.includes('--strict');
const prefix = dirname(dirname(process.execPath));
const args = ['rebuild', '--jobs', 'max', '--loglevel', 'error'];
// Node's headers beside the node that runs spare node-gyp a download.
if (existsSync(join(prefix, 'include', 'node', 'common.gypi'))) args.push('--nodedir', prefix);

const built = spawnSync('node-gyp', args, { stdio: 'inherit', shell: process.platform === 'win32' });
if (built.status !== 0) {
  console.error(
    'monosem: the native addon was not built (a C++20 compiler and make are needed); ' +
      'the slow reference backend will serve. Build it later with: npm run build:native',
  );
  if (strict) process.exitCode = 1;
}
