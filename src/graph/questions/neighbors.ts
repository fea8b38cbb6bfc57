import { nodeTypeOf } from '../../records/graph-id.ts'
import { Describer, type EdgeJson, type NodeName } from '../describe.ts'
import type { GraphReader } from '../graph-reader.ts'
import { type Direction, followOf } from '../search.ts'
import { smallest } from '../smallest.ts'
import { COMPLETE, type Completeness, cutBy, DEFAULT_LIMIT } from './answer.ts'

export interface NeighborsOptions {
  /** @default both */
  readonly direction?: Direction | undefined
  /** How many edges to list. @default 1_000 */
  readonly limit?: number | undefined
  readonly edgeTypes?: readonly string[] | undefined
  readonly nodeTypes?: readonly string[] | undefined
}

export interface NeighborsAnswer extends Completeness {
  readonly of: string
  /** The nodes at the other ends of `edges`, by id. */
  readonly nodes: readonly NodeName[]
  /** By neighbour, then by id. */
  readonly edges: readonly EdgeJson[]
  /** How many edges there are, listed or not. */
  readonly total: number
}

/** The nodes next to a node, and every edge to them. A self edge is among them. */
export function neighbors(graph: GraphReader, node: number, options: NeighborsOptions = {}): NeighborsAnswer {
  const { limit = DEFAULT_LIMIT } = options
  const found = edgesAt(graph, node, options)
  const chosen = smallest(found, limit, (left, right) => (left.order < right.order ? -1 : 1))
  const describer = new Describer(graph)
  return {
    of: graph.idOf(node),
    nodes: [...new Set(chosen.map(({ other }) => other))].map((other) => describer.name(other)),
    edges: chosen.map(({ edge }) => describer.edge(edge)),
    total: found.length,
    ...(found.length > chosen.length ? cutBy('limit') : COMPLETE),
  }
}

interface EdgeAt {
  readonly edge: number
  readonly other: number
  /** Decides the order: no two edges have the same. */
  readonly order: string
}

function edgesAt(graph: GraphReader, node: number, options: NeighborsOptions): readonly EdgeAt[] {
  const { direction = 'both', edgeTypes, nodeTypes } = options
  const follow = followOf(graph, direction, edgeTypes)
  const found: EdgeAt[] = []
  for (const side of ['out', 'in'] as const) {
    const types = follow[side]
    if (types === undefined) continue
    const far = side === 'out' ? graph.edges.to : graph.edges.from
    const { start, length, items } = graph[side]
    const first = start[node] ?? 0
    for (let at = first; at < first + (length[node] ?? 0); at += 1) {
      const edge = items[at] as number
      const other = far[edge] as number
      if (!types[(graph.edges.kind[edge] as number) >> 2]) continue
      // A self edge is in both lists.
      if (other === node && side === 'in' && follow.out?.[(graph.edges.kind[edge] as number) >> 2]) continue
      const id = graph.idOf(other)
      if (nodeTypes !== undefined && !nodeTypes.includes(nodeTypeOf(id))) continue
      const arrow = graph.sourceOf(edge) === node ? '>' : '<'
      found.push({ edge, other, order: `${id} ${arrow} ${graph.typeOf(edge)} ${graph.originOf(edge)}` })
    }
  }
  return found
}
