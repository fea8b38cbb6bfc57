/** How many items are sorted at once. That takes about a millisecond. */
const RUN_LENGTH = 2_048

/**
 * Yields items in order. Sorting a hundred thousand items at once would delay everybody. Instead, this function sorts short runs, and
 * merges them while the items are read. Sorting the runs is also spread over the steps of the generator.
 *
 * @param isBefore no two items may be equal
 * @returns a generator that yields `undefined` for a step without an item
 */
export function* sortInSteps<T extends object>(
  items: Iterable<T>,
  isBefore: (left: T, right: T) => boolean,
): Generator<T | undefined> {
  const runs: T[][] = []
  // Sorted with the first item at the end, so that `pop` can take it.
  const descending = (run: T[]) => run.sort((left, right) => (isBefore(left, right) ? 1 : -1))
  let run: T[] = []
  for (const item of items) {
    run.push(item)
    if (run.length < RUN_LENGTH) continue
    runs.push(descending(run))
    run = []
    yield undefined
  }
  if (run.length > 0) runs.push(descending(run))
  yield* merge(runs, isBefore)
}

/** Takes the smallest first item of all runs, again and again. A heap holds the runs, ordered by their next items. */
function* merge<T>(runs: T[][], isBefore: (left: T, right: T) => boolean): Generator<T> {
  const heap = runs.sort((left, right) => (isBefore(nextOf(left), nextOf(right)) ? -1 : 1))
  while (heap.length > 0) {
    const top = heap[0] as T[]
    yield top.pop() as T
    if (top.length === 0) {
      const last = heap.pop() as T[]
      if (heap.length === 0) return
      if (last !== top) heap[0] = last
    }
    sink(heap, isBefore)
  }
}

function sink<T>(heap: T[][], isBefore: (left: T, right: T) => boolean): void {
  for (let at = 0; ; ) {
    let least = at
    for (const child of [2 * at + 1, 2 * at + 2])
      if (child < heap.length && isBefore(nextOf(heap[child] as T[]), nextOf(heap[least] as T[])))
        least = child
    if (least === at) return
    const moved = heap[at] as T[]
    heap[at] = heap[least] as T[]
    heap[least] = moved
    at = least
  }
}

function nextOf<T>(run: readonly T[]): T {
  return run.at(-1) as T
}
