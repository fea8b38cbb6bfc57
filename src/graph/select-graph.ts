import { nodeTypeOf } from '../records/graph-id.ts'
import { Describer, type EdgeJson, type NodeJson } from './describe.ts'
import type { ExportedGraph, GraphMetadata } from './export/export-graph.ts'
import { firstById } from './first-by-id.ts'
import type { GraphReader } from './graph-reader.ts'
import { around } from './questions/subgraph.ts'
import { resolveNode } from './resolve-node.ts'
import type { Direction } from './search.ts'

/** Which part of a graph is wanted. Without any of these: all of it. */
export interface GraphFilter {
  /** Only nodes of these types. */
  readonly nodeTypes?: readonly string[] | undefined
  readonly edgeTypes?: readonly string[] | undefined
  /** Only edges of these origins. */
  readonly origins?: readonly string[] | undefined
  /** Only nodes whose label is this text, or holds it where it ends in `*`. */
  readonly name?: string | undefined
  /** Only services that carry all of these tags. */
  readonly tags?: readonly string[] | undefined
  /** Only the surroundings of this node. */
  readonly around?: string | undefined
  /** How far the surroundings go. @default 1 */
  readonly depth?: number | undefined
  /** @default both */
  readonly direction?: Direction | undefined
  /** How many nodes at most. @default all; around a node 1,000 */
  readonly limit?: number | undefined
}

/** When the graph was as it is shown. */
export interface GraphMoment {
  readonly revision: number
  /** Time of the newest change, epoch milliseconds. */
  readonly at: number
}

/**
 * The wanted part of a graph, ready to be written. Nodes and edges are described one by one as they are read, so the graph
 * must not change until then: give a copy where the reader waits.
 *
 * @throws COORD_NODE_NOT_FOUND for `around`
 */
export function selectGraph(
  graph: GraphReader,
  filter: GraphFilter,
  { revision, at }: GraphMoment,
): ExportedGraph {
  const describer = new Describer(graph)
  const { nodes, truncated } = chooseNodes(graph, filter, describer)
  const members = nodes === undefined ? undefined : new Set(nodes)
  const edges = chooseEdges(graph, filter, members)
  const metadata: GraphMetadata = {
    totalServices: graph.serviceCount,
    activeServices: graph.activeServiceCount,
    nodes: nodes?.length ?? graph.nodeCount,
    edges: edges?.length ?? graph.edges.count,
    revision,
    lastUpdated: new Date(at).toISOString(),
    complete: truncated === undefined,
    ...(truncated === undefined ? {} : { truncated }),
  }
  return {
    metadata,
    nodes: describeNodes(graph, describer, nodes),
    edges: describeEdges(graph, describer, edges),
  }
}

/** `undefined`: every node. */
function chooseNodes(
  graph: GraphReader,
  filter: GraphFilter,
  describer: Describer,
): { readonly nodes?: readonly number[]; readonly truncated?: string } {
  const { nodeTypes, name, tags, limit = Number.POSITIVE_INFINITY } = filter
  if (filter.around !== undefined) {
    const centre = resolveNode(graph, filter.around, 'query.around')
    const { nodes, truncated } = around(graph, centre, filter)
    const wanted = nodes.filter(
      (node) => hasName(graph, describer, node, name) && hasTags(describer, node, tags),
    )
    return { nodes: wanted, ...(truncated === undefined ? {} : { truncated }) }
  }
  if (nodeTypes === undefined && name === undefined && tags === undefined && limit >= graph.nodeCount)
    return {}
  const nodes: number[] = []
  for (let node = 0; node < graph.nodeSlots; node += 1) {
    const id = graph.idOf(node)
    if (id === '' || (nodeTypes !== undefined && !nodeTypes.includes(nodeTypeOf(id)))) continue
    if (!hasName(graph, describer, node, name) || !hasTags(describer, node, tags)) continue
    nodes.push(node)
  }
  if (nodes.length <= limit) return { nodes }
  return { nodes: firstById(graph, nodes, limit), truncated: 'limit' }
}

function hasName(graph: GraphReader, describer: Describer, node: number, name: string | undefined): boolean {
  if (name === undefined) return true
  const { label } = describer.name(node)
  return name.endsWith('*')
    ? label.startsWith(name.slice(0, -1))
    : label === name || graph.idOf(node) === name
}

function hasTags(describer: Describer, node: number, tags: readonly string[] | undefined): boolean {
  if (tags === undefined) return true
  const carried = describer.node(node).data['tags']
  return Array.isArray(carried) && tags.every((tag) => carried.includes(tag))
}

/** `undefined`: every edge. */
function chooseEdges(
  graph: GraphReader,
  { edgeTypes, origins }: GraphFilter,
  members: ReadonlySet<number> | undefined,
): readonly number[] | undefined {
  if (edgeTypes === undefined && origins === undefined && members === undefined) return undefined
  const { slots, from, to, refs } = graph.edges
  const edges: number[] = []
  const add = (edge: number) => {
    if (edgeTypes !== undefined && !edgeTypes.includes(graph.typeOf(edge))) return
    if (origins === undefined || origins.includes(graph.originOf(edge))) edges.push(edge)
  }
  if (members === undefined) {
    for (let edge = 0; edge < slots; edge += 1) if (refs[edge] !== 0) add(edge)
    return edges
  }
  for (const node of members) {
    const first = graph.out.start[node] ?? 0
    for (let at = first; at < first + (graph.out.length[node] ?? 0); at += 1) {
      const edge = graph.out.items[at] as number
      if (members.has(from[edge] as number) && members.has(to[edge] as number)) add(edge)
    }
  }
  return edges
}

function* describeNodes(
  graph: GraphReader,
  describer: Describer,
  nodes: readonly number[] | undefined,
): Generator<NodeJson> {
  if (nodes !== undefined) for (const node of nodes) yield describer.node(node)
  else
    for (let node = 0; node < graph.nodeSlots; node += 1)
      if (graph.idOf(node) !== '') yield describer.node(node)
}

function* describeEdges(
  graph: GraphReader,
  describer: Describer,
  edges: readonly number[] | undefined,
): Generator<EdgeJson> {
  if (edges !== undefined) for (const edge of edges) yield describer.edge(edge)
  else
    for (let edge = 0; edge < graph.edges.slots; edge += 1)
      if (graph.edges.refs[edge] !== 0) yield describer.edge(edge)
}
