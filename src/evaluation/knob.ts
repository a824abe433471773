/**
 * What the sparsity knob did: the number by which a family is told how sparse to be, against the L0 that came of it. A
 * knob that no longer moves L0 makes a sweep over it worthless, and nothing else shows that. It must not know what the
 * families are.
 */

/** The fields that serve as a knob; where a family has several, the first here is its own. */
const KNOBS = ['k', 'target', 'coefficient'] as const;

/** A knob with an elasticity nearer to 0 than this no longer moves L0. */
export const STUCK_ELASTICITY = 0.1;

/** L0 may differ from k by this share. */
export const L0_TOLERANCE = 0.1;

export interface Knob {
  readonly name: (typeof KNOBS)[number];
  readonly asked: number;
}

/** The knob among a family's options; undefined where it has none. */
export function knobOf(dictionary: Readonly<Record<string, unknown>>): Knob | undefined {
  const name = KNOBS.find((key) => typeof dictionary[key] === 'number');
  return name && { name, asked: dictionary[name] as number };
}

/** A trained arm: its knob, what came of it, and the rest of its configuration in any text that tells arms apart. */
export interface KnobPoint {
  readonly arm: string;
  readonly knob: Knob;
  readonly rest: string;
  readonly l0: number;
}

export interface Elasticity {
  readonly knob: Knob['name'];
  /** The arms with the smaller and the larger value. */
  readonly from: string;
  readonly to: string;
  /** `d log L0 / d log knob` */
  readonly value: number;
  readonly stuck: boolean;
}

/**
 * The elasticity `d log L0 / d log knob = log(L0_b / L0_a) / log(knob_b / knob_a)` between neighbouring arms that differ
 * in nothing but the knob. Where the logarithms are not finite (a knob or an L0 of 0) there is none.
 */
export function elasticities(points: readonly KnobPoint[]): Elasticity[] {
  const series = new Map<string, KnobPoint[]>();
  for (const point of points) {
    const key = JSON.stringify([point.knob.name, point.rest]);
    series.set(key, [...(series.get(key) ?? []), point]);
  }
  return [...series.values()].flatMap((unsorted) => {
    const sorted = [...unsorted].sort((a, b) => a.knob.asked - b.knob.asked);
    return sorted.slice(1).flatMap((b, i) => {
      const a = sorted[i];
      const [turned, moved] = [Math.log(b.knob.asked / a.knob.asked), Math.log(b.l0 / a.l0)];
      if (turned === 0 || !Number.isFinite(turned) || !Number.isFinite(moved)) return [];
      const value = moved / turned;
      const stuck = Math.abs(value) < STUCK_ELASTICITY;
      return [{ knob: a.knob.name, from: a.arm, to: b.arm, value, stuck }];
    });
  });
}

/** Whether a dictionary that was told how many latents may fire keeps to it: L0 within `L0_TOLERANCE` of k. */
export function keepsToK(k: number, l0: number): boolean {
  return Math.abs(l0 - k) <= L0_TOLERANCE * k;
}
