/** The distribution over the next token, and the few tokens of it that are worth showing. It must not know what moved it. */

/** `softmax(logits)`, in float64. */
export function probabilities(logits: Float32Array): Float64Array {
  const most = logits.reduce((a, b) => Math.max(a, b));
  const out = Float64Array.from(logits, (logit) => Math.exp(logit - most));
  const total = out.reduce((a, b) => a + b);
  return out.map((value) => value / total);
}

/** Places of the `count` largest of `values`, largest first, the first of equals. */
export function largest(values: ArrayLike<number>, count: number): number[] {
  const places: number[] = [];
  for (let i = 0; i < values.length; i++) {
    if (places.length === count && !(values[i] > values[places[count - 1]])) continue;
    if (places.length === count) places.pop();
    let at = places.length;
    while (at > 0 && values[i] > values[places[at - 1]]) at--;
    places.splice(at, 0, i);
  }
  return places;
}
