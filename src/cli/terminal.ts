/**
 * What a command sees of the process that it runs in, so that tests can put something else in its place: results
 * go to `out`, everything else to `err`. It must not know of any command.
 */

/** A stream to write to; `isTTY` where a person watches it. */
export type Output = NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number };

export interface Terminal {
  readonly out: Output;
  readonly err: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Where SIGINT and SIGTERM are heard. */
  readonly signals: {
    on(signal: NodeJS.Signals, listener: () => void): unknown;
    off(signal: NodeJS.Signals, listener: () => void): unknown;
  };
  /** Ends the process at once. */
  readonly leave: (code: number) => void;
}

/** The terminal of this process. A reader that closes its end of a pipe (`| head`) is no error. */
export function processTerminal(): Terminal {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
    });
  }
  return {
    out: process.stdout,
    err: process.stderr,
    env: process.env,
    signals: process,
    leave: (code) => process.exit(code),
  };
}

/** A command's result: one JSON document where that was asked for, else text for people. */
export async function printResult(
  { out }: Terminal,
  json: boolean | undefined,
  result: { data: unknown; text: () => string | Promise<string> },
): Promise<void> {
  out.write(json ? `${JSON.stringify(result.data, null, 2)}\n` : `${(await result.text()).trimEnd()}\n`);
}

/** Whether results may be coloured: on a terminal, unless NO_COLOR asks for none (no-color.org). */
export function inColour({ out, env }: Terminal): boolean {
  return out.isTTY === true && !env.NO_COLOR;
}
