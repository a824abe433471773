/** What is trained for the table: every family at its own recipe, and one of them as transcoder and crosscoder. */
import { familyNames, familyOf } from '../../dist/dictionaries/families/index.js';

export const LATENTS = 50;
/** The true L0 is 10.95. */
export const L0 = 11;
/** Of the features that pass through the layer that transcoders predict, 8.6 fire. */
const LAYER_L0 = 9;
/** Groups are of one size: the divisor of 50 that is next to 11. */
const GROUPS = 10;

/**
 * At which `npm run families -- --search` found an L0 of 11, in a world that is none of those of the table. The defaults
 * are for activations of language models; that of jumprelu-tanh is what was found.
 * @type {Record<string, number>}
 */
const FOUND = { relu: 1.25, gated: 0.26, jumprelu: 0.013, l1: 0.035, panneal: 0.0325 };

/**
 * @typedef {import('../../src/dictionaries/families/family.ts').Family} Family
 * @typedef {import('./world.mjs').Kind} Kind
 * @typedef {import('./world.mjs').Lesson & { name: string, source: string, knob: string }} NamedLesson
 */

/** Where the price of a firing is the only knob of its kind. @param {Family} family @returns {number | undefined} */
export function coefficientOf({ name, options }) {
  const { coefficient, target } = /** @type {any} */ (options.parse({ family: name }));
  return target === undefined ? coefficient : undefined;
}

/** @returns {NamedLesson[]} */
export function allLessons() {
  const batchtopk = familyOf('batchtopk');
  return [
    ...familyNames.map(familyOf).flatMap(autoencoders),
    lesson(batchtopk, 'transcoder', 'Dunefsky et al. 2024, arXiv 2406.11944', { k: LAYER_L0 }),
    lesson(batchtopk, 'skip transcoder', 'Paulo et al. 2025, arXiv 2501.18823', { k: LAYER_L0 }),
    lesson(batchtopk, 'crosscoder', 'Lindsey et al. 2024, Transformer Circuits'),
  ];
}

/** At the default, and at the coefficient that was found. @param {Family} family @returns {NamedLesson[]} */
function autoencoders(family) {
  const byDefault = lesson(family, 'autoencoder', family.source);
  if (coefficientOf(family) === undefined) return [byDefault];
  const coefficient = FOUND[family.name];
  return [
    { ...byDefault, knob: `${byDefault.knob} (default)` },
    ...(coefficient === undefined ? [] : [lesson(family, 'autoencoder', family.source, { coefficient })]),
  ];
}

/** @param {Family} family @param {Kind} kind @param {string} source @param {object} given @returns {NamedLesson} */
function lesson(family, kind, source, given = {}) {
  const dictionary = { ...toldTo(family), ...given };
  const name = kind === 'autoencoder' ? family.name : `${family.name}, ${kind}`;
  const { k, target, coefficient } = /** @type {any} */ (
    family.options.parse({ family: family.name, ...dictionary })
  );
  const knobs = { k, target, ...(k === undefined && target === undefined && { coefficient }) };
  const knob = Object.entries(knobs)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => `${key} ${Number(value.toPrecision(3))}`)
    .join(', ');
  return { family, kind, dictionary, name, source, knob };
}

/** What a family must be told beside its defaults. @param {Family} family */
function toldTo({ name, options }) {
  const { k, target } = /** @type {any} */ (options.shape);
  if (name === 'groupmax') return { latents: LATENTS, k: GROUPS };
  return { latents: LATENTS, ...(k && { k: L0 }), ...(target && { target: L0 }) };
}
