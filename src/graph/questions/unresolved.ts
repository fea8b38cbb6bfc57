import { type NodeName, nodeName } from '../model/describe.ts'
import { firstById } from '../model/first-by-id.ts'
import type { GraphReader } from '../model/graph-reader.ts'
import { smallest } from '../model/smallest.ts'
import { COMPLETE, type Completeness, cutBy, DEFAULT_LIMIT } from './answer.ts'
import { ofTypes } from './of-types.ts'

export interface ListOptions {
  /** How many nodes to list. @default 1_000 */
  readonly limit?: number | undefined
  /** Only nodes of these types. @default all */
  readonly nodeTypes?: readonly string[] | undefined
}

export interface UnresolvedNode extends NodeName {
  /** Ids of nodes that speak of it, the first ten by id. */
  readonly referencedBy: readonly string[]
  /** How many edges speak of it. */
  readonly references: number
}

export interface UnresolvedAnswer extends Completeness {
  /** By id. */
  readonly nodes: readonly UnresolvedNode[]
  readonly total: number
}

/**
 * Nodes that others speak of and nothing states: services that are not registered, events that nobody publishes, ends of
 * asserted edges that are not there.
 */
export function unresolved(graph: GraphReader, options: ListOptions = {}): UnresolvedAnswer {
  const { limit = DEFAULT_LIMIT, nodeTypes } = options
  const found: number[] = []
  if (graph.unresolvedCount > 0)
    for (let node = 0; node < graph.nodeSlots; node += 1)
      if (graph.idOf(node) !== '' && !graph.isResolved(node) && ofTypes(graph, node, nodeTypes))
        found.push(node)
  const chosen = firstById(graph, found, limit)
  return {
    nodes: chosen.map((node) => ({ ...nodeName(graph, node), ...referencesTo(graph, node) })),
    total: found.length,
    ...(found.length > chosen.length ? cutBy('limit') : COMPLETE),
  }
}

function referencesTo(
  graph: GraphReader,
  node: number,
): { referencedBy: readonly string[]; references: number } {
  const { in: into, out, edges } = graph
  const ids = new Set<string>()
  for (const { side, far } of [
    { side: into, far: edges.from },
    { side: out, far: edges.to },
  ]) {
    const first = side.start[node] ?? 0
    for (let at = first; at < first + (side.length[node] ?? 0); at += 1)
      ids.add(graph.idOf(far[side.items[at] as number] as number))
  }
  return {
    referencedBy: smallest([...ids], 10, (left, right) => (left < right ? -1 : 1)),
    references: (into.length[node] ?? 0) + (out.length[node] ?? 0),
  }
}
