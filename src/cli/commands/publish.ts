/** `monosem publish`: what `monosem explore` shows, as files that any host can serve. */
import type { Command } from 'commander';
import type { Published } from '../../explorer/publish.ts';
import { grouped, scaled } from '../../report/numbers.ts';
import { terminalReporter } from '../progress.ts';
import { interruptible } from '../signals.ts';
import { printResult, type Terminal } from '../terminal.ts';

interface PublishFlags {
  readonly notebook: string;
  readonly replace?: boolean;
  readonly json?: boolean;
}

export function addPublish(program: Command, terminal: Terminal): void {
  program
    .command('publish')
    .argument('<directory>', 'where the runs are')
    .argument('<out>', 'the directory to write, which must not exist')
    .description('write the pages of explore as a static site for any file host')
    .option('--notebook <directory>', 'where posts are, *.md', 'notebook')
    .option('--replace', 'put it in the place of a site that was published before')
    .option('--json', 'print the result as JSON')
    .addHelpText(
      'after',
      '\nThe site works below any address of a host that serves files, best by ranges. The prompt lab needs monosem explore.\nExample:\n  monosem publish runs site',
    )
    .action(async (directory: string, out: string, { notebook, replace, json }: PublishFlags) => {
      const { publishSite } = await import('../../explorer/publish.ts');
      const { pagesDirectory } = await import('../../explorer/pages.ts');
      const pages = await pagesDirectory();
      const reporter = terminalReporter(terminal.err);
      const published = await interruptible(terminal, reporter.note, async (signal) => {
        const phase = reporter.begin('copying', 'files');
        try {
          return await publishSite({ runs: directory, notebook }, pages, out, {
            replace,
            update(done, total) {
              signal.throwIfAborted();
              phase.update(done, total);
            },
          });
        } finally {
          phase.end();
        }
      });
      await printResult(terminal, json, { data: published, text: () => publishedText(out, published) });
    });
}

function publishedText(out: string, { runs, entries, posts, bytes, broken }: Published): string {
  return [
    ...broken.map(({ path, error }) => `cannot be read, and is listed so: ${path}: ${error}`),
    `${out}: ${scaled(bytes)}B; runs ${grouped(runs)}, experiments ${grouped(entries)}, posts ${grouped(posts)}`,
  ].join('\n');
}
