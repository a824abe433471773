/**
 * The pipeline's reporter, drawn: on a terminal a bar with rate, time left and figures; anywhere else a plain line
 * every few seconds. Of phases that are under way at the same time the one that began first is shown. Each ends in one line with
 * the time that it took. It must not know what is reported.
 */
import cliProgress, { type Options, type Params, type SingleBar } from 'cli-progress';
import type { PhaseReporter, Reporter } from '../pipeline/reporter.ts';
import { duration, grouped } from '../report/numbers.ts';
import type { Output } from './terminal.ts';

/** Seconds between two plain lines of one phase. */
const PLAIN_EVERY = 5;
const WIDEST_BAR = 24;

/** How far a phase has come. */
export interface PhaseState {
  readonly phase: string;
  readonly unit: string;
  readonly done: number;
  readonly total: number;
  /** Since the phase began. */
  readonly seconds: number;
  /** Units a second; undefined before there is anything to measure. */
  readonly rate?: number;
  readonly details?: Readonly<Record<string, number>>;
}

const LABELS: Record<string, string> = { fvu: 'FVU', l0: 'L0' };

/** Rate, time left and figures: `35,000 tokens/s, 24 s left, loss 0.412, dead 7`. */
export function figures({ unit, done, total, rate, details = {} }: PhaseState): string {
  const pace =
    rate === undefined || !(rate > 0)
      ? []
      : [...pacePerSecond(rate, unit), `${duration((total - done) / rate)} left`];
  const named = Object.entries(details).map(([name, value]) => `${LABELS[name] ?? name} ${figure(value)}`);
  return [...pace, ...named].join(', ');
}

/** A line for where there is no terminal. */
export function plainLine(state: PhaseState): string {
  const { phase, unit, done, total } = state;
  const share = total > 0 ? Math.floor((100 * done) / total) : 100;
  const rest = figures(state);
  return `${phase}: ${share} %, ${grouped(done)} of ${grouped(total)} ${unit}${rest && `, ${rest}`}`;
}

/** The line that a phase leaves behind. */
export function endLine({ phase, unit, done, total, seconds, rate, details }: PhaseState): string {
  if (total === 0) return `${phase}: ${duration(seconds)}`;
  const amount =
    done < total
      ? `stopped at ${grouped(done)} of ${grouped(total)} ${unit} after`
      : `${grouped(done)} ${unit} in`;
  const rest = figures({ phase, unit, done, total, seconds, details });
  // A rate over a handful of files says nothing.
  const pace = rate === undefined || total < 100 ? [] : pacePerSecond(rate, unit);
  return `${phase}: ${amount} ${duration(seconds)}${pace.map((text) => ` (${text})`).join('')}${rest && `, ${rest}`}`;
}

/** Nothing where it would be 0.0 a second. */
function pacePerSecond(rate: number, unit: string): string[] {
  return rate < 0.05 ? [] : [`${rate < 10 ? rate.toFixed(1) : grouped(rate)} ${unit}/s`];
}

function figure(value: number): string {
  return Number.isInteger(value) ? grouped(value) : String(Number(value.toPrecision(3)));
}

/** A reporter that writes to `err`. `now` gives seconds. */
export function terminalReporter(err: Output, now = () => performance.now() / 1e3): Reporter {
  const drawn = err.isTTY ? barDisplay(err) : plainDisplay(err, now);
  const underWay: symbol[] = [];
  return {
    note: (line) => drawn.line(line),
    begin: (phase, unit) => {
      const self = Symbol(phase);
      underWay.push(self);
      const isShown = () => underWay[0] === self;
      const ended = () => underWay.splice(underWay.indexOf(self), 1);
      return phaseReporter({ phase, unit, isShown, ended }, drawn, now);
    },
  };
}

interface Display {
  show(state: PhaseState): void;
  /** The phase is over. */
  end(): void;
  /** A line that stays. */
  line(text: string): void;
}

function phaseReporter(
  of: { phase: string; unit: string; isShown: () => boolean; ended: () => void },
  display: Display,
  now: () => number,
): PhaseReporter {
  const { phase, unit, isShown, ended } = of;
  const began = now();
  let first: { done: number; at: number } | undefined;
  let state: PhaseState = { phase, unit, done: 0, total: 0, seconds: 0 };
  return {
    update(done, total, details) {
      const at = now();
      // Counted from the first update: a resumed phase begins with much already done.
      first ??= { done, at };
      const rate = at > first.at ? (done - first.done) / (at - first.at) : undefined;
      state = { phase, unit, done, total, seconds: at - began, rate, details };
      if (isShown()) display.show(state);
    },
    end() {
      if (isShown()) display.end();
      ended();
      display.line(endLine({ ...state, seconds: now() - began }));
    },
  };
}

function plainDisplay(err: Output, now: () => number): Display {
  let last = now();
  return {
    show(state) {
      if (now() - last < PLAIN_EVERY) return;
      last = now();
      err.write(`${plainLine(state)}\n`);
    },
    end: () => {
      last = now();
    },
    line: (text) => err.write(`${text}\n`),
  };
}

/** Phase, bar and figures in `width` columns; the bar takes what the words leave. */
function barLine(options: Options, progress: number, state: PhaseState, width: number): string {
  const words = [`${state.phase} `, ` ${Math.floor(progress * 100)} %  ${figures(state)}`];
  const barsize = Math.min(WIDEST_BAR, Math.max(4, width - words.join('').length));
  return words.join(cliProgress.Format.BarFormat(progress, { ...options, barsize })).slice(0, width);
}

function barDisplay(err: Output): Display {
  let bar: SingleBar | undefined;
  let state: PhaseState | undefined;
  const hide = () => {
    bar?.stop();
    bar = undefined;
  };
  const show = (at: PhaseState) => {
    state = at;
    if (bar) {
      bar.update(at.done);
      return;
    }
    bar = new cliProgress.SingleBar({
      stream: err,
      barsize: WIDEST_BAR,
      clearOnComplete: true,
      // The line is cut to the width instead, so that a kill leaves no setting of the terminal changed.
      linewrap: true,
      hideCursor: false,
      gracefulExit: false,
      barCompleteChar: '█',
      barIncompleteChar: '░',
      format: (options, { progress }: Params) => barLine(options, progress, state!, (err.columns ?? 80) - 1),
    });
    bar.start(at.total, at.done);
  };
  return {
    show,
    end: () => {
      hide();
      state = undefined;
    },
    line(text) {
      hide();
      err.write(`${text}\n`);
      if (state) show(state);
    },
  };
}
