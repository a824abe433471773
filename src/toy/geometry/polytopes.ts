/**
 * Whether feature dimensionalities gather at the fractions of regular polytopes, the "lines" in the scatter plot of Elhage et
 * al. 2022 (arXiv 2209.10652): tested, for most features of superposed models lie on none of them. It must not know whose
 * dimensionalities they are.
 */

/** Vertices that share dimensions evenly, and the share of each. */
const POLYTOPES = [
  ['alone', 1],
  ['tetrahedron', 3 / 4],
  ['triangle', 2 / 3],
  ['digon', 1 / 2],
  ['pentagon', 2 / 5],
  ['square antiprism', 3 / 8],
] as const;
/** Half the width of a bin, and how far the middles of the bins beside a fraction's own lie from it. */
const [HALF_WIDTH, FLANK] = [0.005, 0.0125];
/** The least that makes a line: so many features, and so many times those of a bin beside it. */
const [LEAST_FEATURES, LEAST_RATIO] = [10, 2];

export interface PolytopeLine {
  readonly polytope: (typeof POLYTOPES)[number][0];
  readonly fraction: number;
  /** Features within 0.005 of the fraction. */
  readonly count: number;
  /** Those within 0.005 of 0.0125 below and above it. */
  readonly flanks: readonly [number, number];
  /** At least 10 features, and at least twice those of either flank. */
  readonly isLine: boolean;
}

/** The test at each polytope's fraction. */
export function polytopeLines(dimensionalities: ArrayLike<number>): PolytopeLine[] {
  const values = Array.from(dimensionalities);
  const near = (middle: number) => values.filter((d) => Math.abs(d - middle) <= HALF_WIDTH).length;
  return POLYTOPES.map(([polytope, fraction]) => {
    const count = near(fraction);
    const flanks = [near(fraction - FLANK), near(fraction + FLANK)] as const;
    const isLine = count >= LEAST_FEATURES && count >= LEAST_RATIO * Math.max(...flanks);
    return { polytope, fraction, count, flanks, isLine };
  });
}
