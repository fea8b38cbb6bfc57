import { smallest } from '../../collections/smallest.ts'
import type { Steps } from '../../scheduling/pace.ts'
import { sortInSteps } from '../../scheduling/sort-in-steps.ts'
import type { GraphReader } from './graph-reader.ts'

/** Choosing this few items is faster than sorting all of them. */
const FEW = 1_000

interface Named {
  readonly id: string
  readonly item: number
}

/**
 * Yields numbers sorted by what `idOf` returns for them, without blocking others.
 *
 * @returns a generator that yields `undefined` for a step without a number
 */
export function* inOrder(
  items: Iterable<number>,
  idOf: (item: number) => string,
): Generator<number | undefined> {
  for (const named of sortInSteps(withIds(items, idOf), comesFirst)) yield named?.item
}

function* withIds(items: Iterable<number>, idOf: (item: number) => string): Generator<Named> {
  for (const item of items) yield { id: idOf(item), item }
}

function comesFirst(left: Named, right: Named): boolean {
  return left.id < right.id
}

/**
 * The first nodes by id, without sorting all of them. Answers that cannot list everything use this order, so that every coordinator chooses
 * the same nodes.
 */
export function firstById(graph: GraphReader, nodes: Iterable<number>, count: number): number[] {
  return smallest(nodes, count, (left, right) => (graph.idOf(left) < graph.idOf(right) ? -1 : 1))
}

/** The first nodes by id. If there are no more than that, all of them in no particular order. */
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
