/**
 * What of a dictionary stays where it started while the rest learns: the baselines of Korznikov et al. 2026 (arXiv
 * 2602.14111), which say how much of a result needs learned directions at all. It must not know what they are compared with.
 */
import type { Workspace } from '../dictionaries/families/family.ts';
import type { LatentGradientOperands } from '../kernels/trainingOperations.ts';

/** The encoder's weight, the decoder's, or the decoder's rows but for a cone around each. */
export type Freeze = 'encoder' | 'decoder' | 'soft-decoder';

/** The cosine that each row of a softly frozen decoder keeps to its start. */
export const SOFT_COSINE = 0.8;

/** The parameter that never moves. */
export function frozenParameter(freeze: Freeze | undefined): string | undefined {
  return freeze === 'encoder' ? 'encoderWeight' : freeze === 'decoder' ? 'decoderWeight' : undefined;
}

/** The same gradient with nothing in it for the frozen weight, so that neither its norm nor an optimiser sees any. */
export function withoutFrozen(
  freeze: Freeze | undefined,
  gradient: LatentGradientOperands,
  workspace: Workspace,
): LatentGradientOperands {
  switch (frozenParameter(freeze)) {
    case 'decoderWeight':
      return {
        ...gradient,
        unitDecoder: false,
        parts: gradient.parts.map((part) => ({ ...part, frozenDecoder: true })),
        alongDecoder: undefined,
      };
    case 'encoderWeight': {
      const { rows, width, everyRow } = gradient;
      return {
        ...gradient,
        // Nobody writes to it: it stays the zeros that it was made as.
        input: workspace.floats('frozen encoder: no input', rows * width),
        everyRow: everyRow && { ...everyRow, inputSum: new Float32Array(width) },
      };
    }
    default:
      return gradient;
  }
}

/**
 * Turns each row of `weight [any, width]` that has left the cone `cos(w, s) >= .8` around its start s back to the cone's
 * edge, by the shortest way and at its length:
 * `w = |w| (.8 s / |s| + .6 p / |p|)`, with p the part of w that is perpendicular to s.
 */
export function keepNearStart(weight: Float32Array, start: Float32Array, width: number): void {
  const sine = Math.sqrt(1 - SOFT_COSINE ** 2);
  for (let at = 0; at < weight.length; at += width) {
    let [ww, ws, ss] = [0, 0, 0];
    for (let i = at; i < at + width; i++) {
      ww += weight[i] * weight[i];
      ws += weight[i] * start[i];
      ss += start[i] * start[i];
    }
    if (ws >= SOFT_COSINE * Math.sqrt(ww * ss)) continue;
    let pp = 0;
    for (let i = at; i < at + width; i++) pp += (weight[i] - (ws / ss) * start[i]) ** 2;
    const onStart = (pp > 0 ? SOFT_COSINE : 1) * Math.sqrt(ww / ss);
    const across = pp > 0 ? sine * Math.sqrt(ww / pp) : 0;
    for (let i = at; i < at + width; i++)
      weight[i] = onStart * start[i] + across * (weight[i] - (ws / ss) * start[i]);
  }
}
