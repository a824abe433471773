/**
 * A directory to explore, with a real run of stories15M that has been judged and an experiment, made once for all tests of the pages
 * and removed by test/globalSetup.ts; and the server and the browser that show it.
 */
import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { experimentOf } from '../../src/experiments/index.ts';
import { runExperiment } from '../../src/experiments/runExperiment.ts';
import { pagesDirectory } from '../../src/explorer/pages.ts';
import { createNativeBackend } from '../../src/kernels/native.ts';
import { Stopwatch, silent } from '../../src/pipeline/reporter.ts';
import { finishRun, trainRun } from '../../src/pipeline/run.ts';
import { judgeRun } from '../../src/pipeline/verdict.ts';
import { parseConfig } from '../../src/runs/config.ts';
import { exists } from '../../src/runs/directory.ts';
import { explorerApp } from '../../src/server/app.ts';
import { listen } from '../../src/server/serve.ts';
import { launch, type Visit, visit } from './browser.ts';

const config = parseConfig({
  name: 'small',
  hook: 'blocks.1.hook_resid_post',
  corpus: { tokens: 9600, context: 48, validationFraction: 0.1, testFraction: 0.2 },
  dictionary: { latents: 192, k: 8 },
  training: { tokens: 20_000, batch: 512, learningRate: 2e-3, windowRows: 2048 },
  evaluation: { resamples: 100, nulls: ['random', 'frozen-decoder', 'reinitialised'] },
  interpretation: { topExamples: 5, sampledExamples: 10 },
});

/** The directory: `small`, a run, and `toy/five-features`, an entry. */
export async function smallSite(): Promise<string> {
  const directory = process.env.MONOSEM_TEST_SITE!;
  if (await exists(directory)) return directory;
  const made = `${directory}.${process.pid}`;
  await mkdir(made);
  const cache = process.env.MONOSEM_CACHE;
  process.env.MONOSEM_CACHE = join(made, 'cache');
  const bench = () => ({ backend: createNativeBackend(), reporter: silent, stopwatch: new Stopwatch() });
  const run = join(made, 'small');
  await trainRun(bench(), config, run, { resume: false });
  await finishRun(bench(), run);
  await judgeRun(bench(), run, 0.1);
  await runExperiment(bench(), experimentOf('five-features'), {
    directory: join(made, 'toy'),
    seed: 0,
    quick: true,
  });
  await rm(join(made, 'cache'), { recursive: true });
  if (cache === undefined) delete process.env.MONOSEM_CACHE;
  else process.env.MONOSEM_CACHE = cache;
  // Whoever comes second with the same directory throws its own away.
  await rename(made, directory).catch(() => rm(made, { recursive: true }));
  return directory;
}

export interface Shown {
  readonly address: string;
  /** A page at a place such as `#/run/small`. */
  open(hash: string): Promise<Visit>;
  close(): Promise<void>;
}

/** The directory as a browser sees it through `monosem explore`. */
export async function show(runs: string, notebook = join(runs, 'notebook')): Promise<Shown> {
  const server = await listen(explorerApp({ runs, notebook }, await pagesDirectory()), 0);
  const browser: Browser = await launch();
  return {
    address: server.address,
    open: (hash) => visit(browser, `${server.address}${hash}`),
    close: async () => {
      await browser.close();
      await server.close();
    },
  };
}
