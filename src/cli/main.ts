#!/usr/bin/env node
/** The `monosem` command: hands the process to `runCli`, and nothing else. */
import { runCli } from './program.ts';
import { processTerminal } from './terminal.ts';

process.exitCode = await runCli(process.argv.slice(2), processTerminal());
