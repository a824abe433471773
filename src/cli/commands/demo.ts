/** `monosem demo`: a whole small run, from sampling the corpus to the report. */
import { join } from 'node:path';
import type { Command } from 'commander';
import { InputError } from '../../formats/errors.ts';
import { grouped } from '../../report/numbers.ts';
import { parseConfig } from '../../runs/config.ts';
import { exists } from '../../runs/directory.ts';
import { withBench } from '../bench.ts';
import { DEMO } from '../demo.ts';
import { printResult, type Terminal } from '../terminal.ts';

export function addDemo(program: Command, terminal: Terminal): void {
  program
    .command('demo')
    .description('a whole run with small numbers: corpus, training, nulls, evaluation, report')
    .option('--runs <directory>', 'where run directories are kept', 'runs')
    .option('--json', 'print the result as JSON')
    .addHelpText('after', '\nExample:\n  monosem demo')
    .action(async ({ runs, json }: { runs: string; json?: boolean }) => {
      const { finish, finishedText, train } = await import('../wholeRun.ts');
      const name = await freeName(runs, 'demo');
      const directory = join(runs, name);
      const config = parseConfig({ name, ...DEMO });
      const finished = await withBench(terminal, async (bench) => {
        if (bench.backend.name === 'reference') {
          throw new InputError(
            'the demo needs the C++ kernels: plain TypeScript would take hours. Build them with: ' +
              'npm run build:native (a C++20 compiler and make are needed)',
          );
        }
        const { corpus, dictionary, training, model, hook } = config;
        if (name !== 'demo') bench.reporter.note(`${join(runs, 'demo')} is there already: this is ${name}`);
        bench.reporter.note(
          `a small run into ${directory}: ${grouped(corpus.tokens)} tokens sampled from ${model}, ` +
            `${grouped(dictionary.latents)} latents of ${hook}, trained on ${grouped(training.tokens)} tokens`,
        );
        await train(bench, config, directory, false);
        return finish(bench, directory);
      });
      const text = async () => `${await finishedText(finished)}\n${whatNext(directory)}`;
      await printResult(terminal, json, { data: finished, text });
    });
}

function whatNext(directory: string): string {
  return (
    `Open the report in a browser. Next: monosem latents ${directory} --limit 40, ` +
    'or a run of your own: monosem train --name first --hook blocks.4.hook_resid_post'
  );
}

/** `name`, or the first of `name-2`, `name-3`, ... that is not there yet. */
async function freeName(runs: string, name: string): Promise<string> {
  for (let i = 1; ; i++) {
    const candidate = i === 1 ? name : `${name}-${i}`;
    if (!(await exists(join(runs, candidate)))) return candidate;
  }
}
