/**
 * All that a picture of the playground depends on, and the address that says it: the same address, the same picture on the same
 * device. Whatever an address says, a state is one that can be trained. It must not know how.
 */

export interface PlaygroundState {
  /** n */
  readonly features: number;
  /** m */
  readonly hidden: number;
  /** That a feature fires: 1 less the sparsity. */
  readonly probability: number;
  /** Importance of the last feature, that of the first being 1; those between fall geometrically. */
  readonly importance: number;
  /** As in `Firing`. */
  readonly correlation: number;
  readonly setSize: number;
  readonly learningRate: number;
  readonly steps: number;
  readonly restarts: number;
  readonly seed: number;
  /** The restart that is shown; undefined for the one with the lowest loss. */
  readonly shown: number | undefined;
  /** The step at which training was halted; undefined where it goes on to the end. */
  readonly halted: number | undefined;
  /** Where arrays are computed; undefined for the best that there is. */
  readonly device: 'webgpu' | 'wasm' | undefined;
  /** The dictionary that is trained on the hidden layer; undefined for none. */
  readonly dictionary: 'topk' | 'l1' | undefined;
  /** F */
  readonly latents: number;
  readonly k: number;
  /** The weight of `sum f` in an L1 dictionary's loss, its inputs having a mean squared norm of 1. */
  readonly penalty: number;
}

interface Range {
  /** The name in an address. */
  readonly key: string;
  readonly low: number;
  readonly high: number;
  readonly whole: boolean;
}
const whole = (key: string, low: number, high: number): Range => ({ key, low, high, whole: true });
const real = (key: string, low: number, high: number): Range => ({ key, low, high, whole: false });

/** What each number may be. */
export const RANGES = {
  features: whole('n', 2, 80),
  hidden: whole('m', 1, 20),
  probability: real('p', 0.005, 1),
  importance: real('importance', 0.01, 10),
  correlation: real('correlation', -1, 1),
  setSize: whole('set', 2, 10),
  learningRate: real('rate', 0.0005, 0.1),
  steps: whole('steps', 100, 20_000),
  restarts: whole('restarts', 1, 16),
  seed: whole('seed', 0, 999_999),
  latents: whole('latents', 1, 160),
  k: whole('k', 1, 20),
  penalty: real('penalty', 0.001, 1),
} as const satisfies Partial<Record<keyof PlaygroundState, Range>>;
type NumberField = keyof typeof RANGES;

export const DEFAULTS: PlaygroundState = {
  features: 5,
  hidden: 2,
  probability: 0.05,
  importance: 1,
  correlation: 0,
  setSize: 2,
  learningRate: 0.01,
  steps: 1000,
  restarts: 8,
  seed: 1,
  shown: undefined,
  halted: undefined,
  device: undefined,
  dictionary: undefined,
  latents: 8,
  k: 1,
  penalty: 0.1,
};

const DICTIONARY_FIELDS: readonly NumberField[] = ['latents', 'k', 'penalty'];
/** Numbers are kept to so many significant digits, so that an address says them in full. */
const DIGITS = 4;

/** Steps between two points of the loss curve, where training may halt. */
export function logEvery({ steps }: Pick<PlaygroundState, 'steps'>): number {
  return Math.max(1, Math.round(steps / 200));
}

/** The nearest state that can be trained, and a sentence for each thing that had to be changed. */
export function normalise(wanted: PlaygroundState): { state: PlaygroundState; notes: string[] } {
  const notes: string[] = [];
  const numbers = {} as Record<NumberField, number>;
  for (const [name, { key, low, high, whole }] of Object.entries(RANGES) as [NumberField, Range][]) {
    const value = Number.isFinite(wanted[name]) ? wanted[name] : DEFAULTS[name];
    const inside = Math.min(high, Math.max(low, value));
    numbers[name] = whole ? Math.round(inside) : Number(inside.toPrecision(DIGITS));
    if (inside !== wanted[name]) notes.push(`${key} is from ${low} to ${high}: ${numbers[name]} was taken.`);
  }
  const { features, correlation, restarts, steps } = numbers;
  numbers.setSize = Math.min(numbers.setSize, features);
  const most = Math.floor(10 ** DIGITS / numbers.setSize) / 10 ** DIGITS;
  if (correlation < 0 && numbers.probability > most) {
    numbers.probability = most;
    notes.push(
      `Of ${numbers.setSize} features that exclude each other, each can fire ${most} of the time at most.`,
    );
  }
  numbers.k = Math.min(numbers.k, numbers.latents);
  const every = logEvery({ steps });
  const { shown, halted, device, dictionary } = wanted;
  return {
    notes,
    state: {
      ...numbers,
      shown: isIndex(shown, restarts) ? shown : undefined,
      halted:
        halted !== undefined && halted >= every && halted < steps
          ? Math.round(halted / every) * every
          : undefined,
      device: device === 'webgpu' || device === 'wasm' ? device : undefined,
      dictionary: dictionary === 'topk' || dictionary === 'l1' ? dictionary : undefined,
    },
  };
}

function isIndex(value: number | undefined, count: number): boolean {
  // An address has no word for -0.
  return Number.isInteger(value) && !Object.is(value, -0) && value! >= 0 && value! < count;
}

/** What an address says of the state, the rest by default. */
export function parseState(query: URLSearchParams): { state: PlaygroundState; notes: string[] } {
  const numberOf = (key: string) => {
    const text = query.get(key);
    return text === null || text.trim() === '' ? undefined : Number(text);
  };
  const numbers = Object.fromEntries(
    (Object.entries(RANGES) as [NumberField, Range][]).map(([name, { key }]) => [
      name,
      numberOf(key) ?? DEFAULTS[name],
    ]),
  ) as Record<NumberField, number>;
  const model = numberOf('model');
  return normalise({
    ...numbers,
    shown: model === undefined ? undefined : model - 1,
    halted: numberOf('at'),
    device: (query.get('device') ?? undefined) as PlaygroundState['device'],
    dictionary: (query.get('dictionary') ?? undefined) as PlaygroundState['dictionary'],
  });
}

/** What `parseState` reads. Of a dictionary only where there is one. */
export function formatState(state: PlaygroundState): URLSearchParams {
  const query = new URLSearchParams();
  for (const [name, { key }] of Object.entries(RANGES) as [NumberField, Range][])
    if (state.dictionary !== undefined || !DICTIONARY_FIELDS.includes(name)) query.set(key, `${state[name]}`);
  if (state.shown !== undefined) query.set('model', `${state.shown + 1}`);
  if (state.halted !== undefined) query.set('at', `${state.halted}`);
  if (state.device !== undefined) query.set('device', state.device);
  if (state.dictionary !== undefined) query.set('dictionary', state.dictionary);
  return query;
}

/** Fields that, when they change, mean another toy model; all but how it is looked at and the dictionary. */
const TOY_FIELDS = [
  'features',
  'hidden',
  'probability',
  'importance',
  'correlation',
  'setSize',
  'learningRate',
  'steps',
  'restarts',
  'seed',
  'halted',
  'device',
] as const satisfies readonly (keyof PlaygroundState)[];

/** A word for the toy models that a state asks for: of equal words, equal models. */
export function toyKey(state: PlaygroundState): string {
  return TOY_FIELDS.map((field) => state[field]).join(' ');
}

/** I, `[features]`. */
export function importances({ features, importance }: PlaygroundState): Float32Array {
  return Float32Array.from({ length: features }, (_, i) => importance ** (i / (features - 1)));
}
