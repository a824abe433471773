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
  for (const span of post.querySelectorAll<HTMLElement>('[data-run]')) {
    const reference = referenceOf(span.dataset.run ?? '');
    if (reference === undefined) continue;
    const found = await measured(reference, catalogue).catch((error: Error) => error.message);
    if (typeof found === 'string') span.title = found;
    else linked(span, reference, found);
  }
}

type Found = { values: ReturnType<typeof valuesInEntry>; address: string };

/** A sentence where the run is not here. */
async function measured(reference: Reference, catalogue: Catalogue): Promise<Found | string> {
  const { path } = reference;
  if (catalogue.entries.some((entry) => entry.path === path)) {
    const entry = await entryAt(catalogue, path);
    return { values: valuesInEntry(entry, reference), address: hashOf({ page: 'entry', entry: path }) };
  }
  const run = catalogue.runs.find((one) => one.path === path);
  if (run === undefined) return `from ${path}, which is not here`;
  if (isBroken(run)) return run.error;
  const [evaluation, evidence] = await Promise.all([
    json(evaluationSchema, run, 'evaluation.json'),
    json(evidenceSchema, run, 'evidence.json'),
  ]);
  return {
    values: valuesInRun(evaluation, evidence, reference),
    address: hashOf({ page: 'run', run: path }),
  };
}

async function json<S extends Parameters<typeof fetchJson>[0]>(schema: S, run: ListedRun, file: string) {
  if (!Object.hasOwn(run.files, file)) return undefined;
  return fetchJson(schema, fileAddress(run.path, file), `${run.path}/${file}`);
}

function linked(span: HTMLElement, { path, name }: Reference, { values, address }: Found): void {
  const text = span.textContent ?? '';
  const link = document.createElement('a');
  link.href = address;
  link.className = 'from-run';
  link.textContent = text;
  link.title = values
    ? `${name}: ${values.map((value) => shown(value ?? null)).join(', ')}, from ${path}`
    : '';
  span.replaceWith(link);
  if (values !== undefined && agrees(text, values)) return;
  const fault = document.createElement('small');
  fault.className = 'problem';
  fault.textContent = values
    ? ` (here ${path} has ${values.map((value) => shown(value ?? null)).join(', ')})`
    : ` (here ${path} has no ${name})`;
  link.after(fault);
}
