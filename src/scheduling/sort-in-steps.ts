/** Items that are sorted at once: about a millisecond. */
const RUN_LENGTH = 2_048

/**
 * Items in order, one after the other. Sorting a hundred thousand at once would keep everybody waiting: here runs are sorted,
 * and merged as they are read. The sorting of runs is itself spread over the steps of the generator.
 *
 * @param isBefore no two items may be equal
 * @returns a generator that gives `undefined` where it only made a step
 */
export function* sortInSteps<T extends object>(
  items: Iterable<T>,
  isBefore: (left: T, right: T) => boolean,
): Generator<T | undefined> {
  const runs: T[][] = []
  // Sorted so that the first item is at the end, where it can be taken off.
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

/** Takes the first of all runs, again and again: the runs are kept as a heap by their next item. */
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
