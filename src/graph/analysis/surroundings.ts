import type { Steps } from '../../scheduling/pace.ts'
import type { GraphReader } from '../model/graph-reader.ts'
import { firstInSteps } from '../model/in-order.ts'
import { DEFAULT_LIMIT } from '../questions/answer.ts'
import { ofTypes } from '../questions/of-types.ts'
import { type Direction, followOf, search } from './search.ts'

export interface SurroundingsOptions {
  /** @default 1 */
  readonly depth?: number | undefined
  /** @default both */
  readonly direction?: Direction | undefined
  /** How many nodes, nearest first. @default 1_000 */
  readonly limit?: number | undefined
  readonly edgeTypes?: readonly string[] | undefined
  readonly nodeTypes?: readonly string[] | undefined
}

/**
 * The nearest nodes around one, itself the first; among equally near ones the first by id. Those of one distance are in no
 * particular order. The search is done at once, and choosing in steps.
 */
export function* surroundings(
  graph: GraphReader,
  centre: number,
  { depth = 1, direction = 'both', limit = DEFAULT_LIMIT, edgeTypes, nodeTypes }: SurroundingsOptions,
): Steps<{ readonly nodes: readonly number[]; readonly complete: boolean }> {
  const follow = followOf(graph, direction, edgeTypes)
  const levels = search(graph, { sources: [centre], follow, depth }, (found) =>
    found.levels.slice(1).map((end, at) => Array.from(found.order.subarray(found.levels[at], end))),
  )
  const nodes: number[] = []
  let total = 0
  for (const level of levels) {
    yield
    const wanted = level.filter((node) => node === centre || ofTypes(graph, node, nodeTypes))
    total += wanted.length
    for (const node of yield* firstInSteps(graph, wanted, limit - nodes.length)) nodes.push(node)
  }
  return { nodes, complete: total === nodes.length }
}
