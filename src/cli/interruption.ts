/** What is said when a signal stops work on a directory that keeps what was done. */
import { exists } from '../runs/directory.ts';
import { Interruption } from './failure.ts';

/** Does `work`; where a signal stops it, the line says how to `goOn`. */
export async function keepOnInterruption<T>(
  directory: string,
  goOn: string,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof Interruption) || !(await exists(directory))) throw error;
    throw new Interruption(error.signal, `stopped; what was done is kept. Go on with: ${goOn}`);
  }
}
