/**
 * Where a dictionary sits: the hook points that it reads and those that it predicts, which are the same but for a
 * transcoder. Several are read by a crosscoder, beside each other.
 */
import type { RunConfig } from './config.ts';

export interface Site {
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** The two are the same. */
  readonly autoencoder: boolean;
}

type Sited = Pick<RunConfig, 'hook' | 'target' | 'activations'>;

export function siteOf({ hook, target, activations }: Sited): Site {
  // A file has one place.
  if (activations !== undefined) return { inputs: [activations], outputs: [activations], autoencoder: true };
  const inputs = [hook].flat();
  return { inputs, outputs: target ? [target.hook] : inputs, autoencoder: target === undefined };
}

/** As people write it: `a`, `a + b` of a crosscoder, `a -> b` of a transcoder. */
export function siteName(config: Sited): string {
  const { inputs, outputs, autoencoder } = siteOf(config);
  return autoencoder ? inputs.join(' + ') : `${inputs.join(' + ')} -> ${outputs.join(' + ')}`;
}

/** All hook points of some sites, each once, in the order met: what is harvested for them. */
export function hooksOf(sites: readonly Site[]): string[] {
  return [...new Set(sites.flatMap(({ inputs, outputs }) => [...inputs, ...outputs]))];
}
