/**
 * Activations on disk: a directory of `store.json` and shards in safetensors, whole sequences only, that any
 * tool can read. A store is there in full or not at all, and what was changed since it was written is refused.
 * It must not know where the rows came from, beyond the names that it notes down.
 *
 * A shard holds `activations` F32 `[n, width]` and `token_ids`, `document_ids`, `sequence_ids`, `positions`,
 * each I32 `[n]`.
 */

import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { writeDirAtomic, writeFileAtomic } from '../formats/atomic.ts';
import { InputError } from '../formats/errors.ts';
import { withFile } from '../formats/files.ts';
import { sha256File } from '../formats/hash.ts';
import { readJson } from '../formats/json.ts';
import {
  type Dtype,
  readSafetensorsHeader,
  readTensorRows,
  type TensorEntry,
  writeSafetensors,
} from '../formats/safetensors.ts';
import { firstNonFinite } from '../math/finite.ts';
import {
  type ActivationRows,
  type ActivationSource,
  allocateRows,
  checkSequences,
  copyRows,
  type Progress,
  sequenceOffsets,
} from './source.ts';

/** A shard is no larger, unless one sequence is. */
export const SHARD_BYTES = 256 * 2 ** 20;
/** Rows read from the source at once. */
const GROUP_ROWS = 16384;

const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'not a SHA-256 in lower-case hexadecimal');
const count = z.int().min(1);

/** Where the activations of a store come from. */
const originSchema = z.strictObject({
  model: z.string(),
  modelSha256: sha256,
  hook: z.string(),
  corpus: z.string(),
  corpusSha256: sha256,
  split: z.string(),
});
const storeSchema = z.strictObject({
  format: z.literal(1),
  ...originSchema.shape,
  width: count,
  rows: count,
  sequences: count,
  shards: z
    .array(
      z.strictObject({
        file: z.string().regex(/^shard-\d{5,}\.safetensors$/, 'not named as shard-00000.safetensors'),
        sha256,
        rows: count,
      }),
    )
    .min(1),
});

export type StoreOrigin = z.infer<typeof originSchema>;
export type StoreMeta = z.infer<typeof storeSchema>;

export interface ActivationStore extends ActivationSource {
  readonly meta: StoreMeta;
}

/**
 * Writes all of `source` to the directory `dir`, which must not exist; no more than a shard is in memory.
 * Progress is in rows. On failure, or when `signal` aborts, nothing is left.
 */
export async function writeStore(
  dir: string,
  source: ActivationSource,
  origin: StoreOrigin,
  options: { onProgress?: Progress; signal?: AbortSignal; shardBytes?: number } = {},
): Promise<StoreMeta> {
  const { onProgress, signal, shardBytes = SHARD_BYTES } = options;
  const { width, sequences, totalRows } = source;
  if (totalRows === 0) throw new InputError(`cannot write ${dir}: the source has no rows`);
  const plans = planShards(source, shardBytes);
  let written = 0;
  let meta: StoreMeta | undefined;
  await writeDirAtomic(dir, async (temporary) => {
    const shards: StoreMeta['shards'] = [];
    for (const [index, plan] of plans.entries()) {
      const shard = allocateRows(plan.rows, width);
      let filled = 0;
      for (const group of groups(source, plan)) {
        signal?.throwIfAborted();
        const rows = await source.read(group);
        refuseNonFinite(rows, width, 'the source');
        copyRows(rows, 0, rows.rows, shard, filled, width);
        filled += rows.rows;
        onProgress?.((written += rows.rows), totalRows);
      }
      checkIds(shard.sequences, source, plan);
      const file = `shard-${`${index}`.padStart(5, '0')}.safetensors`;
      await writeSafetensors(join(temporary, file), {
        activations: { dtype: 'F32', shape: [plan.rows, width], data: shard.activations },
        token_ids: { dtype: 'I32', shape: [plan.rows], data: shard.tokens },
        document_ids: { dtype: 'I32', shape: [plan.rows], data: shard.documents },
        sequence_ids: { dtype: 'I32', shape: [plan.rows], data: shard.sequences },
        positions: { dtype: 'I32', shape: [plan.rows], data: shard.positions },
      });
      shards.push({ file, sha256: await sha256File(join(temporary, file)), rows: plan.rows });
    }
    meta = storeSchema.parse({ format: 1, ...origin, width, rows: totalRows, sequences, shards });
    await writeFileAtomic(join(temporary, 'store.json'), `${JSON.stringify(meta, null, 2)}\n`);
  });
  return meta!;
}

interface ShardPlan {
  readonly first: number;
  /** One past the last sequence. */
  readonly end: number;
  readonly rows: number;
}

/** Sequences in their order, as many to a shard as fit, one at least. */
function planShards(source: ActivationSource, shardBytes: number): ShardPlan[] {
  const most = shardBytes / (4 * source.width + 16);
  const plans: ShardPlan[] = [];
  let [first, rows] = [0, 0];
  for (let s = 0; s < source.sequences; s++) {
    if (rows > 0 && rows + source.rowsOf(s) > most) {
      plans.push({ first, end: s, rows });
      [first, rows] = [s, 0];
    }
    rows += source.rowsOf(s);
  }
  return [...plans, { first, end: source.sequences, rows }];
}

function* groups(source: ActivationSource, { first, end }: ShardPlan): Generator<number[]> {
  let group: number[] = [];
  let rows = 0;
  for (let s = first; s < end; s++) {
    group.push(s);
    rows += source.rowsOf(s);
    if (rows < GROUP_ROWS && s + 1 < end) continue;
    yield group;
    [group, rows] = [[], 0];
  }
}

/** The store finds its sequences again by their ids, so these must say what `rowsOf` says. */
function checkIds(ids: Int32Array, source: ActivationSource, { first, end }: ShardPlan): void {
  const offsets = sequenceOffsets(ids, 'sequences of the source');
  const fits =
    offsets.length === end - first + 1 &&
    offsets.subarray(1).every((offset, i) => offset - offsets[i] === source.rowsOf(first + i));
  if (!fits) throw new RangeError('sequences of the source: their ids do not fit the rows of each sequence');
}

interface Shard {
  readonly path: string;
  readonly tensors: {
    activations: TensorEntry & { dtype: 'F32' };
    token_ids: TensorEntry & { dtype: 'I32' };
    document_ids: TensorEntry & { dtype: 'I32' };
    sequence_ids: TensorEntry & { dtype: 'I32' };
    positions: TensorEntry & { dtype: 'I32' };
  };
  /** The number of the shard's first sequence. */
  readonly first: number;
  /** Where each of its sequences starts in the shard, and the end. */
  readonly offsets: Uint32Array;
  /** The document of each of its sequences. */
  readonly documents: Int32Array;
}

/**
 * Opens a store. Every shard is read through once, against its SHA-256 in `store.json`, so that damage shows
 * here and not hours into a run; progress is in rows. Reads take the rows asked for and no more, and hold no
 * file open in between. InputError names the file that is missing, cut short, changed, or of the wrong shape.
 */
export async function openStore(
  dir: string,
  options: { onProgress?: Progress } = {},
): Promise<ActivationStore> {
  const meta = await readMeta(join(dir, 'store.json'));
  const shards: Shard[] = [];
  let [sequences, rows] = [0, 0];
  for (const described of meta.shards) {
    const shard = await openShard(dir, described, meta.width, sequences);
    sequences += shard.offsets.length - 1;
    rows += described.rows;
    shards.push(shard);
    options.onProgress?.(rows, meta.rows);
  }
  if (sequences !== meta.sequences || rows !== meta.rows) {
    throw new InputError(
      `${join(dir, 'store.json')}: ${meta.rows} rows in ${meta.sequences} sequences are announced, ` +
        `the shards hold ${rows} in ${sequences}; write the store anew`,
    );
  }
  const offsets = sequenceStarts(shards, sequences);
  const rowsOf = (s: number): number => offsets[s + 1] - offsets[s];
  const shardOf = (s: number): Shard => shards.findLast(({ first }) => first <= s)!;
  return {
    meta,
    width: meta.width,
    sequences,
    totalRows: rows,
    rowsOf,
    documentOf: (s) => shardOf(s).documents[s - shardOf(s).first],
    async read(asked) {
      checkSequences(asked, sequences);
      const wanted = Array.from(asked);
      const total = wanted.reduce((sum, s) => sum + rowsOf(s), 0);
      const result = allocateRows(total, meta.width);
      const byShard = new Map<Shard, { start: number; count: number; at: number }[]>();
      let at = 0;
      for (const s of wanted) {
        const shard = shardOf(s);
        const pieces = byShard.get(shard) ?? [];
        pieces.push({ start: shard.offsets[s - shard.first], count: rowsOf(s), at });
        byShard.set(shard, pieces);
        at += rowsOf(s);
      }
      for (const [shard, pieces] of byShard) {
        await withFile(shard.path, async (file) => {
          for (const { start, count, at } of pieces) {
            const rows = await readRows(file, shard, start, count);
            refuseNonFinite(rows, meta.width, shard.path, start);
            copyRows(rows, 0, count, result, at, meta.width);
          }
        });
      }
      return result;
    },
  };
}

async function readMeta(path: string): Promise<StoreMeta> {
  const result = storeSchema.safeParse(await readJson(path));
  if (result.success) return result.data;
  const { path: field, message } = result.error.issues[0];
  throw new InputError(`${path}: field ${field.join('.') || '(all)'}: ${message}`);
}

async function openShard(
  dir: string,
  described: StoreMeta['shards'][number],
  width: number,
  first: number,
): Promise<Shard> {
  const path = join(dir, described.file);
  const { tensors } = await readSafetensorsHeader(path);
  const tensor = <D extends Dtype>(name: string, dtype: D, shape: number[]): TensorEntry & { dtype: D } => {
    const entry = tensors.get(name);
    const found = entry && `${entry.dtype} [${entry.shape.join(', ')}]`;
    const expected = `${dtype} [${shape.join(', ')}]`;
    if (found !== expected)
      throw new InputError(`${path}: tensor ${name} is ${found ?? 'missing'}; store.json says ${expected}`);
    return entry as TensorEntry & { dtype: D };
  };
  const { rows } = described;
  const entries: Shard['tensors'] = {
    activations: tensor('activations', 'F32', [rows, width]),
    token_ids: tensor('token_ids', 'I32', [rows]),
    document_ids: tensor('document_ids', 'I32', [rows]),
    sequence_ids: tensor('sequence_ids', 'I32', [rows]),
    positions: tensor('positions', 'I32', [rows]),
  };
  const found = await sha256File(path);
  if (found !== described.sha256) {
    throw new InputError(
      `${path}: its SHA-256 is ${found}, store.json says ${described.sha256}; it was changed, write the store anew`,
    );
  }
  const all = (entry: TensorEntry & { dtype: 'I32' }) =>
    withFile(path, (file) => readTensorRows(file, entry, 0, rows));
  const offsets = sequenceOffsets(await all(entries.sequence_ids), path);
  const documentIds = await all(entries.document_ids);
  const documents = Int32Array.from(offsets.subarray(0, -1), (offset) => documentIds[offset]);
  return { path, tensors: entries, first, offsets, documents };
}

/** Where each sequence starts in the whole store, and the end. Float64: a store may pass 2^32 rows. */
function sequenceStarts(shards: readonly Shard[], sequences: number): Float64Array {
  const starts = new Float64Array(sequences + 1);
  for (const { first, offsets } of shards) {
    const base = starts[first];
    offsets.forEach((offset, i) => {
      starts[first + i] = base + offset;
    });
  }
  return starts;
}

async function readRows(
  file: FileHandle,
  shard: Shard,
  start: number,
  count: number,
): Promise<ActivationRows> {
  const { activations, token_ids, document_ids, sequence_ids, positions } = shard.tensors;
  return {
    rows: count,
    activations: await readTensorRows(file, activations, start, count),
    tokens: await readTensorRows(file, token_ids, start, count),
    documents: await readTensorRows(file, document_ids, start, count),
    sequences: await readTensorRows(file, sequence_ids, start, count),
    positions: await readTensorRows(file, positions, start, count),
  };
}

/** `firstRow` is where the rows start in what `where` names. */
function refuseNonFinite(rows: ActivationRows, width: number, where: string, firstRow?: number): void {
  const bad = firstNonFinite(rows.activations);
  if (bad < 0) return;
  const row = Math.floor(bad / width);
  const place = firstRow === undefined ? '' : `row ${firstRow + row}, `;
  throw new InputError(
    `${where}: the activation at ${place}sequence ${rows.sequences[row]}, position ${rows.positions[row]} ` +
      `is ${rows.activations[bad]}, not finite`,
  );
}
