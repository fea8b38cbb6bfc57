import type { Steps } from '../live/pace.ts'
import { firstById } from './first-by-id.ts'
import type { GraphReader } from './graph-reader.ts'

/** Items that are sorted at once: about a millisecond. */
const RUN_LENGTH = 2_048
/** So few are chosen faster than everything is sorted. */
const FEW = 1_000

interface Named {
  readonly id: string
  readonly item: number
}

/**
 * Numbers in the order of what `idOf` gives for them, one after the other. Sorting a hundred thousand at once would keep
 * everybody waiting: here runs are sorted, and merged as they are read. The sorting of runs is itself spread over the
 * steps of the generator.
 *
 * @returns a generator that gives `undefined` where it only made a step
 */
export function* inOrder(
  items: Iterable<number>,
  idOf: (item: number) => string,
): Generator<number | undefined> {
  const runs: Named[][] = []
  let run: Named[] = []
  for (const item of items) {
    run.push({ id: idOf(item), item })
    if (run.length < RUN_LENGTH) continue
    runs.push(descending(run))
    run = []
    yield undefined
  }
  if (run.length > 0) runs.push(descending(run))
  yield* merge(runs)
}

/** The first nodes by id; all of them, in no particular order, where there are not more. */
export function* firstInSteps(
  graph: GraphReader,
  nodes: readonly number[],
  count: number,
): Steps<readonly number[]> {
  if (nodes.length <= count) return nodes
  if (count <= FEW) return firstById(graph, nodes, count)
  const chosen: number[] = []
  for (const node of inOrder(nodes, (member) => graph.idOf(member))) {
    if (node !== undefined) chosen.push(node)
    if (chosen.length === count) break
    yield
  }
  return chosen
}

/** Sorted so that the first id is at the end, where it can be taken off. */
function descending(run: Named[]): Named[] {
  return run.sort((left, right) => (left.id < right.id ? 1 : -1))
}

/** Takes the first of all runs, again and again: the runs are kept as a heap by their next id. */
function* merge(runs: Named[][]): Generator<number> {
  const heap = runs.sort((left, right) => (nextOf(left) < nextOf(right) ? -1 : 1))
  while (heap.length > 0) {
    const top = heap[0] as Named[]
    yield (top.pop() as Named).item
    if (top.length === 0) {
      const last = heap.pop() as Named[]
      if (heap.length === 0) return
      if (last !== top) heap[0] = last
    }
    sink(heap)
  }
}

function sink(heap: Named[][]): void {
  let at = 0
  for (;;) {
    const [left, right] = [2 * at + 1, 2 * at + 2]
    let least = at
    if (isBefore(heap, left, least)) least = left
    if (isBefore(heap, right, least)) least = right
    if (least === at) return
    const moved = heap[at] as Named[]
    heap[at] = heap[least] as Named[]
    heap[least] = moved
    at = least
  }
}

function isBefore(heap: Named[][], one: number, other: number): boolean {
  return one < heap.length && nextOf(heap[one] as Named[]) < nextOf(heap[other] as Named[])
}

function nextOf(run: Named[]): string {
  return (run.at(-1) as Named).id
}
