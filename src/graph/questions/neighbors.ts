import type { Steps } from '../../scheduling/pace.ts'
import { followOf } from '../analysis/search.ts'
import { Describer, type EdgeJson } from '../derive/describe.ts'
import type { GraphReader } from '../model/graph-reader.ts'
import { firstInSteps } from '../model/in-order.ts'
import { type NodeName, nodeName } from '../model/node-name.ts'
import { COMPLETE, type Completeness, cutBy, DEFAULT_LIMIT, type QuestionOptions } from './answer.ts'

/** @default `limit` 1_000 */
export type NeighborsOptions = Pick<QuestionOptions, 'limit' | 'direction' | 'edgeTypes' | 'nodeTypes'>

export interface NeighborsAnswer extends Completeness {
  readonly of: string
  /** The nodes at the other ends of `edges`, sorted by id. */
  readonly nodes: readonly NodeName[]
  /** Sorted by neighbor, then by id. */
  readonly edges: readonly EdgeJson[]
  /** How many edges there are, listed or not. */
  readonly total: number
}

/** The adjacent nodes of a node, and every edge to them, including edges from the node to itself. Describes them edge by edge. */
export function* neighbors(
  graph: GraphReader,
  node: number,
  options: NeighborsOptions = {},
): Steps<NeighborsAnswer> {
  const { limit = DEFAULT_LIMIT } = options
  const found = edgesAt(graph, node, options)
  const chosen = yield* firstEdges(graph, found, limit)
  const describer = new Describer(graph)
  const edges: EdgeJson[] = []
  for (const { edge } of chosen) {
    yield
    edges.push(describer.edge(edge))
  }
  return {
    of: graph.idOf(node),
    nodes: [...new Set(chosen.map(({ other }) => other))].map((other) => nodeName(graph, other)),
    edges,
    total: found.length,
    ...(found.length > chosen.length ? cutBy('limit') : COMPLETE),
  }
}

interface EdgeAt {
  readonly edge: number
  readonly other: number
}

/** Sorted by neighbor, then by edge. Of a node with very many edges, only the first neighbors are examined further. */
function* firstEdges(graph: GraphReader, found: readonly EdgeAt[], limit: number): Steps<readonly EdgeAt[]> {
  const others = [...new Set(found.map(({ other }) => other))]
  yield
  const first = new Set(yield* firstInSteps(graph, others, limit))
  const orderOf = ({ edge, other }: EdgeAt) => {
    const outward = graph.targetOf(edge) === other
    return `${graph.idOf(other)} ${outward ? '>' : '<'} ${graph.typeOf(edge)} ${graph.originOf(edge)}`
  }
  return found
    .filter(({ other }) => first.has(other))
    .map((at) => ({ at, order: orderOf(at) }))
    .sort((left, right) => (left.order < right.order ? -1 : 1))
    .slice(0, limit)
    .map(({ at }) => at)
}

function edgesAt(graph: GraphReader, node: number, options: NeighborsOptions): readonly EdgeAt[] {
  const { direction = 'both', edgeTypes, nodeTypes } = options
  const follow = followOf(graph, direction, edgeTypes)
  const found: EdgeAt[] = []
  for (const side of ['out', 'in'] as const) {
    const types = follow[side]
    if (types === undefined) continue
    const others = graph[side].othersOf(node)
    for (const [at, edge] of graph[side].of(node).entries()) {
      const other = others[at] as number
      const type = (graph.edges.kind[edge] as number) >> 2
      // An edge from a node to itself is in both lists.
      const isSecond = other === node && side === 'in' && follow.out?.[type]
      if (types[type] && !isSecond && graph.isOfType(other, nodeTypes)) found.push({ edge, other })
    }
  }
  return found
}
