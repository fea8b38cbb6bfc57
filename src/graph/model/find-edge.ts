import { EDGE_ORIGINS, parseEdgeId } from '../../records/graph/graph-id.ts'
import type { GraphReader } from './graph-reader.ts'

/** The number of an edge by its id; -1 where there is none. Looks through the shorter of the two lists it is in. */
export function findEdgeById(graph: Omit<GraphReader, 'findEdge'>, id: string): number {
  const identity = parseEdgeId(id)
  if (identity === undefined) return -1
  const [source, target] = [graph.find(identity.source), graph.find(identity.target)]
  const type = graph.edgeTypes.indexOf(identity.type)
  if (source === -1 || target === -1 || type === -1) return -1
  const [from, to] = graph.isReversed(type) ? [target, source] : [source, target]
  const kind = type * 4 + EDGE_ORIGINS.indexOf(identity.origin)
  const byOut = (graph.out.length[from] ?? 0) <= (graph.in.length[to] ?? 0)
  const [side, node, other] = byOut ? [graph.out, from, to] : [graph.in, to, from]
  const first = side.start[node] ?? 0
  for (let at = first; at < first + (side.length[node] ?? 0); at += 1) {
    const edge = side.items[at] as number
    if (side.others[at] === other && graph.edges.kind[edge] === kind) return edge
  }
  return -1
}
