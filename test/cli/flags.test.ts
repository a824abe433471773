import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DEMO } from '../../src/cli/demo.ts';
import {
  addConfigFlags,
  readConfigFlags,
  SUBJECT_FLAGS,
  TRAINING_FLAGS,
  wholeNumber,
} from '../../src/cli/flags.ts';
import { parseConfig, type RunConfig } from '../../src/runs/config.ts';
import { cli } from './fakeTerminal.ts';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'monosem-flags-'));
});
afterAll(() => rm(directory, { recursive: true }));

async function configFile(name: string, content: unknown): Promise<string> {
  const path = join(directory, name);
  await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

async function read(...args: string[]): Promise<RunConfig> {
  const flags = [...TRAINING_FLAGS, ...SUBJECT_FLAGS];
  const command = new Command();
  addConfigFlags(command, flags);
  await command.parseAsync(args, { from: 'user' });
  return readConfigFlags(command, flags);
}

describe('the configuration that flags and a file make', () => {
  test('without flags it is the default', async () => {
    expect(await read('--name', 'a')).toEqual(parseConfig({ name: 'a' }));
  });

  test('every flag sets its field', async () => {
    const config = await read(
      ...['--name', 'a', '--seed', '7', '--model', 'm', '--hook', 'h', '--corpus', 'text', '--k', '4'],
      ...['--corpus-tokens', '1e5', '--tokens', '2_000', '--family', 'batchtopk', '--latents', '64'],
      ...['--batch', '32', '--learning-rate', '3e-4', '--no-nulls'],
    );
    expect(config).toEqual(
      parseConfig({
        name: 'a',
        seed: 7,
        model: 'm',
        hook: 'h',
        corpus: { name: 'text', tokens: 100_000 },
        dictionary: { family: 'batchtopk', latents: 64, k: 4 },
        training: { tokens: 2000, batch: 32, learningRate: 3e-4 },
        evaluation: { nulls: false },
      }),
    );
  });

  test('a flag goes before the file, and leaves the rest of its section', async () => {
    const file = await configFile('a.json', {
      name: 'a',
      seed: 3,
      dictionary: { latents: 64, k: 4 },
      evaluation: { nulls: false },
    });
    const config = await read('--config', file, '--k', '8');
    expect(config).toMatchObject({
      seed: 3,
      dictionary: { latents: 64, k: 8 },
      evaluation: { nulls: [] },
    });
  });

  test.each([
    [['--nulls'], 'all'],
    [
      ['--nulls', 'pca,random'],
      ['random', 'pca'],
    ],
    [['--nulls', 'ica'], ['ica']],
    [['--nulls', 'basic'], true],
    [['--nulls=none'], false],
    [['--no-nulls'], []],
  ])('%j asks for the nulls %j', async (flags, nulls) => {
    expect(await read('--name', 'a', ...flags)).toEqual(parseConfig({ name: 'a', evaluation: { nulls } }));
  });

  test('a null that there is not is refused with those that there are', async () => {
    await expect(read('--name', 'a', '--nulls', 'pca,frozen')).rejects.toThrow(
      /evaluation\.nulls\[1\]: found "frozen".*"frozen-decoder"/,
    );
  });

  test('the configuration of the demo is one', () => {
    expect(parseConfig({ name: 'demo', ...DEMO })).toMatchObject(DEMO);
  });
});

describe('a faulty file exits with 2, and is named', () => {
  test.each([
    ['an unknown key', { name: 'a', training: { tokenz: 3 } }, /tokenz"; did you mean "tokens"\?/],
    ['not JSON', '{"name": ', /not JSON/],
    ['not an object', [1], /expected one JSON object/],
    ['a section that is no object', { name: 'a', dictionary: 3 }, /dictionary: found 3, expected object/],
    ['k above the latents', { name: 'a', dictionary: { latents: 8, k: 9 } }, /dictionary\.k: found 9/],
  ])('%s', async (_what, content, message) => {
    const file = await configFile('faulty.json', content);
    const { code, err } = await cli(['train', '--config', file, '--runs', directory, '--batch', '64']);
    expect(err).toMatch(message);
    expect(err).toContain(file);
    expect(code).toBe(2);
  });

  test('a file that is not there', async () => {
    const { code, err } = await cli(['train', '--config', join(directory, 'none.json')]);
    expect(err).toContain('none.json: there is no such file');
    expect(code).toBe(2);
  });
});

describe('whole numbers', () => {
  test.each([
    ['1200000', 1_200_000],
    ['1_200_000', 1_200_000],
    ['1.2e6', 1_200_000],
    ['0', 0],
    ['-3', -3],
  ])('%s is read', (text, value) => expect(wholeNumber(text)).toBe(value));

  test.each(['', ' ', '1.5', '1e-3', '0x10', 'NaN', '1,000', '1e30', '_1'])('%j is refused', (text) => {
    expect(() => wholeNumber(text)).toThrow('Expected a whole number');
  });
});
