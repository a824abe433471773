/** How V8 keeps its heap, in each process of the command line. */
import { setFlagsFromString } from 'node:v8';

export function setUpHeap(): void {
  // What arrays hold outside of V8's heap counts as part of it. Left to itself V8 collects the more often the more that is, and
  // marks all objects each time: 274 times in `monosem demo`, 8.6 s of 54. Doubling before it does, it collects 104 times, in 3.2 s
  // of 44, and the run needs no more memory (741 MB; 805). At three times it is 825 MB, and no faster.
  setFlagsFromString('--heap-growing-percent=100');
  // For `collectGarbage`.
  setFlagsFromString('--expose-gc');
}
