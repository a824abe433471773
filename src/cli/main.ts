#!/usr/bin/env node
/** The `monosem` command: sets up the process, hands it to `runCli`, and nothing else. */
import { setUpHeap } from './heap.ts';
import { runCli } from './program.ts';
import { processTerminal } from './terminal.ts';

setUpHeap();

process.exitCode = await runCli(process.argv.slice(2), processTerminal());
