/** `monosem sparsity`: from the command to its file and picture, on a world and on a model's hook, and what is refused. */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readSparsityFile } from '../../src/runs/sparsity.ts';
import { cli, fakeTerminal, recorder } from './fakeTerminal.ts';
import { enterStories, leaveStories, small } from './stories.ts';

let root: string;
let config: string;
beforeAll(async () => {
  root = await enterStories();
  config = join(root, 'small.json');
  const { evaluation: _, ...base } = small(root);
  await writeFile(config, JSON.stringify({ ...base, dictionary: { latents: 32 } }));
});
afterAll(() => leaveStories(root));

const world = (name: string, ...more: string[]) =>
  cli(
    `sparsity --world orthogonal --tokens 4096 --batch 256 --k 2,4,6,8,12 --name ${name} --runs ${root}`
      .split(' ')
      .concat(more),
  );

test('a world: a row for each k, each criterion, the proposal, and a directory with file and picture', async () => {
  const { code, out } = await world('toy');
  expect(code).toBe(0);
  expect(out).toContain('world:orthogonal:0, batchtopk, 50 latents, 3 seeds');
  for (const k of [2, 4, 6, 8, 12]) expect(out).toMatch(new RegExp(`^ +${k} +\\d+\\.\\d ±`, 'm'));
  for (const name of ['c_dec', 's_n', 'description length', 'knee', 'consensus of seeds'])
    expect(out).toMatch(new RegExp(`^${name} +(L0 \\d|none: )`, 'm'));
  // Sixteen steps teach nothing.
  expect(out).toContain('right L0: not identified from these data');

  const directory = join(root, 'toy');
  expect((await readdir(directory)).sort()).toEqual(['sparsity.json', 'sparsity.svg']);
  const file = await readSparsityFile(directory);
  expect(file.points.map(({ k }) => k)).toEqual([2, 4, 6, 8, 12]);
  expect(file).toMatchObject({ name: 'toy', seeds: [0, 1, 2], proposal: { kind: 'not identified' } });
  for (const { decoderCosine, fvu } of file.points) {
    expect(decoderCosine.low!).toBeLessThanOrEqual(decoderCosine.value!);
    expect(fvu.value!).toBeGreaterThan(0);
  }
  expect(file.floors.decoderCosine).toBeCloseTo(0.08, 3);
  const svg = await readFile(join(directory, 'sparsity.svg'), 'utf8');
  expect(svg).toMatch(/^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg"/);
  expect(svg).not.toMatch(/NaN|undefined|Infinity/);

  const again = await world('toy');
  expect(again).toMatchObject({ code: 1, out: '' });
  expect(again.err).toContain('it exists already');
});

test('the same seeds give the same numbers', async () => {
  const numbers = async (name: string) => {
    expect((await world(name)).code).toBe(0);
    const { points, optima, proposal } = await readSparsityFile(join(root, name));
    return JSON.stringify({ points, optima, proposal });
  };
  expect(await numbers('a')).toBe(await numbers('b'));
});

test('a hook of a model, as JSON', async () => {
  const { code, out } = await cli([
    'sparsity',
    ...[
      '--config',
      config,
      '--name',
      'layer',
      '--runs',
      root,
      '--k',
      '1,2,3,4,6',
      '--seeds',
      '3,4,5',
      '--json',
    ],
  ]);
  expect(code).toBe(0);
  const result = JSON.parse(out);
  expect(result).toMatchObject({ directory: join(root, 'layer'), seeds: [3, 4, 5] });
  expect(result.config).toMatchObject({
    model: 'stories15M',
    dictionary: { family: 'batchtopk', latents: 32 },
  });
  expect(result.points).toHaveLength(5);
});

test('Ctrl-C stops it and leaves no directory', async () => {
  const err = recorder({ onText: (text) => text.startsWith('training:') && terminal.signals.emit('SIGINT') });
  const terminal = fakeTerminal({ err });
  const args = `sparsity --world orthogonal --tokens 256000 --batch 256 --k 2,4,6,8,12 --name cut --runs ${root}`;
  expect(await cli(args.split(' '), terminal)).toMatchObject({ code: 130, out: '' });
  expect(await readdir(root)).not.toContain('cut');
});

test.each([
  ['--k 2,4,6', 'expected 5 different values or more'],
  ['--k 2,4,6,8,8', 'expected 5 different values or more'],
  ['--k 2,4,6,8,51', 'at most the 50 latents'],
  ['--seeds 0,1', 'expected 3 different ones or more'],
  ['--family jumprelu', 'has no k to sweep over'],
  ['--model stories15M', 'found model as well'],
])('%s is refused', async (flags, why) => {
  const { code, err } = await world('refused', ...flags.split(' '));
  expect(code).toBe(2);
  expect(err).toContain(why);
});

test('an unknown world is refused with the known ones', async () => {
  const { code, err } = await cli(['sparsity', '--world', 'flat', '--name', 'x', '--runs', root]);
  expect(code).toBe(2);
  expect(err).toContain('expected one of orthogonal');
});
