import { type NodeName, nodeName } from '../model/describe.ts'
import { firstById } from '../model/first-by-id.ts'
import type { GraphReader } from '../model/graph-reader.ts'
import { COMPLETE, type Completeness, cutBy, DEFAULT_LIMIT } from './answer.ts'
import { ofTypes } from './of-types.ts'
import type { ListOptions } from './unresolved.ts'

export interface OrphansAnswer extends Completeness {
  /** By id. */
  readonly nodes: readonly NodeName[]
  readonly total: number
}

/** Nodes without any edge: nothing needs them, and they need nothing. */
export function orphans(graph: GraphReader, options: ListOptions = {}): OrphansAnswer {
  const { limit = DEFAULT_LIMIT, nodeTypes } = options
  const found: number[] = []
  for (let node = 0; node < graph.nodeSlots; node += 1) {
    if ((graph.in.length[node] ?? 0) > 0 || (graph.out.length[node] ?? 0) > 0) continue
    if (graph.idOf(node) !== '' && ofTypes(graph, node, nodeTypes)) found.push(node)
  }
  const chosen = firstById(graph, found, limit)
  return {
    nodes: chosen.map((node) => nodeName(graph, node)),
    total: found.length,
    ...(found.length > chosen.length ? cutBy('limit') : COMPLETE),
  }
}
