/**
 * Zod's findings in plain words: which file or object, which field, what was found, what was expected. It must
 * not know which schema it checks.
 */

import * as z from 'zod';
import { InputError } from './errors.ts';
import { closest } from './suggest.ts';

/** `value` as `schema` reads it. InputError opens with `where` (a file or an object) and has one line for each fault. */
export function validate<S extends z.ZodType>(schema: S, value: unknown, where: string): z.output<S> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const lines = result.error.issues.map((issue) => explain(issue, schema, value));
  throw new InputError(lines.length === 1 ? `${where}: ${lines[0]}` : `${where}:\n  ${lines.join('\n  ')}`);
}

function explain(issue: z.core.$ZodIssue, schema: z.ZodType, value: unknown): string {
  const field = fieldName(issue.path);
  if (issue.code === 'unrecognized_keys') {
    const known = keysAt(schema, issue.path, value);
    return issue.keys.map((key) => unknownKey(fieldName([...issue.path, key]), key, known)).join('; ');
  }
  const found = valueAt(value, issue.path);
  const label = field === '' ? '' : `${field}: `;
  if (issue.code === 'custom') return `${label}${issue.message}`;
  if (found === undefined && field !== '') return `${field} is missing`;
  return `${label}found ${shown(found)}, ${expectation(issue)}`;
}

function unknownKey(field: string, key: string, known: readonly string[]): string {
  const guess = closest(key, known);
  const hint = guess === undefined ? '' : `; did you mean ${JSON.stringify(guess)}?`;
  return `unknown key ${JSON.stringify(field)}${hint} (the keys here are ${known.join(', ')})`;
}

/** The keys of the object schema at `path`, looked up through wrappers, and among kinds of objects by what `value` is. */
function keysAt(schema: z.core.$ZodType, path: readonly PropertyKey[], value: unknown): string[] {
  let at = unwrapped(schema, value);
  path.forEach((key, i) => {
    at =
      at instanceof z.ZodObject
        ? unwrapped(at.shape[String(key)], valueAt(value, path.slice(0, i + 1)))
        : undefined;
  });
  return at instanceof z.ZodObject ? Object.keys(at.shape) : [];
}

function unwrapped(schema: z.core.$ZodType | undefined, value: unknown): z.core.$ZodType | undefined {
  let at = schema;
  for (;;) {
    if (at instanceof z.ZodPrefault || at instanceof z.ZodDefault || at instanceof z.ZodOptional)
      at = at.unwrap() as z.core.$ZodType;
    else if (at instanceof z.ZodPipe) at = at.out as z.core.$ZodType;
    else if (at instanceof z.ZodDiscriminatedUnion) at = kindOf(at, value);
    else return at;
  }
}

/** The option of a union that `value` says it is, or the first where it does not say. */
function kindOf({ options, def }: z.ZodDiscriminatedUnion, value: unknown): z.core.$ZodType {
  const said = valueAt(value, [def.discriminator]);
  const isSaid = (option: z.core.$ZodType) =>
    option instanceof z.ZodObject && z.safeParse(option.shape[def.discriminator], said).success;
  return options.find(isSaid) ?? options[0];
}

function fieldName(path: readonly PropertyKey[]): string {
  return path
    .map((key, i) => (typeof key === 'number' ? `[${key}]` : `${i ? '.' : ''}${String(key)}`))
    .join('');
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  let at = value;
  for (const key of path) {
    if (typeof at !== 'object' || at === null) return undefined;
    at = (at as Record<PropertyKey, unknown>)[key];
  }
  return at;
}

function shown(value: unknown): string {
  if (typeof value === 'number') return String(value);
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

/** "Invalid input: expected number, received string" and "Too big: expected ..." keep their last part only. */
function expectation(issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_union') {
    const options = issue.errors.flat().map((option) => expectation(option));
    return `expected ${options.map((option) => option.replace(/^expected /, '')).join(' or ')}`;
  }
  return issue.message
    .replace(/^(Invalid input|Invalid option|Too big|Too small|Invalid string): /, '')
    .replace(/, received .*$/, '');
}
