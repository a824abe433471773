/** docs/new-family.md: its code compiles against the library as a user has it, has the gradient that it says, and learns. */
import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Dictionary } from '../../src/dictionaries/dictionary.ts';
import type { Family, FamilyOptions } from '../../src/dictionaries/families/family.ts';
import {
  backends,
  expectGradient,
  gradientOf,
  optionsFor,
  randomWorld,
} from '../dictionaries/families/gradientCheck.ts';
import { atTheEnd, smallWorld, trainSmall, width } from '../dictionaries/families/smallWorld.ts';

let dir: string;
let family: Family;
let byJax: Family;
let trainOn: (
  activations: Float32Array,
  width: number,
  coefficient: number,
  tokens: number,
) => Promise<{ dictionary: Dictionary; l0: number }>;

beforeAll(async () => {
  vi.stubEnv('MONOSEM_BACKEND', 'reference');
  // Inside the package, so that `monosem` is its own name.
  dir = await mkdtemp(resolve('dist/new-family-'));
  const page = await readFile('docs/new-family.md', 'utf8');
  const blocks = [...page.matchAll(/^```ts\n\/\/ (\S+)\n([\s\S]*?)^```$/gm)];
  expect(blocks.map(([, name]) => name)).toEqual(['logrelu.ts', 'train.ts', 'jaxlogrelu.ts']);
  for (const [, name, code] of blocks) await writeFile(join(dir, name), code);
  const compilerOptions = {
    target: 'ES2022',
    module: 'NodeNext',
    types: ['node'],
    strict: true,
    skipLibCheck: true,
  };
  await writeFile(join(dir, 'tsconfig.json'), JSON.stringify({ compilerOptions }));
  execFileSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', dir], { stdio: 'inherit' });
  const compiled = (name: string) => import(/* @vite-ignore */ pathToFileURL(join(dir, name)).href);
  family = (await compiled('logrelu.js')).logrelu;
  byJax = (await compiled('jaxlogrelu.js')).jaxlogrelu;
  trainOn = (await compiled('train.js')).trainOn;
});

afterAll(async () => {
  vi.unstubAllEnvs();
  await rm(dir, { recursive: true, force: true });
});

const told = (change: object) =>
  family.options.parse({ family: 'logrelu', latents: 12, ...change }) as FamilyOptions;

describe.each(backends)('the family of the page on the $name backend', (backend) => {
  it.each([1, 2])('agrees with finite differences (seed %i)', async (seed) => {
    const options = optionsFor(family, told({ coefficient: 0.5, knee: 0.4 }));
    const world = await randomWorld(backend, options, seed);
    await expectGradient(backend, world, ['encoderWeight', 'encoderBias', 'decoderWeight', 'decoderBias']);
    expect((await gradientOf(backend, world)).result.loss.penalty).toBeGreaterThan(0);
  });

  it('has the same gradient by automatic differentiation', async () => {
    const dictionary = told({ coefficient: 0.5, knee: 0.4 });
    const of = async (which: Family) =>
      gradientOf(backend, await randomWorld(backend, optionsFor(which, dictionary), 3));
    const [written, found] = [await of(family), await of(byJax)];
    expect(found.loss).toBeCloseTo(written.loss, 3);
    for (const [name, gradient] of Object.entries(written.gradient)) {
      gradient.forEach((value, i) => {
        expect(Math.abs(found.gradient[name][i] - value), `${name}[${i}]`).toBeLessThan(
          1e-4 * (1 + Math.abs(value)),
        );
      });
    }
  });

  it('learns the features of a small world, on fewer latents where the penalty is larger', async () => {
    const trained = (coefficient: number) => trainSmall(backend, family, told({ latents: 32, coefficient }));
    const [weak, strong] = [await trained(0.005), await trained(0.02)];
    expect(strong.cosine).toBeGreaterThan(strong.randomCosine + 0.2);
    expect(strong.cosine).toBeGreaterThan(0.8);
    expect(atTheEnd(strong.steps, ({ fvu }) => fvu)).toBeLessThan(0.5 * strong.steps[0].fvu);
    expect(atTheEnd(strong.steps, ({ l0 }) => l0)).toBeLessThan(atTheEnd(weak.steps, ({ l0 }) => l0));
  });
});

it('trains as the page does, and folds the scale', async () => {
  const { activations } = smallWorld();
  const { dictionary, l0 } = await trainOn(activations, width, 0.02, 64 * 100);
  expect(dictionary.latents).toBe(2 * width);
  expect(l0).toBeGreaterThan(0);
  expect(l0).toBeLessThan(2 * width);
});
