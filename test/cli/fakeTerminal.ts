/** A terminal for tests: what is written is kept, and signals are sent by hand. */
import { EventEmitter } from 'node:events';
import { Writable } from 'node:stream';
import { runCli } from '../../src/cli/program.ts';
import type { Output, Terminal } from '../../src/cli/terminal.ts';

export const ESCAPE = '\u001b';

export type Recorder = Output & { readonly text: string };

/** A stream that keeps what it is given; `onText` sees each piece as it comes. */
export function recorder(
  options: { isTTY?: boolean; columns?: number; onText?: (text: string) => void } = {},
): Recorder {
  const { onText, ...properties } = options;
  let text = '';
  const stream = new Writable({
    write(chunk, _encoding, done) {
      text += chunk;
      onText?.(String(chunk));
      done();
    },
  });
  Object.defineProperty(stream, 'text', { get: () => text });
  return Object.assign(stream, properties) as unknown as Recorder;
}

export type FakeTerminal = Terminal & {
  readonly out: Recorder;
  readonly err: Recorder;
  readonly signals: EventEmitter;
  readonly left: number[];
};

export function fakeTerminal(
  options: { out?: Recorder; err?: Recorder; env?: Terminal['env'] } = {},
): FakeTerminal {
  const { out = recorder(), err = recorder(), env = {} } = options;
  const left: number[] = [];
  return { out, err, env, signals: new EventEmitter(), left, leave: (code) => left.push(code) };
}

/** Runs a command line; gives its exit code and what it wrote. */
export async function cli(
  args: readonly string[],
  terminal = fakeTerminal(),
): Promise<{ code: number; out: string; err: string }> {
  const code = await runCli(args, terminal);
  return { code, out: terminal.out.text, err: terminal.err.text };
}
