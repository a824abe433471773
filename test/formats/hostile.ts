/** What every reader of other people's files is held to: whatever the bytes, a value or an InputError. */

import fc from 'fast-check';
import { expect } from 'vitest';
import { InputError } from '../../src/formats/errors.ts';

/** The result of `attempt`, or the InputError that it ended in; any other error fails the test. */
export async function valueOrInputError(attempt: () => unknown): Promise<unknown> {
  try {
    return await attempt();
  } catch (error) {
    expect(error, `${error instanceof Error ? error.stack : error}`).toBeInstanceOf(InputError);
    return error;
  }
}

/** Reads `bytes` cut short at every `step`-th byte: each time an InputError. */
export async function refusesEveryCut(
  bytes: Uint8Array,
  step: number,
  read: (cut: Uint8Array) => unknown,
): Promise<void> {
  for (let length = 0; length < bytes.length; length += step) {
    const result = await valueOrInputError(() => read(bytes.slice(0, length)));
    expect(result, `cut to ${length} of ${bytes.length} bytes`).toBeInstanceOf(InputError);
  }
}

/** Reads `bytes` with a few of them changed, or some doubled or left out, `numRuns` times; `check` sees what was read. */
export async function survivesMutations(
  bytes: Uint8Array,
  numRuns: number,
  read: (mutated: Uint8Array) => unknown,
  check: (value: unknown) => void = () => {},
): Promise<void> {
  const at = fc.nat(bytes.length - 1);
  const change = fc.oneof(
    { weight: 4, arbitrary: fc.tuple(fc.constant('set' as const), at, fc.nat(255)) },
    { weight: 1, arbitrary: fc.tuple(fc.constantFrom('double' as const, 'drop' as const), at, fc.nat(40)) },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 4 }), async (changes) => {
      let mutated: Uint8Array = Uint8Array.from(bytes);
      for (const [kind, place, amount] of changes) mutated = mutate(mutated, kind, place, amount);
      const value = await valueOrInputError(() => read(mutated));
      if (!(value instanceof InputError)) check(value);
    }),
    { numRuns },
  );
}

function mutate(bytes: Uint8Array, kind: 'set' | 'double' | 'drop', place: number, amount: number) {
  if (kind === 'set') {
    const changed = Uint8Array.from(bytes);
    if (place < changed.length) changed[place] = amount;
    return changed;
  }
  const end = kind === 'drop' ? place : place + amount;
  const resume = kind === 'drop' ? place + amount : place;
  return Uint8Array.from([...bytes.subarray(0, end), ...bytes.subarray(resume)]);
}
