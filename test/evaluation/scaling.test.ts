/** Scaling laws on points whose law is known: they are found again, and intervals hold as often as they say. */
import { describe, expect, it } from 'vitest';
import { fitCompute, fitLatents, type ScalingFit, type ScalingPoint } from '../../src/evaluation/scaling.ts';
import { Random } from '../../src/math/random.ts';

const NOISE = 0.01;

/** `b (C / 1e12)^-c + a` at sizes that double, two seeds each. */
function computePoints(random: Random, { a = 0, sizes = 10, noise = NOISE } = {}): ScalingPoint[] {
  return Array.from({ length: sizes * 2 }, (_, i) => {
    const size = Math.floor(i / 2);
    const flops = 1e12 * 2 ** size;
    const loss = (a + 0.4 * (flops / 1e12) ** -0.3) * Math.exp(noise * random.normal());
    return { arm: `${size}`, latents: 100 * 2 ** size, l0: 32, flops, loss };
  });
}

/** Gao et al. 2024's own law of GPT-4's dictionaries, at five sizes and four k. */
const GAO = { alpha: -0.5, beta_k: 0.26, beta_n: -0.017, gamma: -0.042, zeta: -1.32, eta: -0.085 };
function gao(latents: number, k: number): number {
  const [n, l] = [Math.log(latents), Math.log(k)];
  const { alpha, beta_k, beta_n, gamma, zeta, eta } = GAO;
  return Math.exp(alpha + beta_k * l + beta_n * n + gamma * l * n) + Math.exp(zeta + eta * l);
}
function gaoPoints(random: Random, noise: number, ks = [8, 16, 32, 64, 128]): ScalingPoint[] {
  return [1024, 2048, 4096, 8192, 16384].flatMap((latents) =>
    ks.map((k) => ({
      arm: `${latents} ${k}`,
      latents,
      l0: k,
      flops: 1e12,
      loss: gao(latents, k) * Math.exp(noise * random.normal()),
    })),
  );
}

const fitted = (fit: ReturnType<typeof fitCompute>): ScalingFit => {
  if ('missing' in fit) throw new Error(fit.missing);
  return fit;
};
const covers = ({ low, high }: { low: number; high: number }, truth: number) => low <= truth && truth <= high;

describe('L(C)', () => {
  it('finds a power law again, and the arms that it has not seen', () => {
    const points = computePoints(new Random(1), { noise: 0 });
    const { law, parameters, heldOut, arms } = fitted(
      fitCompute(points, { random: new Random(0), resamples: 50 }),
    );
    expect(law).not.toContain('a +');
    expect(arms).toBe(8);
    expect(parameters.c.value).toBeCloseTo(0.3, 5);
    expect(heldOut.map(({ arm }) => arm)).toEqual(['8', '9']);
    for (const { error } of heldOut) expect(error.value).toBeCloseTo(0, 5);
  });

  it('finds a floor where there is one', () => {
    const points = computePoints(new Random(1), { a: 0.1, noise: 1e-4, sizes: 12 });
    const { parameters, heldOut } = fitted(fitCompute(points, { random: new Random(0), resamples: 100 }));
    expect(parameters.a.value).toBeCloseTo(0.1, 2);
    expect(covers(parameters.a, 0.1)).toBe(true);
    for (const { error } of heldOut) expect(Math.abs(error.value)).toBeLessThan(0.01);
  });

  it('gives intervals of 90 % that hold about as often, with few arms', () => {
    let held = 0;
    const runs = 60;
    for (let run = 0; run < runs; run++) {
      const points = computePoints(new Random(run, 'points'));
      const fit = fitted(fitCompute(points, { random: new Random(run, 'fit'), resamples: 100, level: 0.9 }));
      if (covers(fit.parameters.c, 0.3)) held++;
    }
    expect(held / runs).toBeGreaterThan(0.8);
    expect(held / runs).toBeLessThanOrEqual(1);
  }, 30_000);

  it('leaves out arms that cost more and are worse', () => {
    const points = computePoints(new Random(1));
    const worse = { arm: 'worse', latents: 1, l0: 1, flops: 3e12, loss: 0.9 };
    const options = () => ({ random: new Random(0), resamples: 20 });
    expect(fitCompute([...points, worse], options())).toEqual(fitCompute(points, options()));
  });

  it('says what is missing', () => {
    const fit = fitCompute(computePoints(new Random(1), { sizes: 4 }), { random: new Random(0) });
    expect(fit).toMatchObject({ missing: expect.stringMatching(/^4 arms are efficient.*5 are needed/) });
  });

  it('gives the same numbers for the same seed', () => {
    const points = computePoints(new Random(3));
    const once = () => fitCompute(points, { random: new Random(5), resamples: 20 });
    expect(once()).toEqual(once());
  });
});

describe('L(n, k)', () => {
  it("forecasts the largest size from the smaller ones, for Gao et al.'s own numbers", () => {
    const fit = fitted(fitLatents(gaoPoints(new Random(1), 0), { random: new Random(0), resamples: 20 }));
    expect(fit.arms).toBe(20);
    expect(fit.heldOut).toHaveLength(5);
    for (const { error } of fit.heldOut) expect(Math.abs(error.value)).toBeLessThan(1e-3);
  }, 30_000);

  it('covers the true loss of the largest size, with noise', () => {
    let [held, of] = [0, 0];
    for (let run = 0; run < 6; run++) {
      const points = gaoPoints(new Random(run, 'noisy'), 2e-3);
      const fit = fitted(fitLatents(points, { random: new Random(run, 'fit'), resamples: 60 }));
      for (const { arm, forecast } of fit.heldOut) {
        const [latents, k] = arm.split(' ').map(Number);
        of++;
        if (covers(forecast, gao(latents, k))) held++;
      }
    }
    expect(held / of).toBeGreaterThan(0.7);
  }, 60_000);

  it('says what is missing', () => {
    const fit = fitLatents(gaoPoints(new Random(1), 0, [16, 32]), { random: new Random(0) });
    expect(fit).toMatchObject({ missing: expect.stringMatching(/4 numbers of latents and 2 of k/) });
  });
});
