/**
 * Builds `src/` and `web/` before the tests, so that those which start processes or browsers run what is in the tree, and installs
 * Debian's Chromium where it is missing and this process may install it. MONOSEM_TEST_SITE is where the tests of the pages share what
 * they look at (test/web/site.ts); a directory that is named before is kept, so that it need not be made anew each time.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const CHROMIUM = '/usr/bin/chromium';

export default function setup(): () => void {
  const run = (script: string, ...args: string[]) =>
    execFileSync(process.execPath, [`node_modules/${script}`, ...args], { stdio: 'inherit' });
  run('typescript/bin/tsc', '-p', 'tsconfig.build.json');
  run('vite/bin/vite.js', 'build', 'web', '--logLevel', 'warn');
  if (!existsSync(CHROMIUM) && existsSync('/usr/bin/apt-get') && process.getuid?.() === 0) installChromium();
  if (process.env.MONOSEM_TEST_SITE !== undefined) return () => {};
  const site = join(tmpdir(), `monosem-test-site-${process.pid}`);
  process.env.MONOSEM_TEST_SITE = site;
  return () => rmSync(site, { recursive: true, force: true });
}

/** Where it cannot be had, the tests that need it say so and are skipped. */
function installChromium(): void {
  const apt = (...args: string[]) =>
    execFileSync('apt-get', ['-qq', ...args], { stdio: ['ignore', 'ignore', 'inherit'] });
  try {
    apt('update');
    apt('install', '-y', '--no-install-recommends', 'chromium');
  } catch (error) {
    console.warn(`Chromium could not be installed: ${(error as Error).message}`);
  }
}
