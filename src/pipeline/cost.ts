/**
 * What a run will cost, before it: FLOPs, bytes moved, seconds, memory and disk, from a rehearsal (`rehearsal/`); and how far
 * such a forecast was from what a run then took. It must not know how either is shown.
 */
import { tokenCount } from '../activations/corpus.ts';
import type { RunConfig } from '../runs/config.ts';
import type { Run } from '../runs/schema.ts';
import { hooksOf, siteOf } from '../runs/site.ts';
import { aloneSeconds, type Seconds } from './clock.ts';
import { evaluationFlops, explanationFlops, harvestFlops, samplingFlops, trainingFlops } from './flops.ts';
import { footprint } from './footprint.ts';
import { nullsOfKind } from './nulls.ts';
import { type Rehearsal, rehearse } from './rehearsal/index.ts';
import type { Workbench } from './subject.ts';

export interface PhaseCost extends Seconds {
  readonly flops?: number;
  /** Bytes to and from memory and disk, where they are counted. */
  readonly bytesMoved?: number;
}

export interface Cost {
  readonly phases: Readonly<Record<string, PhaseCost>>;
  readonly total: {
    /** On the wall, with the machine as busy as it was during the rehearsal. */
    readonly wallSeconds: number;
    /** On the wall, with nobody else on the machine. */
    readonly aloneSeconds: number;
    readonly cpuSeconds: number;
    readonly flops: number;
  };
  readonly memory: {
    /** The most that the process will hold at once, in bytes. */
    readonly peak: number;
    /** The least that each phase must hold beside the process and its model: counted, not measured. */
    readonly live: Readonly<Record<string, number>>;
  };
  /** Bytes of each part, as in run.json. */
  readonly disk: Readonly<Record<string, number>>;
  readonly cached: readonly string[];
  readonly assumptions: readonly string[];
  /** What the rehearsal itself took. */
  readonly rehearsalSeconds: number;
}

/**
 * Forecasts the run that `config` describes, by rehearsing it. The memory is right only in a process that has done nothing
 * else. InputError where a run could not be, or reads a file of activations.
 */
export async function forecastCost(bench: Workbench, config: RunConfig): Promise<Cost> {
  const begin = performance.now();
  const found = await rehearse(bench, config);
  const flops = flopsOf(found);
  const { live, moved } = footprint(bench, found.config, found.subject, found.l0);
  const phases = Object.fromEntries(
    Object.entries(found.phases).map(([name, seconds]): [string, PhaseCost] => {
      const bytesMoved = moved[name.replace(' of the null', '')];
      return [
        name,
        { ...seconds, ...(flops[name] && { flops: flops[name] }), ...(bytesMoved && { bytesMoved }) },
      ];
    }),
  );
  const all = Object.values(phases);
  const total = (of: (phase: PhaseCost) => number) => all.reduce((sum, phase) => sum + of(phase), 0);
  return {
    phases,
    total: {
      wallSeconds: total(({ wallSeconds }) => wallSeconds),
      aloneSeconds: total(aloneSeconds),
      cpuSeconds: total(({ cpuSeconds }) => cpuSeconds),
      flops: total((phase) => phase.flops ?? 0),
    },
    memory: { peak: Math.max(...Object.values(found.memory)), live },
    disk: found.disk,
    cached: found.cached,
    assumptions: found.assumptions,
    rehearsalSeconds: (performance.now() - begin) / 1e3,
  };
}

/** FLOPs of the phases that take place. */
function flopsOf({ config, subject, phases, l0, width }: Rehearsal): Record<string, number> {
  const site = siteOf(config);
  const { config: model } = subject.model;
  const { corpus, split } = subject;
  const read = tokenCount(corpus, split.train);
  const { tokens, batch } = config.training;
  const trained = trainingFlops(config, width, l0, Math.floor(tokens / batch) * batch);
  const besides = nullsOfKind(config, 'trained').length;
  const test = tokenCount(corpus, split.test) - split.test.length;
  const evaluated = (dictionaries: number) =>
    evaluationFlops(model, config, site, { width, l0, tokens: test, dictionaries });
  const harvested = harvestFlops(model, hooksOf([site]), read);
  const all: Record<string, number> = {
    ...(subject.sampledTokens > 0 && { corpus: samplingFlops(model, subject.sampledTokens) }),
    harvest: harvested,
    training: trained * (1 + besides),
    'harvest of the null': harvested,
    'training of the null': trained,
    evaluation: evaluated(1 + besides + nullsOfKind(config, 'made').length),
    'evaluation of the null': evaluated(1),
    examples: explanationFlops(model, config, width, read),
  };
  return Object.fromEntries(Object.entries(all).filter(([name]) => name in phases));
}

/** A forecast beside the fact. `error` is their quotient less 1: above 0 where too much was forecast. */
export interface Compared {
  readonly forecast: number;
  readonly fact: number;
  readonly error: number;
}

export interface CostCheck {
  /** Seconds of each phase, on a machine of its own. */
  readonly phases: Readonly<Record<string, Compared>>;
  readonly wallSeconds: Compared;
  /** The time on the wall less what was lost to others on the machine, which no forecast can know. */
  readonly aloneSeconds: Compared;
  readonly cpuSeconds: Compared;
  readonly memory?: Compared;
  readonly disk?: Compared;
  readonly flops: Compared;
}

/**
 * The forecast against what a complete run recorded. A corpus or activations that were made for one and found in the cache
 * for the other are left out: that is no error of the forecast. All else counts, also what the forecast has no word of.
 */
export function checkCost({ phases, memory, disk, cached }: Cost, run: Run): CostCheck {
  const isFair = (name: string): boolean => {
    if (name === 'corpus') return cached.includes('corpus') === !('corpus' in run.flops);
    return !name.startsWith('harvest') || (name in phases && name in run.timing);
  };
  const [expected, done] = [Object.keys(phases).filter(isFair), Object.keys(run.timing).filter(isFair)];
  const shared = expected.filter((name) => done.includes(name));
  const total = (names: string[], of: (name: string) => number) =>
    names.reduce((sum, name) => sum + of(name), 0);
  const both = (of: (phase: Omit<Seconds, 'waitSeconds'>) => number) =>
    compare(
      total(expected, (name) => of(phases[name])),
      total(done, (name) => of(run.timing[name])),
    );
  const counted = shared.filter((name) => phases[name].flops !== undefined && name in run.flops);
  const peaks = Object.values(run.memory ?? {});
  const bytes = (parts: Readonly<Record<string, number>>) => Object.values(parts).reduce((a, b) => a + b, 0);
  return {
    phases: Object.fromEntries(
      shared.map((name) => [name, compare(aloneSeconds(phases[name]), aloneSeconds(run.timing[name]))]),
    ),
    wallSeconds: both(({ wallSeconds }) => wallSeconds),
    aloneSeconds: both(aloneSeconds),
    cpuSeconds: both(({ cpuSeconds }) => cpuSeconds),
    ...(peaks.length > 0 && { memory: compare(memory.peak, Math.max(...peaks)) }),
    ...(run.disk && { disk: compare(bytes(disk), bytes(run.disk)) }),
    flops: compare(
      counted.reduce((sum, name) => sum + phases[name].flops!, 0),
      counted.reduce((sum, name) => sum + run.flops[name], 0),
    ),
  };
}

function compare(forecast: number, fact: number): Compared {
  return { forecast, fact, error: forecast / fact - 1 };
}
