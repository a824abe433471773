/** `monosem explore`: every run below a directory as pages in the browser, until Ctrl-C. */
import type { Command } from 'commander';
import { wholeNumber } from '../flags.ts';
import { interruptible } from '../signals.ts';
import type { Terminal } from '../terminal.ts';

export function addExplore(program: Command, terminal: Terminal): void {
  program
    .command('explore')
    .argument('[directory]', 'where the runs are', 'runs')
    .description('look at runs, features and experiments in the browser')
    .option('--port <number>', 'to listen on; 0 takes any that is free', wholeNumber, 4242)
    .option('--notebook <directory>', 'where posts are, *.md', 'notebook')
    .addHelpText(
      'after',
      '\nOnly this machine can reach the pages, and they ask for nothing from outside. Ctrl-C ends it. Example:\n  monosem explore runs',
    )
    .action(async (directory: string, { port, notebook }: { port: number; notebook: string }) => {
      const { scan } = await import('../../explorer/scan.ts');
      const { explorerApp } = await import('../../server/app.ts');
      const { listen } = await import('../../server/serve.ts');
      const { pagesDirectory } = await import('../../explorer/pages.ts');
      const { runs, entries } = await scan(directory);
      const { address, close } = await listen(
        explorerApp({ runs: directory, notebook }, await pagesDirectory()),
        port,
      );
      terminal.out.write(
        `${runs.length} runs and ${entries.length} experiments in ${directory}: ${address} (Ctrl-C ends it)\n`,
      );
      const said = (line: string) => void terminal.err.write(`${line}\n`);
      await interruptible(terminal, said, (signal) => {
        const stopped = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
        return stopped.then(close);
      });
    });
}
