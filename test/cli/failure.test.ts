import { describe, expect, test } from 'vitest';
import { asUsage, explainFailure, Interruption, UsageError } from '../../src/cli/failure.ts';
import { interruptible } from '../../src/cli/signals.ts';
import { InputError } from '../../src/formats/errors.ts';
import { fakeTerminal, recorder } from './fakeTerminal.ts';

describe('exit codes', () => {
  test.each([
    ['a fault in flags or configuration', new UsageError('k: found 3'), 2],
    ['any other input', new InputError('store.json: cut short'), 1],
    ['Ctrl-C', new Interruption('SIGINT'), 130],
    ['SIGTERM', new Interruption('SIGTERM'), 143],
  ])('%s: its message without a stack', (_what, error, code) => {
    const err = recorder();
    expect(explainFailure(error, err)).toBe(code);
    expect(err.text).toContain(error.message);
    expect(err.text).not.toContain('    at ');
  });

  test('what nobody expected comes with its stack and a request to report it', () => {
    const err = recorder();
    expect(explainFailure(new TypeError('x is undefined'), err)).toBe(1);
    expect(err.text).toContain('TypeError: x is undefined\n    at ');
    expect(err.text).toContain('Please report it');
  });

  test('reading makes an InputError a usage error, and nothing else', async () => {
    const refuse = (error: Error) => () => {
      throw error;
    };
    await expect(asUsage(refuse(new InputError('a')))).rejects.toThrow(UsageError);
    await expect(asUsage(refuse(new TypeError('a')))).rejects.not.toThrow(UsageError);
  });
});

describe('signals', () => {
  test('the first aborts with the reason, the second leaves at once', async () => {
    const terminal = fakeTerminal();
    const notes: string[] = [];
    await interruptible(
      terminal,
      (line) => notes.push(line),
      async (signal) => {
        terminal.signals.emit('SIGTERM');
        expect(signal.reason).toMatchObject({ signal: 'SIGTERM' });
        expect(terminal.left).toEqual([]);
        terminal.signals.emit('SIGINT');
        expect(terminal.left).toEqual([130]);
      },
    );
    expect(notes).toHaveLength(1);
  });

  test('nobody listens when the work is over, also after a failure', async () => {
    const terminal = fakeTerminal();
    const work = interruptible(
      terminal,
      () => {},
      () => Promise.reject(new Error('failed')),
    );
    await expect(work).rejects.toThrow('failed');
    expect(terminal.signals.eventNames()).toEqual([]);
  });
});
