import { describe, expect, test } from 'vitest';
import { buildProgram } from '../../src/cli/program.ts';
import { cli, fakeTerminal } from './fakeTerminal.ts';

const commands = buildProgram(fakeTerminal(), '0.0.0').commands.map((command) => command.name());

describe('help', () => {
  test('the commands are those that the documents name', () => {
    expect(commands.sort()).toEqual([
      'atlas',
      'convert',
      'cost',
      'demo',
      'doctor',
      'evaluate',
      'explore',
      'harvest',
      'latents',
      'publish',
      'run',
      'scaling',
      'sparsity',
      'sweep',
      'toy',
      'train',
      'verdict',
    ]);
  });

  test.each([[[]], ...commands.map((name) => [[name]])])('%j --help ends with an example', async (words) => {
    const { code, out, err } = await cli([...words, '--help']);
    expect(code).toBe(0);
    expect(err).toBe('');
    expect(out.trimEnd().split('\n').at(-1)).toMatch(new RegExp(`^ {2}monosem ${words[0] ?? ''}`));
  });

  test('the defaults of the configuration are shown', async () => {
    const { out } = await cli(['train', '--help']);
    expect(out).toMatch(/\(default:\s+blocks\.3\.hook_resid_post\)/);
  });

  test('--version prints the version of package.json', async () => {
    const { code, out } = await cli(['--version']);
    expect(code).toBe(0);
    expect(out).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});

describe('usage errors exit with 2, say what is wrong, and print nothing on stdout', () => {
  test.each([
    ['a mistyped command', ['trian'], 'Did you mean train?'],
    ['a mistyped flag', ['train', '--lattents', '8'], 'Did you mean --latents?'],
    ['no command', [], 'Usage: monosem'],
    ['a missing argument', ['evaluate'], "missing required argument 'run'"],
    ['an argument too many', ['doctor', 'x'], 'too many arguments'],
    ['a number that is none', ['train', '--k', 'many'], 'Expected a whole number'],
    ['a fraction where whole', ['train', '--k', '3.5'], 'Expected a whole number'],
    ['a family that is not there', ['train', '--family', 'topkk'], 'Allowed choices are topk, batchtopk'],
    ['--resume with a field', ['train', '--resume', 'runs/a', '--k', '3'], "cannot be used with option '--k"],
    [
      '--resume with --no-nulls',
      ['train', '--resume', 'runs/a', '--no-nulls'],
      "cannot be used with option '--no-nulls'",
    ],
    ['no name', ['train', '--k', '4'], '--name is missing'],
    [
      'k above the latents',
      ['train', '--name', 'a', '--latents', '16', '--k', '17'],
      'dictionary.k: found 17',
    ],
    ['a name that leaves the directory', ['train', '--name', '../a'], 'name: found "../a"'],
    ['no format to convert to', ['convert', 'a', 'b'], "required option '--to <format>' not specified"],
    [
      'a format that cannot be written',
      ['convert', 'a', 'b', '--to', 'openai'],
      'Allowed choices are saelens',
    ],
    ['a list with a number that is none', ['sweep', '--name', 'a', '--k', '3,x'], 'Expected a whole number'],
    ['a sweep without a name', ['sweep', '--k', '3'], 'name is missing'],
    [
      'a sweep with k above the latents',
      ['sweep', '--name', 'a', '--latents', '8', '--k', '4,9'],
      'dictionary.k: found 9',
    ],
    ['--resume with a grid', ['sweep', 'grid.json', '--resume', 'a'], '--resume goes on with what is there'],
    ['a latent that is no number', ['latents', 'runs/a', 'first'], 'Expected a whole number'],
  ])('%s', async (_what, args, message) => {
    const { code, out, err } = await cli(args);
    expect(err).toContain(message);
    expect(err).not.toContain('    at ');
    expect(out).toBe('');
    expect(code).toBe(2);
  });
});
