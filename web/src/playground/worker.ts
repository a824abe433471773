/** Where the playground computes, beside the page, so that this stays responsive. It must not know what is shown. */
import { runDictionary } from './dictionaryRun.ts';
import { runLevels, runPhase } from './gridRun.ts';
import { type Compute, loadJax } from './jax.ts';
import type { Report, Request } from './messages.ts';
import { type PlaygroundState, toyKey } from './state.ts';
import { ToyRun } from './toyRun.ts';

type Unnumbered<T> = T extends unknown ? Omit<T, 'id'> : never;

let stop = new AbortController();
/** Jobs one after another: each ends the one before, and waits until that has noticed. */
let queue: Promise<void> = Promise.resolve();
let current: { key: string; run: ToyRun } | undefined;
const computes = new Map<string, Promise<Compute>>();

self.onmessage = ({ data }: MessageEvent<Request>) => {
  stop.abort();
  stop = new AbortController();
  const { signal } = stop;
  const tell = (report: Unnumbered<Report>) => {
    if (!signal.aborted) self.postMessage({ id: data.id, ...report });
  };
  queue = queue
    .then(() => (signal.aborted ? undefined : serve(data, tell, signal)))
    .catch((error: unknown) =>
      tell({ kind: 'failed', message: `${error instanceof Error ? error.message : error}` }),
    );
};

async function serve(
  request: Request,
  tell: (report: Unnumbered<Report>) => void,
  signal: AbortSignal,
): Promise<void> {
  if (request.kind === 'stop') return;
  const { kind, state } = request;
  const compute = await computeFor(state);
  // Another request may have asked for another device.
  compute.jax.defaultDevice(compute.device);
  const watch = { pause, signal };
  if (kind === 'toy')
    await toyFor(compute, state).runTo(state.halted ?? state.steps, {
      ...watch,
      report: (snapshot) => tell({ kind, snapshot }),
    });
  else if (kind === 'dictionary')
    await runDictionary(compute, state, request.weight, {
      ...watch,
      report: (progress) => tell({ kind, progress }),
    });
  else if (kind === 'phase')
    await runPhase(compute, state.seed, { ...watch, report: (progress) => tell({ kind, progress }) });
  else await runLevels(compute, state, { ...watch, report: (progress) => tell({ kind, progress }) });
}

function computeFor({ device }: PlaygroundState): Promise<Compute> {
  const wanted = device ?? ('gpu' in navigator ? 'webgpu' : 'wasm');
  const made = computes.get(wanted) ?? loadJax(wanted);
  computes.set(wanted, made);
  return made;
}

/** The models in training where they are those that are asked for and not yet beyond, else new ones. */
function toyFor(compute: Compute, state: PlaygroundState): ToyRun {
  const key = toyKey({ ...state, halted: undefined });
  if (current?.key !== key || current.run.step > (state.halted ?? state.steps)) {
    current?.run.dispose();
    current = { key, run: new ToyRun(compute, state) };
  }
  return current.run;
}

/** Lets messages in. A timer would be slowed down by the browser. */
function pause(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(undefined);
  });
}
