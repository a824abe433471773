/**
 * The command line as a whole: its commands, and one place where every failure becomes a line and an exit code.
 * Commands import what computes only when they run: --help should not wait for it.
 */
import { Command } from 'commander';
import { monosemVersion } from '../version.ts';
import { addAtlas } from './commands/atlas.ts';
import { addConvert } from './commands/convert.ts';
import { addCost } from './commands/cost.ts';
import { addDemo } from './commands/demo.ts';
import { addDoctor } from './commands/doctor.ts';
import { addEvaluate } from './commands/evaluate.ts';
import { addExplore } from './commands/explore.ts';
import { addHarvest } from './commands/harvest.ts';
import { addLatents } from './commands/latents.ts';
import { addMatch } from './commands/match.ts';
import { addPublish } from './commands/publish.ts';
import { addRun } from './commands/run.ts';
import { addScaling } from './commands/scaling.ts';
import { addSparsity } from './commands/sparsity.ts';
import { addSweep } from './commands/sweep.ts';
import { addToy } from './commands/toy.ts';
import { addTrain } from './commands/train.ts';
import { addVerdict } from './commands/verdict.ts';
import { explainFailure } from './failure.ts';
import type { Terminal } from './terminal.ts';

const COMMANDS = [
  addDemo,
  addTrain,
  addSweep,
  addSparsity,
  addCost,
  addScaling,
  addToy,
  addEvaluate,
  addVerdict,
  addExplore,
  addAtlas,
  addMatch,
  addPublish,
  addRun,
  addLatents,
  addHarvest,
  addConvert,
  addDoctor,
];

/** The program with its commands; `parseAsync` throws instead of ending the process. */
export function buildProgram(terminal: Terminal, version: string): Command {
  const program = new Command('monosem')
    .description(
      'Takes a neural network apart into the features that it stores in superposition, and measures which of them are more than an artifact.',
    )
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand('help [command]', 'print the help of a command')
    .exitOverride()
    .showHelpAfterError('(--help shows what there is)')
    .configureOutput({
      writeOut: (text) => terminal.out.write(text),
      writeErr: (text) => terminal.err.write(text),
      getOutHelpWidth: () => terminal.out.columns ?? 100,
      getErrHelpWidth: () => terminal.err.columns ?? 100,
      // Commander would look at the process's own streams.
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .addHelpText('after', '\nExample:\n  monosem demo        a whole small run, from corpus to report');
  for (const add of COMMANDS) add(program, terminal);
  return program;
}

/** Runs the command that `args` (without node and script) ask for; gives the exit code. */
export async function runCli(args: readonly string[], terminal: Terminal): Promise<number> {
  try {
    await buildProgram(terminal, await monosemVersion()).parseAsync(args, { from: 'user' });
    return 0;
  } catch (error) {
    return explainFailure(error, terminal.err);
  }
}
