/**
 * Work on many things, some of them at a time: while one is between two operations, the others keep the threads busy. It must
 * not know what is worked on.
 */

/**
 * Does `work` on all items in their order, at any time on as many as there are places, each with a place (memory, say) of its
 * own. The first error is thrown when no work is under way any more.
 */
export async function inTurns<Place, Item>(
  places: readonly Place[],
  items: Iterable<Item>,
  work: (place: Place, item: Item) => Promise<void>,
): Promise<void> {
  const left = [...items];
  const results = await Promise.allSettled(
    places.map(async (place) => {
      while (left.length > 0) await work(place, left.shift()!);
    }),
  );
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}

/** What all of some work comes to. The first error is thrown when none of it is under way any more. */
export async function beside<Work extends readonly unknown[]>(
  ...work: Work
): Promise<{ -readonly [K in keyof Work]: Awaited<Work[K]> }> {
  await Promise.allSettled(work);
  return Promise.all(work);
}
