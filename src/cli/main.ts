#!/usr/bin/env node
/** The `monosem` command: sets up the process, hands it to `runCli`, and nothing else. */
import { keepHeapSmall } from './heap.ts';
import { runCli } from './program.ts';
import { processTerminal } from './terminal.ts';

keepHeapSmall();

process.exitCode = await runCli(process.argv.slice(2), processTerminal());
