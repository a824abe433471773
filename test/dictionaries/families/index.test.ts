/** The two lists of families: what a configuration can name, and what that name leads to. */
import { describe, expect, it } from 'vitest';
import { familyNames, familyOf, familyOptions } from '../../../src/dictionaries/families/index.ts';

describe('familyOf', () => {
  it.each(familyOptions.options.map(({ shape }) => shape.family.value))('knows %s', (name) => {
    expect(familyOf(name).name).toBe(name);
  });

  it('knows no other, and none twice', () => {
    const named = familyOptions.options.map(({ shape }) => shape.family.value);
    expect([...familyNames].sort()).toEqual([...named].sort());
    expect(new Set(familyNames).size).toBe(familyNames.length);
  });
});
