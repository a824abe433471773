/**
 * Trained nulls: what is frozen does not move by a bit and the rest learns, a softly frozen row keeps to its cone, mixed rows
 * teach nothing sparse, and a stop changes no byte.
 */
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { familyOf } from '../../src/dictionaries/families/index.ts';
import { createNativeBackend } from '../../src/kernels/native.ts';
import { createReferenceBackend } from '../../src/kernels/reference.ts';
import { mixRows } from '../../src/math/mixing.ts';
import { Random } from '../../src/math/random.ts';
import { type Freeze, keepNearStart, SOFT_COSINE } from '../../src/training/freeze.ts';
import { checkOptions, type TrainingOptions } from '../../src/training/options.ts';
import { currentDictionary, initialState, type TrainingState } from '../../src/training/state.ts';
import { splitBlocks } from '../../src/training/stream.ts';
import { rowsOf, train } from '../../src/training/train.ts';
import { temporary } from '../temporary.ts';
import { directions, features, mean, options, scale, source, width } from './world.mjs';

afterAll(() => void createNativeBackend());

const FREEZES = ['encoder', 'decoder', 'soft-decoder'] as const;
const input = [{ start: 0, end: width, scale, mean }];
const stream = {
  source,
  batch: options.batch,
  windowRows: options.windowRows,
  shuffleSeed: options.shuffleSeed,
};

interface Wanted {
  freeze?: Freeze;
  mixed?: boolean;
  optimiser?: 'adam' | 'signum';
  family?: Parameters<typeof familyOf>[0];
  tokens?: number;
}

function told({ freeze, optimiser = 'adam', family = 'topk', tokens = 256 * 60 }: Wanted): TrainingOptions {
  const parsed = familyOf(family).options.parse({ family, latents: 64, ...(family !== 'relu' && { k: 3 }) });
  const beta1 = optimiser === 'signum' ? 0.9 : options.beta1;
  const rate = optimiser === 'signum' ? 5e-3 : options.learningRate;
  return {
    ...options,
    family: familyOf(family),
    dictionary: parsed as TrainingOptions['dictionary'],
    tokens,
    optimiser,
    beta1,
    learningRate: rate,
    freeze,
  };
}

async function trained(wanted: Wanted, request: object = {}, backend = createNativeBackend()) {
  const arm = { options: told(wanted), input, mixed: wanted.mixed, ...request };
  const fvus: number[] = [];
  const onStep = ({ fvu }: { fvu: number }) => void fvus.push(fvu);
  const [{ state, end }] = await train({ backend, stream, arms: [{ onStep, ...arm }] });
  return { state, end, fvu: fvus.at(-1)!, options: arm.options, backend };
}

const start = (of: TrainingOptions) =>
  initialState(createNativeBackend(), of, { width, center: mean, autoencoder: true });

function leastCosine(state: TrainingState, weight = state.parameters.decoderWeight): number {
  let least = 1;
  for (let j = 0; j < state.latents; j++) {
    let [dot, norm, other] = [0, 0, 0];
    for (let i = j * width; i < (j + 1) * width; i++) {
      dot += weight[i] * state.decoderStart![i];
      norm += weight[i] ** 2;
      other += state.decoderStart![i] ** 2;
    }
    least = Math.min(least, dot / Math.sqrt(norm * other));
  }
  return least;
}

const moved = (a: Float32Array, b: Float32Array) => a.some((value, i) => value !== b[i]);

describe.each(['adam', 'signum'] as const)('with %s', (optimiser) => {
  it.each(['encoder', 'decoder'] as const)(
    'a frozen %s stays to the bit, and all else learns',
    async (freeze) => {
      const { state, options: of, fvu } = await trained({ freeze, optimiser });
      const before = await start(of);
      const name = `${freeze}Weight` as const;
      expect(state.parameters[name]).toEqual(before.parameters[name]);
      for (const other of ['encoderWeight', 'encoderBias', 'decoderWeight', 'decoderBias'] as const) {
        if (other === name) continue;
        expect(moved(state.parameters[other], before.parameters[other])).toBe(true);
      }
      expect(fvu).toBeLessThan(0.75);
    },
  );

  it('rows of a softly frozen decoder go as far as the edge of their cones, and no further', async () => {
    const {
      state,
      options: of,
      backend,
    } = await trained({ freeze: 'soft-decoder', optimiser, tokens: 256 * 200 });
    expect(leastCosine(state)).toBeGreaterThan(SOFT_COSINE - 1e-6);
    expect(leastCosine(state)).toBeLessThan(SOFT_COSINE + 1e-3);
    for (let j = 0; j < state.latents; j++)
      expect(Math.hypot(...state.parameters.decoderWeight.subarray(j * width, (j + 1) * width))).toBeCloseTo(
        1,
        5,
      );
    const { decoderWeight } = await currentDictionary(backend, state, of);
    expect(leastCosine(state, decoderWeight)).toBeGreaterThan(SOFT_COSINE - 1e-6);
  });
});

it.each(['relu', 'batchtopk', 'gated', 'jumprelu-tanh'] as const)('%s can be frozen too', async (name) => {
  const family = familyOf(name);
  const parsed = family.options.parse({ family: name, latents: 64, ...(name === 'batchtopk' && { k: 3 }) });
  for (const freeze of ['encoder', 'decoder'] as const) {
    const of = { ...told({ freeze }), family, dictionary: parsed as TrainingOptions['dictionary'] };
    const [{ state }] = await train({
      backend: createNativeBackend(),
      stream,
      arms: [{ options: of, input }],
    });
    const before = await start(of);
    expect(state.parameters[`${freeze}Weight`]).toEqual(before.parameters[`${freeze}Weight`]);
    expect(moved(state.parameters.encoderBias, before.parameters.encoderBias)).toBe(true);
  }
});

it('a family that encodes by its decoder can hold that', async () => {
  const of = { ...told({ freeze: 'decoder', family: 'pursuit', tokens: 256 * 5 }), auxCoefficient: 0 };
  const [{ state }] = await train({ backend: createNativeBackend(), stream, arms: [{ options: of, input }] });
  expect(state.parameters.decoderWeight).toEqual((await start(of)).parameters.decoderWeight);
  expect(() => checkOptions({ ...of, freeze: 'encoder' })).toThrow(/pursuit has no encoder/);
});

it('agrees between backends', async () => {
  for (const freeze of FREEZES) {
    const short = { freeze, tokens: 256 * 8 };
    const [a, b] = [await trained(short), await trained(short, {}, createReferenceBackend())];
    expect(Math.abs(a.fvu - b.fvu)).toBeLessThan(1e-3 * a.fvu);
  }
});

it.each([...FREEZES, undefined])('frozen %s or mixed, a stop changes no byte', async (freeze) => {
  const wanted = { freeze, mixed: freeze === undefined };
  const whole = await trained(wanted);
  const checkpoints = { dir: join(await temporary(), 'c'), every: 20 };
  const controller = new AbortController();
  const backend = createNativeBackend();
  const arm = { options: whole.options, input, mixed: wanted.mixed, checkpoints, resume: true };
  const onStep = ({ step }: { step: number }) => void (step === 33 && controller.abort());
  const [first] = await train({ backend, stream, arms: [{ ...arm, onStep }], signal: controller.signal });
  expect(first.end).toBe('interrupted');
  const [{ state }] = await train({ backend: createNativeBackend({ threads: 1 }), stream, arms: [arm] });
  for (const group of ['parameters', 'firstMoment', 'secondMoment'] as const)
    expect(state[group]).toEqual(whole.state[group]);
});

/** Mean over directions `[features, width]` of the largest cosine with a decoder row. */
function recovered({ parameters: { decoderWeight }, latents }: TrainingState, of: Float32Array): number {
  let total = 0;
  for (let f = 0; f < features; f++) {
    const direction = of.subarray(f * width, (f + 1) * width);
    const cosines = Array.from({ length: latents }, (_, j) =>
      direction.reduce((dot, value, i) => dot + value * decoderWeight[j * width + i], 0),
    );
    total += Math.max(...cosines) / Math.hypot(...direction) / features;
  }
  return total;
}

it('from mixed rows the features are learned no better than directions that are none', async () => {
  const tokens = 256 * 600;
  const [plain, mixed] = [await trained({ tokens }), await trained({ tokens, mixed: true })];
  const others = mixRows(directions, features, new Random(1, 'others'));
  const gap = ({ state }: { state: TrainingState }) =>
    recovered(state, directions) - recovered(state, others);
  expect(gap(plain)).toBeGreaterThan(0.25);
  expect(Math.abs(gap(mixed))).toBeLessThan(0.06);
  expect(mixed.fvu).toBeGreaterThan(plain.fvu + 0.1);
});

it('what is predicted is mixed as what is read is, and another step in another way', () => {
  const batch = splitBlocks(
    new Float32Array(256 * width).map((_, i) => Math.sin(i)),
    256,
    width,
  );
  const arm = { options: told({}), input, target: input, mixed: true };
  const { x, target } = rowsOf(arm, batch, 4);
  expect(target!.y).toEqual(x);
  expect(rowsOf(arm, batch, 4).x).toEqual(x);
  expect(rowsOf(arm, batch, 5).x).not.toEqual(x);
  expect(rowsOf({ ...arm, mixed: false }, batch, 4).x).not.toEqual(x);
});

it('gives a transcoder whose decoder is frozen rows that it can use', async () => {
  const of = { ...told({ freeze: 'decoder', family: 'relu' }) };
  const from = { width, center: mean, autoencoder: false };
  const { parameters } = await initialState(createNativeBackend(), of, from);
  expect(Math.hypot(...parameters.decoderWeight.subarray(0, width))).toBeCloseTo(of.decoderNorm, 5);
  const free = await initialState(createNativeBackend(), { ...of, freeze: undefined }, from);
  expect(free.parameters.decoderWeight.every((value) => value === 0)).toBe(true);
});

it('refuses to resample what is held', () => {
  expect(() => checkOptions({ ...told({ freeze: 'decoder' }), resampleAt: [0.5] })).toThrow(
    /resampleAt is \[0.5\].*set it to \[\]/,
  );
});

it('the way back to the cone is the shortest: of all rows on its edge none is nearer', () => {
  const s = Float32Array.of(2, 0, 0);
  for (const w of [
    [0.1, 1, 0.5],
    [-3, 0.2, 0],
    [-1, 0, 0],
    [5, 1, 0],
    [0, 0, 0],
  ]) {
    const kept = Float32Array.from(w);
    keepNearStart(kept, s, 3);
    expect(Math.hypot(...kept)).toBeCloseTo(Math.hypot(...w), 5);
    if (Math.hypot(...w) === 0) continue;
    const cosine = kept[0] / Math.hypot(...kept);
    expect(cosine).toBeGreaterThan(SOFT_COSINE - 1e-6);
    const along = kept[0] * w[0] + kept[1] * w[1] + kept[2] * w[2];
    for (let a = 0; a < 100 && w[1] !== 0; a++) {
      const [c, q] = [Math.max(SOFT_COSINE, w[0] / Math.hypot(...w)), (a * Math.PI) / 50];
      const edge = [c, Math.sqrt(1 - c * c) * Math.cos(q), Math.sqrt(1 - c * c) * Math.sin(q)];
      const other = Math.hypot(...w) * edge.reduce((sum, value, i) => sum + value * w[i], 0);
      expect(other).toBeLessThan(along + 1e-4);
    }
  }
});
