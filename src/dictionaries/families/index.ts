/** All families by name. A new one is a file beside this and a line here. */
import * as z from 'zod';
import { abstopk } from './abstopk.ts';
import { batchtopk } from './batchtopk.ts';
import type { Family } from './family.ts';
import { gated } from './gated.ts';
import { groupmax } from './groupmax.ts';
import { jumprelu } from './jumprelu.ts';
import { jumpreluTanh } from './jumpreluTanh.ts';
import { jumpreluTarget } from './jumpreluTarget.ts';
import { l1 } from './l1.ts';
import { matryoshka } from './matryoshka.ts';
import { panneal } from './panneal.ts';
import { pursuit } from './pursuit.ts';
import { relu } from './relu.ts';
import { topk } from './topk.ts';

const all: readonly Family[] = [
  topk,
  batchtopk,
  relu,
  abstopk,
  gated,
  groupmax,
  jumprelu,
  jumpreluTanh,
  jumpreluTarget,
  l1,
  matryoshka,
  panneal,
  pursuit,
];

/** What each family can be told, told apart by `family`. */
export const familyOptions = z.discriminatedUnion('family', [
  topk.options,
  batchtopk.options,
  relu.options,
  abstopk.options,
  gated.options,
  groupmax.options,
  jumprelu.options,
  jumpreluTanh.options,
  jumpreluTarget.options,
  l1.options,
  matryoshka.options,
  panneal.options,
  pursuit.options,
]);

/** What a configuration can say of a dictionary. */
export type DictionaryOptions = z.output<typeof familyOptions>;

export const familyNames = all.map(({ name }) => name);

/** The family of that name. */
export function familyOf(name: DictionaryOptions['family']): Family {
  return all.find((family) => family.name === name)!;
}
