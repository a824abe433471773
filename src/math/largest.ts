/** The largest of many numbers. It must not know what they measure. */

/** The places of the `most` largest of `score(0) .. score(count - 1)`, largest first, of equals the first; NaN and -Infinity are left out. */
export function largest(count: number, most: number, score: (i: number) => number): number[] {
  const places: number[] = [];
  const scores: number[] = [];
  for (let i = 0; i < count; i++) {
    const value = score(i);
    if (!(value > (places.length < most ? -Infinity : scores[most - 1]))) continue;
    let at = Math.min(places.length, most - 1);
    while (at > 0 && scores[at - 1] < value) {
      places[at] = places[at - 1];
      scores[at] = scores[at - 1];
      at--;
    }
    places[at] = i;
    scores[at] = value;
  }
  return places;
}
