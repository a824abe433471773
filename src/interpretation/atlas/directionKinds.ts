/** How many latents each kind of direction serves, and how far one kind is from another. It must not know what a kind stands for. */
import { jackknifeInterval } from '../../math/jackknife.ts';
import { quantile } from '../../math/statistics.ts';
import type { NamedDirection } from './directions.ts';
import { DIRECTION_KINDS, type DirectionKind } from './shape.ts';
import type { Served } from './shares.ts';

type Estimate = ReturnType<typeof jackknifeInterval>;

export interface KindSummary {
  readonly kind: DirectionKind;
  readonly directions: number;
  /** Median effective number of latents, with its interval over groups of documents. */
  readonly effective: Estimate;
}

export interface KindGap {
  readonly of: DirectionKind;
  readonly less: DirectionKind;
  /** The one median less the other, the same documents left out of both. */
  readonly effective: Estimate;
}

/** The kinds that there are, and what neurons have more of than each other kind. Directions that serve nothing are left out. */
export function summariseKinds(
  names: readonly NamedDirection[],
  served: readonly Served[],
): { kinds: KindSummary[]; gaps: KindGap[] } {
  const medians = DIRECTION_KINDS.map((kind) => {
    const own = served.filter((_, i) => names[i].kind === kind);
    const groups = own[0]?.without.length ?? 0;
    return {
      kind,
      directions: own.length,
      all: median(own.map(({ effective }) => effective)),
      without: Float64Array.from({ length: groups }, (_, g) => median(own.map(({ without }) => without[g]))),
    };
  }).filter(({ directions }) => directions > 0);
  const [neurons, ...others] = medians;
  return {
    kinds: medians.map(({ kind, directions, all, without }) => ({
      kind,
      directions,
      effective: jackknifeInterval(all, without),
    })),
    gaps: others.map((other) => ({
      of: neurons.kind,
      less: other.kind,
      effective: jackknifeInterval(
        neurons.all - other.all,
        neurons.without.map((value, g) => value - other.without[g]),
      ),
    })),
  };
}

/** NaN where none is known. */
function median(values: readonly number[]): number {
  return quantile(values.filter(Number.isFinite), 0.5);
}
