/**
 * Opens a dictionary that any known peer saved, and writes one that they read: which format a path holds is found out
 * from its files and their tensors. The formats are a file each beside this one.
 */
import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { explainSystemError, InputError } from '../../formats/errors.ts';
import type { Tensor } from '../../formats/tensor.ts';
import { readTorch, type TorchValue } from '../../formats/torch.ts';
import type { Dictionary } from '../dictionary.ts';
import { openCrossLayerTranscoder, openPerLayerTranscoder } from './circuitTracer.ts';
import { readDictionaryLearning } from './dictionaryLearning.ts';
import { GEMMA_SCOPE_FILE, openGemmaScope2, readGemmaScope, writeGemmaScope } from './gemmaScope.ts';
import { openOpenai } from './openai.ts';
import type { Opened } from './opened.ts';
import { readSaelens, writeSaelens } from './saelens.ts';
import { SAELENS_FILES } from './saelensConfig.ts';
import { readSparsify, SPARSIFY_FILES, writeSparsify } from './sparsify.ts';
import { readWeights } from './weights.ts';

export type { Format, Opened } from './opened.ts';

/** The formats that can be written. */
export const WRITABLE_FORMATS = ['saelens', 'sparsify', 'gemma-scope'] as const;
export type WritableFormat = (typeof WRITABLE_FORMATS)[number];

const EXPECTED = `expected a directory with ${SAELENS_FILES.config} and ${SAELENS_FILES.weights} (SAELens), ${SPARSIFY_FILES.config} and ${SPARSIFY_FILES.weights} (sparsify), ae.pt and config.json (dictionary_learning) or ${GEMMA_SCOPE_FILE} (Gemma Scope), or a file .npz, .pt or .safetensors`;

/** Reads the dictionary at `path`. InputError names what is missing, damaged, or more than a dictionary here can say. */
export async function readDictionary(path: string): Promise<Opened> {
  const found = await stat(path).catch((error) => {
    throw explainSystemError(error, 'read', path);
  });
  return found.isDirectory() ? readDirectory(path) : readFileAt(path);
}

async function readDirectory(dir: string): Promise<Opened> {
  const names = await readdir(dir);
  const has = (name: string) => names.includes(name);
  if (has(SAELENS_FILES.weights)) return readSaelens(dir);
  if (has(SPARSIFY_FILES.weights)) return readSparsify(dir);
  if (has('ae.pt')) return readTorchFile(join(dir, 'ae.pt'));
  if (has(GEMMA_SCOPE_FILE)) return readGemmaScope(join(dir, GEMMA_SCOPE_FILE));
  const weights = names.filter((name) => /\.(safetensors|npz|pth?)$/.test(name)).sort();
  if (weights.length === 1) return readFileAt(join(dir, weights[0]));
  const there =
    weights.length > 1
      ? `several files of weights (${weights.slice(0, 4).join(', ')}${weights.length > 4 ? ', ...' : ''}); name one of them`
      : `nothing to read; ${EXPECTED}`;
  throw new InputError(`${dir}: found ${there}`);
}

async function readFileAt(file: string): Promise<Opened> {
  const name = basename(file);
  if (name === SAELENS_FILES.config || name === 'config.json') return readDirectory(dirname(file));
  if (name === SAELENS_FILES.weights) return readSaelens(dirname(file));
  if (name === SPARSIFY_FILES.weights) return readSparsify(dirname(file));
  if (name.endsWith('.npz')) return readGemmaScope(file);
  if (/\.pth?$/.test(name)) return readTorchFile(file);
  if (name.endsWith('.safetensors')) return readTranscoder(file);
  throw new InputError(`${file}: not a file of weights that is known here; ${EXPECTED}`);
}

async function readTranscoder(file: string): Promise<Opened> {
  const weights = await readWeights(file);
  const names = [...weights.tensors.keys()];
  const layer = names.map((name) => /^W_enc_(\d+)$/.exec(name)?.[1]).find((found) => found !== undefined);
  if (layer !== undefined) return openCrossLayerTranscoder(weights, layer);
  if (names.includes('w_enc')) return openGemmaScope2(weights);
  if (names.includes('W_enc')) return openPerLayerTranscoder(weights);
  throw new InputError(
    `${file}: its tensors (${names.slice(0, 8).join(', ') || 'none'}) are those of no format known here; ${EXPECTED}`,
  );
}

/** A file of `torch.save`: OpenAI's has a `pre_bias`, dictionary_learning's not; its backups keep the state in `ae`. */
async function readTorchFile(file: string): Promise<Opened> {
  const saved = await readTorch(file);
  const inner = saved instanceof Map ? saved.get('ae') : undefined;
  const isBackup = saved instanceof Map && inner instanceof Map;
  const state = isBackup ? inner : saved;
  if (!(state instanceof Map)) {
    throw new InputError(`${file}: expected a state of named tensors, as torch.save writes a state_dict`);
  }
  const tensors = new Map<string, Tensor>();
  const extra = new Map<TorchValue, TorchValue>();
  for (const [key, value] of state) {
    if (typeof key === 'string' && isTensor(value)) tensors.set(key, value);
    else extra.set(key, value);
  }
  const weights = { file, tensors };
  if (tensors.has('pre_bias')) return openOpenai(weights, extra);
  return readDictionaryLearning(weights, isBackup ? backupFactor(saved, file) : undefined);
}

/** What activations were divided by in the training that a backup is of; undefined where they were not. */
function backupFactor(backup: ReadonlyMap<TorchValue, TorchValue>, file: string): number | undefined {
  const stored = backup.get('norm_factor');
  if (stored === undefined || stored === null) return undefined;
  const factor = Number(isTensor(stored) ? stored.data[0] : stored);
  if (factor > 0 && Number.isFinite(factor)) return factor;
  throw new InputError(`${file}: norm_factor is ${factor}; expected a number above 0`);
}

function isTensor(value: TorchValue): value is Tensor {
  return typeof value === 'object' && value !== null && 'dtype' in value && 'shape' in value;
}

/**
 * Writes `dictionary` into the directory `dir`, which is made where it is not there; the same dictionary gives the same
 * bytes. Only SAELens keeps `metadata`. InputError names what the format cannot say.
 */
export async function writeDictionary(
  dir: string,
  format: WritableFormat,
  dictionary: Dictionary,
  metadata: Record<string, unknown>,
): Promise<void> {
  if (format === 'saelens') return writeSaelens(dir, dictionary, metadata);
  if (format === 'sparsify') return writeSparsify(dir, dictionary);
  return writeGemmaScope(dir, dictionary);
}
