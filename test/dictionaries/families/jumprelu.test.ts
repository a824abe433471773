/**
 * JumpReLU families. What they report has slopes in all parameters but the thresholds, which the loss written out in
 * float64 gives; the thresholds' are estimates, whose formula is written out here too.
 */
import { describe, expect, it } from 'vitest';
import { encode } from '../../../src/dictionaries/dictionary.ts';
import type { Family, FamilyOptions } from '../../../src/dictionaries/families/family.ts';
import { familyOptions } from '../../../src/dictionaries/families/index.ts';
import { jumprelu } from '../../../src/dictionaries/families/jumprelu.ts';
import { jumpreluTanh } from '../../../src/dictionaries/families/jumpreluTanh.ts';
import { jumpreluTarget } from '../../../src/dictionaries/families/jumpreluTarget.ts';
import type { Backend } from '../../../src/kernels/backend.ts';
import { Random } from '../../../src/math/random.ts';
import { currentDictionary } from '../../../src/training/state.ts';
import { backends, gradientOf, optionsFor, randomWorld, rows, type World, width } from './gradientCheck.ts';
import { expectSlope } from './slowly.ts';
import { atTheEnd, width as smallWidth, trainSmall } from './smallWorld.ts';

const latents = 12;
const smooth = ['encoderWeight', 'encoderBias', 'decoderWeight', 'decoderBias'];

interface Told extends FamilyOptions {
  readonly bandwidth: number;
  readonly coefficient: number;
  readonly target?: number;
  readonly preActivationCoefficient?: number;
  readonly drawn?: 'all' | 'dead';
}
type Arrays = Record<string, Float64Array>;

/** Of activations around 1 with thresholds around .3: bandwidths that many entries fall into. */
const tanh = {
  family: 'jumprelu-tanh',
  latents,
  bandwidth: 2,
  coefficient: 0.4,
  preActivationCoefficient: 0.3,
};
const cases: { name: string; family: Family; told: Told }[] = [
  {
    name: 'jumprelu',
    family: jumprelu,
    told: { family: 'jumprelu', latents, bandwidth: 0.5, coefficient: 0.3 },
  },
  {
    name: 'jumprelu-target',
    family: jumpreluTarget,
    told: { family: 'jumprelu-target', latents, bandwidth: 0.5, coefficient: 0.7, target: 2 },
  },
  { name: 'jumprelu-tanh', family: jumpreluTanh, told: { ...tanh, drawn: 'all' } },
  { name: 'jumprelu-tanh of the dead', family: jumpreluTanh, told: { ...tanh, drawn: 'dead' } },
];
const dead = [1, 4];

async function jumpWorld(
  backend: Backend,
  family: Family,
  told: Told,
  seed: number,
  shape: { outputWidth?: number; outputBounds?: Uint32Array } = {},
): Promise<World> {
  const world = await randomWorld(backend, optionsFor(family, told), seed, shape);
  const random = new Random(seed, 'thresholds');
  const { threshold } = world.state.parameters;
  for (let j = 0; j < latents; j++) threshold[j] = 0.1 + 0.4 * random.uniform();
  for (const j of dead) world.state.tokensSinceFired[j] = 2e9;
  return world;
}

interface WrittenOut {
  loss: number;
  l0: number;
  /** dL/dtheta by the estimator's formula. */
  threshold: Float64Array;
}

/** The loss and the thresholds' gradient by their formulas, over every row and latent. */
function writtenOut(told: Told, p: Arrays, { options: _, state, data }: World): WrittenOut {
  const { outputWidth, outputBounds } = state;
  const { bandwidth, coefficient, target = 1, preActivationCoefficient = 0 } = told;
  const y = data.target ?? { y: data.x, scale: data.scale };
  const lengths = Float64Array.from({ length: latents }, (_, j) => {
    let sum = 0;
    for (let b = 0; b + 1 < outputBounds.length; b++)
      sum += Math.hypot(
        ...p.decoderWeight.subarray(j * outputWidth + outputBounds[b], j * outputWidth + outputBounds[b + 1]),
      );
    return sum;
  });
  const drawn = (j: number) => told.drawn === 'all' || (told.drawn === 'dead' && dead.includes(j));
  const preActivations: Float64Array[] = [];
  const valueGradients: Float64Array[] = [];
  const threshold = new Float64Array(latents);
  let [error, fired, saturating, shortfall] = [0, 0, 0, 0];
  for (let r = 0; r < rows; r++) {
    const z = Float64Array.from({ length: latents }, (_, j) => {
      let sum = p.encoderBias[j];
      for (let i = 0; i < width; i++)
        sum += data.scale * data.x[r * width + i] * p.encoderWeight[j * width + i];
      return sum;
    });
    const f = z.map((value, j) => (value > p.threshold[j] ? value : 0));
    const residual = Float64Array.from(
      { length: outputWidth },
      (_, i) => p.decoderBias[i] - y.scale * y.y[r * outputWidth + i],
    );
    for (let j = 0; j < latents; j++)
      for (let i = 0; i < outputWidth; i++) residual[i] += f[j] * p.decoderWeight[j * outputWidth + i];
    error += residual.reduce((sum, value) => sum + value * value, 0) / rows;
    valueGradients[r] = f.map((value, j) => {
      let sum = 0;
      for (let i = 0; i < outputWidth; i++)
        sum += (2 / rows) * residual[i] * p.decoderWeight[j * outputWidth + i];
      if (told.family !== 'jumprelu-tanh') return sum;
      const height = Math.tanh(4 * value * lengths[j]);
      return sum + ((coefficient * 4 * lengths[j]) / rows) * (1 - height ** 2);
    });
    for (let j = 0; j < latents; j++) {
      if (z[j] > p.threshold[j]) fired++;
      saturating += Math.tanh(4 * f[j] * lengths[j]) / rows;
      if (!drawn(j) || z[j] > p.threshold[j]) continue;
      shortfall += ((p.threshold[j] - z[j]) * lengths[j]) / rows;
      threshold[j] += (preActivationCoefficient * lengths[j]) / rows;
    }
    preActivations[r] = z;
  }
  const l0 = fired / rows;
  const [penalty, slope] = {
    jumprelu: [coefficient * l0, coefficient],
    'jumprelu-target': [coefficient * (l0 / target - 1) ** 2, (2 * coefficient * (l0 / target - 1)) / target],
    'jumprelu-tanh': [coefficient * saturating + preActivationCoefficient * shortfall, 0],
  }[told.family]!;
  for (let r = 0; r < rows; r++) {
    for (let j = 0; j < latents; j++) {
      const inWindow = Math.abs((preActivations[r][j] - p.threshold[j]) / bandwidth) < 0.5;
      if (!inWindow) continue;
      threshold[j] -= (p.threshold[j] / bandwidth) * valueGradients[r][j];
      threshold[j] -= slope / rows / bandwidth;
    }
  }
  return { loss: error + penalty, l0, threshold };
}

function inFloat64({ state }: World): Arrays {
  return Object.fromEntries(
    Object.entries(state.parameters).map(([name, array]) => [name, Float64Array.from(array)]),
  );
}

async function expectGradients(backend: Backend, told: Told, world: World): Promise<void> {
  const p = inFloat64(world);
  const { gradient, loss } = await gradientOf(backend, world);
  const expected = writtenOut(told, p, world);
  expect(loss).toBeCloseTo(expected.loss, 4);
  for (const name of smooth)
    expectSlope(
      name,
      p[name],
      gradient[name],
      (values) => writtenOut(told, { ...p, [name]: values }, world).loss,
    );
  expected.threshold.forEach((value, j) => {
    expect(Math.abs(gradient.threshold[j] - value), `threshold[${j}]`).toBeLessThan(
      1e-4 * (1 + Math.abs(value)),
    );
  });
  expect(gradient.threshold.filter((value) => value !== 0).length).toBeGreaterThan(latents / 2);
}

describe.each(backends)('on the $name backend', (backend) => {
  describe.each(cases)('$name', ({ family, told }) => {
    it.each([1, 2])('has the gradient of its formulas (seed %i)', async (seed) => {
      await expectGradients(backend, told, await jumpWorld(backend, family, told, seed));
    });

    it('has it as a transcoder, over two outputs', async () => {
      const shape = { outputWidth: 9, outputBounds: Uint32Array.of(0, 4, 9) };
      await expectGradients(backend, told, await jumpWorld(backend, family, told, 3, shape));
    });

    it('encodes in the end as in training, with thresholds above 0 whatever they were trained to', async () => {
      const world = await jumpWorld(backend, family, told, 6);
      world.state.parameters.threshold.fill(-0.2, 0, 4);
      const { codes } = (await gradientOf(backend, world)).result.loss;
      const used = await currentDictionary(backend, world.state, world.options);
      if (used.selection.kind !== 'threshold') throw new Error(used.selection.kind);
      expect(used.selection.threshold.every((value) => value > 0)).toBe(true);
      const x = world.data.x.map((value) => value * world.data.scale);
      const found = await encode(backend, used, x, rows);
      const fired = [...codes.values.keys()].filter((e) => codes.values[e] > 0);
      expect(fired.length).toBeLessThan(codes.values.length);
      expect([...found.indices]).toEqual(fired.map((e) => codes.indices[e]));
      found.values.forEach((value, i) => {
        expect(value).toBeCloseTo(codes.values[fired[i]], 4);
      });
    });

    it('does not push a threshold further down that is below 0', async () => {
      const world = await jumpWorld(backend, family, told, 7);
      world.state.parameters.threshold.fill(-0.2);
      const { gradient } = await gradientOf(backend, world);
      expect(Math.max(...gradient.threshold)).toBeLessThanOrEqual(0);
    });
  });

  it('the estimated slope of L0 is its central difference over the bandwidth', async () => {
    // Decoder rows of 0 leave the thresholds nothing else to learn from.
    const [{ family, told }] = cases;
    const world = await jumpWorld(backend, family, told, 8);
    world.state.parameters.decoderWeight.fill(0);
    const { gradient } = await gradientOf(backend, world);
    const p = inFloat64(world);
    for (let j = 0; j < latents; j++) {
      const l0 = (by: number) => {
        const threshold = p.threshold.slice();
        threshold[j] += by * told.bandwidth;
        return writtenOut(told, { ...p, threshold }, world).l0;
      };
      expect(gradient.threshold[j]).toBeCloseTo(
        (told.coefficient * (l0(0.5) - l0(-0.5))) / told.bandwidth,
        5,
      );
    }
  });

  const trained = (family: Family, told: object) =>
    trainSmall(backend, family, family.options.parse({ family: family.name, latents: 32, ...told }), {
      times: family.recipe.squaredNorm === 'one' ? 1 : Math.sqrt(smallWidth),
      beta1: family.recipe.beta1,
      sparsityWarmupFraction: family.recipe.sparsityWarmupFraction,
    });
  const l0Of = ({ steps }: Awaited<ReturnType<typeof trained>>) => atTheEnd(steps, ({ l0 }) => l0);

  it('jumprelu learns the features of a small world, fires on fewer latents the larger its coefficient', async () => {
    const l0: number[] = [];
    for (const coefficient of [0.0001, 0.01, 0.03, 0.1, 1]) {
      const training = await trained(jumprelu, { coefficient, bandwidth: 0.1 });
      l0.push(l0Of(training));
      if (coefficient !== 0.03) continue;
      expect(atTheEnd(training.steps, ({ fvu }) => fvu)).toBeLessThan(0.2 * training.steps[0].fvu);
      expect(training.cosine).toBeGreaterThan(training.randomCosine + 0.2);
      expect(training.cosine).toBeGreaterThan(0.8);
    }
    for (let i = 1; i < l0.length; i++) expect(l0[i]).toBeLessThan(0.9 * l0[i - 1]);
    expect(l0.at(-1)).toBeLessThan(0.5);
  });

  it('jumprelu-target fires on as many latents as it is told, and learns the features', async () => {
    for (const target of [1, 2, 4, 8]) {
      const training = await trained(jumpreluTarget, { target, bandwidth: 0.1 });
      expect(l0Of(training) / target).toBeGreaterThan(0.85);
      expect(l0Of(training) / target).toBeLessThan(1.2);
      if (target !== 4) continue;
      expect(atTheEnd(training.steps, ({ fvu }) => fvu)).toBeLessThan(0.2 * training.steps[0].fvu);
      expect(training.cosine).toBeGreaterThan(training.randomCosine + 0.2);
      expect(training.cosine).toBeGreaterThan(0.8);
    }
  });

  it('jumprelu-tanh learns the features at its own scale, fires on fewer latents the larger its coefficient', async () => {
    const l0: number[] = [];
    for (const coefficient of [0.03, 0.1, 0.3, 1]) {
      const training = await trained(jumpreluTanh, { coefficient });
      l0.push(l0Of(training));
      if (coefficient !== 0.3) continue;
      expect(atTheEnd(training.steps, ({ fvu }) => fvu)).toBeLessThan(0.3 * training.steps[0].fvu);
      expect(training.cosine).toBeGreaterThan(training.randomCosine + 0.2);
      expect(training.cosine).toBeGreaterThan(0.8);
    }
    for (let i = 1; i < l0.length; i++) expect(l0[i]).toBeLessThan(0.9 * l0[i - 1]);
  });

  it('jumprelu-tanh raises thresholds again that fell below 0', async () => {
    const { state } = await trained(jumpreluTanh, { coefficient: 0.1 });
    expect(Math.min(...state.parameters.threshold)).toBeGreaterThan(0.1);
  });

  it('jumprelu-tanh draws latents towards firing that never did', async () => {
    const told = { ...cases[3].told, coefficient: 0 };
    const world = await jumpWorld(backend, jumpreluTanh, told, 9);
    const { parameters } = world.state;
    for (const j of dead) parameters.encoderBias[j] = -20;
    const { result, gradient } = await gradientOf(backend, world);
    for (const j of dead) {
      expect(result.loss.codes.indices).not.toContain(j);
      expect(gradient.encoderBias[j]).toBeLessThan(0);
      expect(gradient.threshold[j]).toBeGreaterThan(0);
    }
    const without = await jumpWorld(backend, jumpreluTanh, { ...told, preActivationCoefficient: 0 }, 9);
    for (const j of dead) without.state.parameters.encoderBias[j] = -20;
    expect((await gradientOf(backend, without)).gradient.encoderBias[dead[0]]).toBeCloseTo(0, 12);
  });
});

describe('what is refused', () => {
  it.each([
    [{ family: 'jumprelu', bandwidth: 0 }, />0/],
    [{ family: 'jumprelu', target: 3 }, /target/],
    [{ family: 'jumprelu-target', target: 0 }, />0/],
    [{ family: 'jumprelu-tanh', drawn: 'some' }, /all/],
  ])('%o', (value, message) => {
    expect(familyOptions.safeParse(value).error?.message).toMatch(message);
  });
});
