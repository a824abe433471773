/**
 * Sweeps on stories15M, as small as they can be: every arm the same bytes as its configuration run alone, across Ctrl-C
 * and kill -9; arms that halving stops say so; too large a sweep is refused.
 */
import { spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { nullsNamed } from '../../src/evaluation/nulls/index.ts';
import { sha256File } from '../../src/formats/hash.ts';
import { createNativeBackend } from '../../src/kernels/native.ts';
import { evaluate } from '../../src/pipeline/evaluate.ts';
import { type PhaseReporter, type Reporter, Stopwatch, silent } from '../../src/pipeline/reporter.ts';
import { trainRun } from '../../src/pipeline/run.ts';
import { loadSubject, type Workbench } from '../../src/pipeline/subject.ts';
import { resumeSweep, runSweep } from '../../src/pipeline/sweep.ts';
import { summariseSweep } from '../../src/pipeline/sweepSummary.ts';
import type { RunConfig } from '../../src/runs/config.ts';
import { readEvaluation, readMetrics, readRun } from '../../src/runs/directory.ts';
import { type GridInput, parseGrid } from '../../src/runs/grid.ts';
import { readSweep } from '../../src/runs/sweepDirectory.ts';

const base = {
  corpus: { tokens: 1600, context: 32, validationFraction: 0.1, testFraction: 0.2 },
  dictionary: { latents: 96 },
  training: {
    tokens: 5120,
    batch: 256,
    learningRate: 2e-3,
    checkpointEvery: 5,
    windowRows: 1024,
    logEvery: 2,
  },
  evaluation: { resamples: 50, nulls: false },
};
const hooks = ['blocks.0.hook_resid_post', 'blocks.1.hook_resid_post'];
const families = [{ dictionary: { family: 'topk', k: 4 } }, { dictionary: { family: 'batchtopk', k: 4 } }];

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'monosem-sweeps-'));
  process.env.MONOSEM_CACHE = join(root, 'cache');
});
afterAll(async () => {
  createNativeBackend();
  delete process.env.MONOSEM_CACHE;
  await rm(root, { recursive: true });
});

const bench = (more: Partial<Workbench> = {}): Workbench => ({
  backend: createNativeBackend({ threads: 2 }),
  reporter: silent,
  stopwatch: new Stopwatch(),
  ...more,
});
const sweepOf = (name: string, more: Partial<GridInput> = {}) => parseGrid({ name, base, ...more });

const FILES = ['sae/cfg.json', 'sae/sae_weights.safetensors', 'sae/sparsity.safetensors', 'metrics.jsonl'];
const hashes = (dir: string, { evaluation }: RunConfig) => {
  const trained = nullsNamed(evaluation.nulls).filter(({ making }) => making.kind !== 'made');
  const ofNulls = trained.map(({ name }) => `nulls/${name}/sae/sae_weights.safetensors`);
  return Promise.all([...FILES, ...ofNulls].map((file) => sha256File(join(dir, file))));
};

/** The configuration run alone, in a cache of its own reach: trained and evaluated. */
async function alone(config: RunConfig, dir: string) {
  expect(await trainRun(bench(), config, dir, { resume: false })).toBe(true);
  return evaluate(bench(), config, await loadSubject(bench(), config), dir);
}

async function expectSameAsAlone(sweep: string, configs: readonly RunConfig[]) {
  for (const config of configs) {
    const [together, apart] = [join(sweep, config.name), join(root, 'alone', config.name)];
    const evaluation = await alone(config, apart);
    expect(await hashes(together, config)).toEqual(await hashes(apart, config));
    expect(await readEvaluation(together)).toEqual(evaluation);
  }
}

describe('a sweep', () => {
  it('gives each arm the bytes of its configuration alone: families, hooks, seeds, a transcoder, nulls', async () => {
    const grid = sweepOf('whole', {
      base: { ...base, evaluation: { resamples: 50, nulls: true } },
      arms: [
        { ...families[0], hook: hooks[0], seed: 0 },
        { ...families[1], hook: hooks[1], seed: 1 },
        {
          hook: 'blocks.1.ln2.hook_normalized',
          target: { hook: 'blocks.1.hook_mlp_out' },
          dictionary: { k: 3 },
          seed: 1,
        },
      ],
    });
    const dir = join(root, 'whole');
    expect(await runSweep(bench(), grid, dir)).toBe(true);
    expect((await readdir(dir)).sort()).toEqual(
      [...grid.configs.map(({ name }) => name), 'sweep.json'].sort(),
    );
    // One store of all hook points for the model, and one for each null.
    expect(await readdir(join(root, 'cache', 'activations'))).toHaveLength(3);
    await expectSameAsAlone(dir, grid.configs);
    for (const { name } of grid.configs) expect((await readRun(join(dir, name))).status).toBe('evaluated');
  }, 240_000);

  it('puts arms that cannot share a stream into passes of their own', async () => {
    const grid = sweepOf('passes', {
      grid: { 'training.batch': [256, 128], 'training.shuffleSeed': [0, 3] },
    });
    const phases: string[] = [];
    const reporter: Reporter = {
      note: () => {},
      begin: (phase) => {
        phases.push(phase);
        return { update: () => {}, end: () => {} };
      },
    };
    const dir = join(root, 'passes');
    await runSweep(bench({ reporter }), grid, dir);
    expect(phases.filter((phase) => phase === 'training')).toHaveLength(4);
    // The mean that ablation puts in is of the rows that the shuffle's seed draws.
    expect(phases.filter((phase) => phase === 'evaluation')).toHaveLength(2);
    await expectSameAsAlone(dir, grid.configs.slice(2, 4));
  }, 120_000);

  it('goes on after Ctrl-C and kill -9 to the same bytes, and trains no finished arm again', async () => {
    const grid: GridInput = {
      name: 'killed',
      base: {
        ...base,
        evaluation: { resamples: 50, nulls: ['random', 'soft-frozen-decoder', 'shuffled', 'reinitialised'] },
      },
      arms: families,
      // One arm is finished long before the other.
      grid: { 'training.tokens': [5120, 10_240] },
    };
    const { configs } = parseGrid(grid);
    const whole = join(root, 'unharmed');
    await runSweep(bench(), parseGrid(grid), whole);
    const dir = join(root, 'killed');
    const stop = new AbortController();
    const interrupted = await runSweep(
      bench({ signal: stop.signal, reporter: stopping('training', 15, stop) }),
      parseGrid(grid),
      dir,
    );
    expect(interrupted).toBe(false);
    expect((await readRun(join(dir, configs[0].name))).status).toBe('interrupted');
    const script = new URL('./sweepToKill.mjs', import.meta.url).pathname;
    for (const [phase, delay] of [
      ['training', 150],
      ['training of the null', 100],
      ['evaluation', 50],
    ] as const) {
      await new Promise<void>((resolve) => {
        const child = spawn(process.execPath, [script, dir], { stdio: ['ignore', 'pipe', 'inherit'] });
        child.stdout.on('data', (text) => {
          if (String(text).includes(`<${phase}>`)) setTimeout(() => child.kill('SIGKILL'), delay);
        });
        child.once('exit', () => resolve());
      });
    }
    expect(await resumeSweep(bench(), dir)).toBe(true);
    for (const config of configs) {
      const { name } = config;
      expect(await hashes(join(dir, config.name), config)).toEqual(
        await hashes(join(whole, config.name), config),
      );
      expect(await readEvaluation(join(dir, name))).toEqual(await readEvaluation(join(whole, name)));
    }
    const weights = join(dir, configs[0].name, 'sae', 'sae_weights.safetensors');
    const before = await stat(weights);
    expect(await resumeSweep(bench(), dir)).toBe(true);
    expect(await stat(weights)).toEqual(before);
  }, 240_000);
});

describe('halving', () => {
  const halving = { rungs: [0.25, 0.5], keep: 0.5, margin: 0.01 };
  // At a rate of 1e-9 nothing is learned; the other arms must win.
  const grid = {
    base: { ...base, dictionary: { latents: 96, k: 4 }, training: { ...base.training, tokens: 10_240 } },
    grid: { 'training.learningRate': [2e-3, 1e-9], seed: [0, 1] },
    halving,
  };

  it('stops arms that are dominated, says so, and leaves the others as they are alone', async () => {
    const dir = join(root, 'halved');
    const { configs } = sweepOf('halved', grid);
    expect(await runSweep(bench(), sweepOf('halved', grid), dir)).toBe(true);
    const { arms } = await summariseSweep(dir);
    const stopped = arms.filter(({ status }) => status === 'stopped');
    expect(stopped.map(({ name }) => name).sort()).toEqual(
      configs
        .slice(2)
        .map(({ name }) => name)
        .sort(),
    );
    for (const { name, stopped: stop } of stopped) {
      const lines = await readMetrics(join(dir, name));
      expect(lines.at(-1)!.step).toBe(stop!.step);
      expect(lines.at(-1)).toMatchObject({ validationFvu: stop!.fvu, validationL0: stop!.l0 });
      const winner = (await readMetrics(join(dir, stop!.by))).find(({ step }) => step === stop!.step)!;
      expect(winner).toMatchObject({ validationFvu: stop!.byFvu, validationL0: stop!.byL0 });
      expect(stop!.fvu - stop!.byFvu).toBeGreaterThan(halving.margin);
      expect(stop!.byL0).toBeLessThanOrEqual(stop!.l0);
      expect(await readEvaluation(join(dir, name))).toBeUndefined();
    }
    await expectSameAsAlone(dir, configs.slice(0, 1));
    // Two of four may go at the first rung; at the second nobody is dominated.
    const { rungs } = await readSweep(dir);
    expect(rungs.map(({ step, stopped }) => [step, stopped.length])).toEqual([
      [10, 2],
      [20, 0],
    ]);
  }, 120_000);

  it('decides once: a sweep killed after a rung was written down, and before anybody acted, keeps to it', async () => {
    const dir = join(root, 'decided');
    const stop = new AbortController();
    await runSweep(
      bench({ signal: stop.signal, reporter: stopping('training', 6, stop) }),
      sweepOf('decided', grid),
      dir,
    );
    const file = join(dir, 'sweep.json');
    const sweep = await readSweep(dir);
    expect(sweep.rungs).toEqual([]);
    // Another decision than that which would be made, so that it shows.
    const loser = sweep.arms[0];
    const numbers = { step: 10, fvu: 0.5, l0: 4, byFvu: 0.4, byL0: 4 };
    const rung = { step: 10, arms: sweep.arms, stopped: [{ arm: loser, by: sweep.arms[1], ...numbers }] };
    await writeFile(file, JSON.stringify({ ...sweep, rungs: [rung] }));
    expect(await resumeSweep(bench(), dir)).toBe(true);
    expect(await readRun(join(dir, loser))).toMatchObject({
      status: 'stopped',
      stopped: { by: sweep.arms[1] },
    });
    const after = await readSweep(dir);
    expect(after.rungs[0]).toEqual(rung);
    expect(after.rungs[1].arms).toEqual(sweep.arms.slice(1));
  }, 120_000);
});

describe('refusals', () => {
  it('refuses what does not fit into memory before anything is written, unless it is forced', async () => {
    const huge = sweepOf('huge', { grid: { 'dictionary.latents': [2_000_000_000] } });
    await expect(runSweep(bench(), huge, join(root, 'huge'))).rejects.toThrow(
      /needs about .* TB of memory .* for the arms.*--force/,
    );
    expect(await readdir(root)).not.toContain('huge');
  });

  it('does not touch a directory that exists, and names a hook point that does not', async () => {
    await expect(runSweep(bench(), sweepOf('a'), join(root, 'cache'))).rejects.toThrow(
      /exists already.*--resume/,
    );
    const mistaken = sweepOf('b', { grid: { hook: ['blocks.1.hook_resid_pots'] } });
    await expect(runSweep(bench(), mistaken, join(root, 'b'))).rejects.toThrow(/blocks\.1\.hook_resid_post/);
    await expect(resumeSweep(bench(), join(root, 'nowhere'))).rejects.toThrow(/nowhere.*sweep\.json/);
    await writeFile(join(root, 'sweep.json'), '{"format": 2}');
    await expect(readSweep(root)).rejects.toThrow(/sweep\.json:\n {2}format: found 2/);
    expect((await readFile(join(root, 'sweep.json'), 'utf8')).length).toBe(13);
  });
});

/** Aborts at the given update of a phase. */
function stopping(phase: string, at: number, stop: AbortController): Reporter {
  return {
    note: () => {},
    begin: (name): PhaseReporter => {
      let updates = 0;
      return {
        end: () => {},
        update: () => {
          if (name === phase && ++updates === at) stop.abort();
        },
      };
    },
  };
}
