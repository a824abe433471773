/** The page's end of a worker: asks, and hears what is told of the latest request only. It must not know what is computed. */
import type { Report, Request } from './messages.ts';

type Asked = Request extends infer R ? (R extends unknown ? Omit<R, 'id'> : never) : never;

export class WorkerClient {
  readonly #hear: (report: Report) => void;
  #worker: Worker | undefined;
  #latest = 0;

  constructor(hear: (report: Report) => void) {
    this.#hear = hear;
  }

  /** Starts the worker with the first request. */
  ask(request: Asked): void {
    this.#latest++;
    (this.#worker ??= this.#start()).postMessage({ id: this.#latest, ...request });
  }

  end(): void {
    this.#worker?.terminate();
    this.#worker = undefined;
  }

  #start(): Worker {
    const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' });
    worker.onmessage = ({ data }: MessageEvent<Report>) => {
      if (data.id === this.#latest) this.#hear(data);
    };
    worker.onerror = (event) => {
      event.preventDefault();
      const message = event.message || 'the browser could not start its worker';
      this.#hear({ id: this.#latest, kind: 'failed', message });
    };
    return worker;
  }
}
