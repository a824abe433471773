/** Listens on the loopback interface, where only this machine's own programs can ask. It must not know what is asked. */
import { serve } from '@hono/node-server';
import type { Hono } from 'hono';
import { InputError, systemCode } from '../formats/errors.ts';

export interface Listening {
  readonly address: string;
  /** Ends open connections too. */
  readonly close: () => Promise<void>;
}

/** `port` 0 takes any that is free. InputError where the port is taken. */
export function listen(app: Hono, port: number): Promise<Listening> {
  return new Promise((resolve, reject) => {
    const server = serve({ fetch: app.fetch, hostname: '127.0.0.1', port }, (info) =>
      resolve({
        address: `http://localhost:${info.port}/`,
        close: () =>
          new Promise((closed) => {
            server.close(() => closed());
            if ('closeAllConnections' in server) server.closeAllConnections();
          }),
      }),
    );
    server.on('error', (error) =>
      reject(
        systemCode(error) === 'EADDRINUSE'
          ? new InputError(
              `port ${port} is taken; choose another with --port, or --port 0 for any that is free`,
            )
          : error,
      ),
    );
  });
}
