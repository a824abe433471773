/**
 * Brings a post to life once it is in the page: figures where they are named, and numbers held against where they are from. It must not
 * know how posts are written or fetched.
 */
import { mount, unmount } from 'svelte';
import type { Catalogue, ListedRun } from '../../../src/explorer/catalogueSchema.ts';
import { evidenceSchema } from '../../../src/runs/evidenceSchema.ts';
import { evaluationSchema } from '../../../src/runs/schema.ts';
import { isBroken } from '../data/catalogue.ts';
import { fetchJson, fileAddress } from '../data/fetch.ts';
import { hashOf } from '../router.ts';
import { agrees, type Reference, referenceOf, valuesInEntry, valuesInRun } from './claimed.ts';
import { entryAt } from './entries.ts';
import NamedFigure from './NamedFigure.svelte';
import { shown } from './readings.ts';

/** Puts a figure in the place of each that is named below `post`. The function that is given back takes them away again. */
export function placeFigures(post: HTMLElement, catalogue: Catalogue): () => void {
  const placed = [...post.querySelectorAll<HTMLElement>('[data-figure]')].map((span) => {
    const paragraph = span.parentElement;
    const alone = paragraph?.tagName === 'P' && paragraph.childNodes.length === 1;
    const place = document.createElement('div');
    (alone ? paragraph : span).replaceWith(place);
    const name = span.dataset.figure ?? '';
    const at = name.lastIndexOf('/');
    return mount(NamedFigure, {
      target: place,
      props: {
        catalogue,
        of: name.slice(0, Math.max(0, at)),
        name: name.slice(at + 1),
        caption: span.textContent ?? '',
      },
    });
  });
  return () => {
    for (const figure of placed) void unmount(figure);
  };
}

/** Links each number below `post` to where it is from, and says so where it is not what was measured there. */
export async function checkNumbers(post: HTMLElement, catalogue: Catalogue): Promise<void> {
  const origins = new Map<string, Promise<Origin | string>>();
  for (const span of post.querySelectorAll<HTMLElement>('[data-run]')) {
    const reference = referenceOf(span.dataset.run ?? '');
    if (reference === undefined) continue;
    const { path } = reference;
    const known = origins.get(path) ?? originAt(path, catalogue).catch((error: Error) => error.message);
    origins.set(path, known);
    const origin = await known;
    if (typeof origin === 'string') span.title = origin;
    else linked(span, reference, origin);
  }
}

/** A run or an experiment that numbers are from. */
interface Origin {
  readonly address: string;
  readonly valuesOf: (reference: Reference) => ReturnType<typeof valuesInEntry>;
  /** At reduced size, so that other numbers are no fault. */
  readonly quick: boolean;
}

/** A sentence where it is not here. */
async function originAt(path: string, catalogue: Catalogue): Promise<Origin | string> {
  if (catalogue.entries.some((entry) => entry.path === path)) {
    const entry = await entryAt(catalogue, path);
    return {
      address: hashOf({ page: 'entry', entry: path }),
      valuesOf: (reference) => valuesInEntry(entry, reference),
      quick: entry.quick,
    };
  }
  const run = catalogue.runs.find((one) => one.path === path);
  if (run === undefined) return `from ${path}, which is not here`;
  if (isBroken(run)) return run.error;
  const [evaluation, evidence] = await Promise.all([
    json(evaluationSchema, run, 'evaluation.json'),
    json(evidenceSchema, run, 'evidence.json'),
  ]);
  return {
    address: hashOf({ page: 'run', run: path }),
    valuesOf: (reference) => valuesInRun(evaluation, evidence, reference),
    quick: false,
  };
}

async function json<S extends Parameters<typeof fetchJson>[0]>(schema: S, run: ListedRun, file: string) {
  if (!Object.hasOwn(run.files, file)) return undefined;
  return fetchJson(schema, fileAddress(run.path, file), `${run.path}/${file}`);
}

function linked(span: HTMLElement, reference: Reference, { address, valuesOf, quick }: Origin): void {
  const { path, name } = reference;
  const values = valuesOf(reference);
  const text = span.textContent ?? '';
  const has = values
    ? values.map((value) => shown(value ?? null)).join(', ')
    : `no ${name}${reference.null === undefined ? '' : ' of that null'}`;
  const link = document.createElement('a');
  link.href = address;
  link.className = 'from-run';
  link.textContent = text;
  link.title = `${name}: ${path} has ${has}${quick ? ', at reduced size' : ''}`;
  span.replaceWith(link);
  if (quick || (values !== undefined && agrees(text, values))) return;
  const fault = document.createElement('small');
  fault.className = 'problem';
  fault.textContent = ` (here ${path} has ${has})`;
  link.after(fault);
}
