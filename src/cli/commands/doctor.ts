/** `monosem doctor`: what this machine gives monosem to work with, and what is missing. */
import type { Command } from 'commander';
import { cacheDirectory } from '../../activations/cache.ts';
import { InputError } from '../../formats/errors.ts';
import { bytesAt } from '../../formats/size.ts';
import type { Backend } from '../../kernels/backend.ts';
import { loadBackend } from '../../kernels/index.ts';
import { nativeProblem } from '../../kernels/native.ts';
import { loadModel } from '../../models/registry.ts';
import { scaled } from '../../report/numbers.ts';
import { parseConfig } from '../../runs/config.ts';
import { monosemVersion } from '../../version.ts';
import { asUsage } from '../failure.ts';
import { printResult, type Terminal } from '../terminal.ts';
import { facts } from '../text.ts';

export function addDoctor(program: Command, terminal: Terminal): void {
  program
    .command('doctor')
    .description('say what this machine has: kernels, threads, model, cache')
    .option('--json', 'print the result as JSON')
    .addHelpText('after', '\nExample:\n  monosem doctor')
    .action(async ({ json }: { json?: boolean }) => {
      const found = await examine(terminal);
      await printResult(terminal, json, { data: found, text: () => diagnosis(found) });
    });
}

type Findings = Awaited<ReturnType<typeof examine>>;

async function examine({ env }: Terminal) {
  const backend = await asUsage(() => loadBackend());
  const cache = cacheDirectory();
  return {
    versions: { monosem: await monosemVersion(), node: process.versions.node },
    kernels: {
      backend: backend.name,
      instructionSet: backend.instructionSet,
      fastestPrecision: backend.fastestPrecision,
      threads: backend.threads,
      fallback: backend.name === 'reference' ? fallbackReason(env) : null,
    },
    model: await examineModel(backend),
    cache: { directory: cache, bytes: await bytesAt(cache) },
  };
}

function fallbackReason(env: Terminal['env']): string {
  const problem = nativeProblem();
  return problem === undefined
    ? `MONOSEM_BACKEND=${env.MONOSEM_BACKEND} asks for it`
    : `the native addon was not loaded: ${problem}; build it with: npm run build:native`;
}

async function examineModel(backend: Backend): Promise<{ name: string; source?: string; problem?: string }> {
  const name = parseConfig({ name: 'default' }).model;
  try {
    return { name, source: (await loadModel(name, backend)).source };
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return { name, problem: error.message };
  }
}

function diagnosis({ versions, kernels, model, cache }: Findings): string {
  return facts([
    ['monosem', versions.monosem],
    ['Node', versions.node],
    ['kernels', kernels.fallback ? `plain TypeScript, many times slower: ${kernels.fallback}` : 'native C++'],
    ['instructions', kernels.instructionSet],
    ['precision', `${kernels.fastestPrecision} is the fastest here, and what "auto" stands for`],
    ['threads', String(kernels.threads)],
    ['model', model.problem ?? `${model.name} (${model.source})`],
    ['cache', `${cache.directory} (${scaled(cache.bytes)}B; anything in it can be removed and made again)`],
  ]);
}
