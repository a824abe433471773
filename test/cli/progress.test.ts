import { describe, expect, test } from 'vitest';
import { endLine, figures, plainLine, terminalReporter } from '../../src/cli/progress.ts';
import { ESCAPE, recorder } from './fakeTerminal.ts';

const state = {
  phase: 'training',
  unit: 'tokens',
  done: 300_000,
  total: 1_200_000,
  seconds: 10,
  rate: 30_000,
  details: { loss: 0.41234, fvu: 0.5, l0: 32, dead: 7 },
};

describe('lines', () => {
  test('figures are rate, time left and details', () => {
    expect(figures(state)).toBe('30,000 tokens/s, 30 s left, loss 0.412, FVU 0.5, L0 32, dead 7');
  });

  test('a plain line says how far', () => {
    expect(plainLine({ ...state, details: {} })).toBe(
      'training: 25 %, 300,000 of 1,200,000 tokens, 30,000 tokens/s, 30 s left',
    );
  });

  test('a rate that would be 0.0 is left out, and the time that is left is not', () => {
    const slow = { ...state, unit: 'experiments', done: 5, total: 20, rate: 0.01, details: {} };
    expect(plainLine(slow)).toBe('training: 25 %, 5 of 20 experiments, 25 min 00 s left');
    expect(endLine({ ...slow, total: 200 })).toBe('training: stopped at 5 of 200 experiments after 10 s');
  });

  test('before there is a rate, none is made up', () => {
    expect(plainLine({ ...state, rate: undefined, details: {} })).toBe(
      'training: 25 %, 300,000 of 1,200,000 tokens',
    );
  });

  test('the last line tells a whole phase from one that was stopped', () => {
    expect(endLine({ ...state, done: 1_200_000, details: { dead: 7 } })).toBe(
      'training: 1,200,000 tokens in 10 s (30,000 tokens/s), dead 7',
    );
    expect(endLine({ ...state, details: {} })).toBe(
      'training: stopped at 300,000 of 1,200,000 tokens after 10 s (30,000 tokens/s)',
    );
  });
});

describe('off a terminal', () => {
  test('a plain line every few seconds and one at the end, without escape sequences', () => {
    const err = recorder();
    let now = 0;
    const reporter = terminalReporter(err, () => now);
    const phase = reporter.begin('training', 'tokens');
    for (let done = 0; done <= 1000; done += 10) {
      now = done / 50;
      phase.update(done, 1000);
    }
    phase.end();
    const lines = err.text.trimEnd().split('\n');
    expect(lines).toEqual([
      'training: 25 %, 250 of 1,000 tokens, 50 tokens/s, 15 s left',
      'training: 50 %, 500 of 1,000 tokens, 50 tokens/s, 10 s left',
      'training: 75 %, 750 of 1,000 tokens, 50 tokens/s, 5.0 s left',
      'training: 100 %, 1,000 of 1,000 tokens, 50 tokens/s, 0.0 s left',
      'training: 1,000 tokens in 20 s (50 tokens/s)',
    ]);
  });

  test('the rate of a resumed phase leaves out what was done before', () => {
    const err = recorder();
    let now = 0;
    const phase = terminalReporter(err, () => now).begin('training', 'tokens');
    phase.update(900_000, 1_000_000);
    now = 10;
    phase.update(901_000, 1_000_000);
    expect(err.text).toContain(' 100 tokens/s');
  });

  test('of phases at the same time the first is shown, then the next, and each leaves a line', () => {
    const err = recorder();
    let now = 0;
    const reporter = terminalReporter(err, () => now);
    const [first, second] = [reporter.begin('evidence', 'sequences'), reporter.begin('evidence', 'tokens')];
    const both = () => {
      now += 6;
      second.update(now, 100);
      first.update(now, 100);
    };
    both();
    first.end();
    both();
    second.end();
    const shown = err.text
      .trimEnd()
      .split('\n')
      .map((line) => line.match(/sequences|tokens/)![0]);
    expect(shown).toEqual(['sequences', 'sequences', 'tokens', 'tokens']);
  });

  test('a phase that never reported leaves its time', () => {
    const err = recorder();
    let now = 0;
    const phase = terminalReporter(err, () => now).begin('corpus', 'tokens');
    now = 2;
    phase.end();
    expect(err.text).toBe('corpus: 2.0 s\n');
  });
});

describe('on a terminal', () => {
  test.each([40, 80, 120])('the bar keeps to %i columns, and the last line stays', (columns) => {
    const err = recorder({ isTTY: true, columns });
    const phase = terminalReporter(err).begin('training', 'tokens');
    phase.update(300_000, 1_200_000, state.details);
    phase.end();
    const sequences = new RegExp(`${ESCAPE}(\\[[0-9;?]*[A-Za-z]|[78])`, 'g');
    const pieces = err.text.split(sequences).filter((piece) => piece?.startsWith('training '));
    expect(pieces.length).toBeGreaterThan(0);
    for (const piece of pieces) expect(piece.length).toBeLessThan(columns);
    expect(pieces[0]).toContain('█');
    expect(err.text.endsWith('dead 7\n')).toBe(true);
  });

  test('a note comes on a line of its own, and the bar goes on', () => {
    const err = recorder({ isTTY: true, columns: 100 });
    const reporter = terminalReporter(err);
    const phase = reporter.begin('corpus', 'tokens');
    phase.update(10, 100);
    reporter.note('the cache file was damaged');
    const after = err.text.indexOf('the cache file was damaged\n');
    expect(after).toBeGreaterThan(0);
    expect(err.text.slice(after)).toContain('█');
    phase.end();
  });
});
