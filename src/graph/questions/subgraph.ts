import { Describer, type EdgeJson, type NodeJson } from '../describe.ts'
import { firstById } from '../first-by-id.ts'
import type { GraphReader } from '../graph-reader.ts'
import { type Direction, followOf, search } from '../search.ts'
import { COMPLETE, type Completeness, cutBy, DEFAULT_LIMIT } from './answer.ts'
import { ofTypes } from './of-types.ts'

export interface SubgraphOptions {
  /** @default 1 */
  readonly depth?: number | undefined
  /** @default both */
  readonly direction?: Direction | undefined
  /** How many nodes, nearest first. @default 1_000 */
  readonly limit?: number | undefined
  readonly edgeTypes?: readonly string[] | undefined
  readonly nodeTypes?: readonly string[] | undefined
}

export interface Selection extends Completeness {
  /** By distance, then by id; the centre is the first. */
  readonly nodes: readonly number[]
  /** Every edge between them, by the places of both ends in `nodes`, then by type and origin. */
  readonly edges: readonly number[]
}

export interface SubgraphAnswer extends Completeness {
  readonly nodes: readonly NodeJson[]
  readonly edges: readonly EdgeJson[]
}

/** The surroundings of a node, and every edge between the nodes in them, whether the search went along it or not. */
export function subgraph(graph: GraphReader, node: number, options: SubgraphOptions = {}): SubgraphAnswer {
  const { nodes, edges, ...completeness } = around(graph, node, options)
  const describer = new Describer(graph)
  return {
    nodes: nodes.map((member) => describer.node(member)),
    edges: edges.map((edge) => describer.edge(edge)),
    ...completeness,
  }
}

/** The numbers behind `subgraph`. */
export function around(graph: GraphReader, node: number, options: SubgraphOptions = {}): Selection {
  const { depth = 1, direction = 'both', limit = DEFAULT_LIMIT, edgeTypes, nodeTypes } = options
  const follow = followOf(graph, direction, edgeTypes)
  return search(graph, { sources: [node], follow, depth }, ({ order, levels }) => {
    const nodes: number[] = []
    let total = 0
    for (let distance = 0; distance < levels.length - 1; distance += 1) {
      const level = order
        .subarray(levels[distance], levels[distance + 1])
        .filter((member) => member === node || ofTypes(graph, member, nodeTypes))
      total += level.length
      nodes.push(...firstById(graph, level, limit - nodes.length))
    }
    const edges = edgesWithin(graph, nodes, edgeTypes)
    return { nodes, edges, ...(total > nodes.length ? cutBy('limit') : COMPLETE) }
  })
}

function edgesWithin(
  graph: GraphReader,
  nodes: readonly number[],
  edgeTypes: readonly string[] | undefined,
): readonly number[] {
  const places = new Map(nodes.map((node, place) => [node, place]))
  const found: {
    readonly edge: number
    readonly from: number
    readonly to: number
    readonly name: string
  }[] = []
  for (const [node, from] of places) {
    const first = graph.out.start[node] ?? 0
    for (let at = first; at < first + (graph.out.length[node] ?? 0); at += 1) {
      const edge = graph.out.items[at] as number
      const to = places.get(graph.edges.to[edge] as number)
      const type = graph.typeOf(edge)
      if (to === undefined || (edgeTypes !== undefined && !edgeTypes.includes(type))) continue
      found.push({ edge, from, to, name: `${type} ${graph.originOf(edge)}` })
    }
  }
  return found
    .sort((left, right) => left.from - right.from || left.to - right.to || (left.name < right.name ? -1 : 1))
    .map(({ edge }) => edge)
}
