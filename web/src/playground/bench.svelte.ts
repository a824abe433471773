/** What the playground's page shows and is asked to do: the state, the models as last heard of, and what was made of them. */
import { rewriteQuery } from '../router.ts';
import type { DictionaryProgress } from './dictionaryRun.ts';
import type { Level } from './gridRun.ts';
import type { Report } from './messages.ts';
import type { Strategy } from './phase.ts';
import { DEFAULTS, formatState, normalise, type PlaygroundState, parseState, toyKey } from './state.ts';
import type { ToySnapshot } from './toyRun.ts';
import { WorkerClient } from './workerClient.ts';

/** Milliseconds after the last change before training begins, so that a slider can be dragged. */
const SETTLE = 150;
/** Between two pictures where the reader wants little motion. */
const CALM = 1000;

interface Job<Result> {
  readonly step: number;
  readonly steps: number;
  readonly result?: Result;
}

export class Bench {
  state: PlaygroundState = $state.raw(DEFAULTS);
  /** What of the wanted state could not be had. */
  notes: readonly string[] = $state.raw([]);
  /** The models of `trained`, a state; undefined before the first is heard of. */
  snapshot: ToySnapshot | undefined = $state.raw();
  trained: PlaygroundState = $state.raw(DEFAULTS);
  dictionary: DictionaryProgress | undefined = $state.raw();
  phase: Job<Strategy[]> | undefined = $state.raw();
  levels: Job<Level[]> | undefined = $state.raw();
  /** The state that `levels` are of. */
  levelsOf: PlaygroundState | undefined = $state.raw();
  error: string | undefined = $state();

  readonly #models = new WorkerClient((report) => this.#hear(report));
  readonly #grids = new WorkerClient((report) => this.#hear(report));
  #timer: ReturnType<typeof setTimeout> | undefined;
  #shown = 0;
  #asked: PlaygroundState | undefined;

  /** The model that is looked at. */
  get model(): number {
    return this.state.shown ?? this.snapshot?.best ?? 0;
  }

  /** W of that model, `[features, hidden]`. */
  get weight(): Float32Array | undefined {
    const { features, hidden } = this.trained;
    const size = features * hidden;
    return this.snapshot?.weight.subarray(this.model * size, (this.model + 1) * size);
  }

  get running(): boolean {
    return this.error === undefined && !this.snapshot?.tested;
  }

  /** Takes the state that an address says. */
  open(query: URLSearchParams): void {
    const { state, notes } = parseState(query);
    [this.state, this.notes] = [state, notes];
    this.#train(0);
  }

  /** Changes the state, and its address with it. A change of the models lifts a halt. */
  change(changes: Partial<PlaygroundState>): void {
    const wanted = { ...this.state, ...changes };
    const same = toyKey(wanted) === toyKey(this.state);
    const { state, notes } = normalise(
      same || 'halted' in changes ? wanted : { ...wanted, halted: undefined },
    );
    [this.state, this.notes] = [state, notes];
    this.#writeAddress();
    if (!same) this.#train('halted' in changes ? 0 : SETTLE);
    else this.#trainDictionary();
  }

  /** Halts the models where they are, or lets them go on. */
  toggle(): void {
    this.change({ halted: this.running ? this.snapshot?.step : undefined });
  }

  measurePhase(): void {
    this.phase = { step: 0, steps: 1 };
    this.#grids.ask({ kind: 'phase', state: this.state });
  }

  trainLevels(): void {
    [this.levels, this.levelsOf] = [{ step: 0, steps: 1 }, this.state];
    this.#grids.ask({ kind: 'levels', state: this.state });
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#models.end();
    this.#grids.end();
  }

  #writeAddress(): void {
    rewriteQuery({ page: 'playground' }, formatState(this.state));
  }

  #train(after: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      const { state } = this;
      this.error = undefined;
      this.dictionary = undefined;
      this.#asked = state;
      const halts = state.halted !== undefined && this.snapshot?.step === state.halted;
      if (!halts) this.#shown = 0;
      this.#models.ask({ kind: 'toy', state });
    }, after);
  }

  /** Where the models are at rest and a dictionary is wanted. */
  #trainDictionary(): void {
    clearTimeout(this.#timer);
    if (this.state.dictionary === undefined) this.dictionary = undefined;
    if (this.state.dictionary === undefined || this.running || this.weight === undefined) return;
    this.dictionary = { step: 0, steps: 1, stepsPerSecond: 0 };
    this.#timer = setTimeout(() => {
      const { state, weight } = this;
      if (weight) this.#models.ask({ kind: 'dictionary', state, weight: weight.slice() });
    }, SETTLE);
  }

  #hear(report: Report): void {
    switch (report.kind) {
      case 'toy': {
        const now = performance.now();
        const calm = matchMedia('(prefers-reduced-motion: reduce)').matches;
        if (calm && !report.snapshot.tested && now - this.#shown < CALM) return;
        this.#shown = now;
        this.trained = this.#asked!;
        this.snapshot = report.snapshot;
        if (report.snapshot.tested) this.#trainDictionary();
        break;
      }
      case 'dictionary':
        this.dictionary = report.progress;
        break;
      case 'phase':
        this.phase = report.progress;
        break;
      case 'levels':
        this.levels = report.progress;
        break;
      case 'failed':
        this.error = report.message;
    }
  }
}
