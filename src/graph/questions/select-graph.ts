import { EDGE_ORIGINS } from '../../records/graph/graph-id.ts'
import type { Steps } from '../../scheduling/pace.ts'
import type { Direction } from '../analysis/search.ts'
import { surroundings } from '../analysis/surroundings.ts'
import type { ExportedGraph, GraphMetadata } from '../export/export-graph.ts'
import { Describer, type EdgeJson, type NodeJson, nodeName } from '../model/describe.ts'
import type { GraphReader } from '../model/graph-reader.ts'
import { firstInSteps, inOrder } from '../model/in-order.ts'
import { resolveNode } from '../model/resolve-node.ts'
import { sortTypes, type TypeFilter } from '../model/sort-types.ts'
import { ofTypes } from './of-types.ts'

/** Which part of a graph is wanted. Without any of these: all of it. */
export interface GraphFilter extends TypeFilter {
  /** Only edges of these origins. */
  readonly origins?: readonly string[] | undefined
  /** Only nodes whose label or id is this text; where it ends in `*`, whose label begins with what is before that. */
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
 * The wanted part of a graph, ready to be written: nodes by id, edges by source, type, target and origin. They are
 * described one by one as they are read, so the graph must not change until then: give a copy where the reader waits, and
 * where the steps of this are not all done at once.
 *
 * @throws COORD_NODE_NOT_FOUND for `around`
 */
export function* selectGraph(
  graph: GraphReader,
  wantedPart: GraphFilter,
  { revision, at }: GraphMoment,
): Steps<ExportedGraph> {
  const filter = sortTypes(graph, wantedPart)
  const describer = new Describer(graph)
  const { nodes, truncated } = yield* chooseNodes(graph, filter, describer)
  const wanted = new EdgeFilter(graph, filter, nodes)
  const metadata: GraphMetadata = {
    totalServices: graph.serviceCount,
    activeServices: graph.activeServiceCount,
    nodes: nodes?.length ?? graph.nodeCount,
    edges: yield* wanted.count(),
    revision,
    lastUpdated: new Date(at).toISOString(),
    complete: truncated === undefined,
    ...(truncated === undefined ? {} : { truncated }),
  }
  const ordered: number[] = []
  const inIdOrder = inOrder(nodes ?? allNodes(graph), (node) => graph.idOf(node))
  return {
    metadata,
    nodes: describeNodes(inIdOrder, { describer, ordered }),
    edges: describeEdges(graph, { describer, ordered, wanted }),
  }
}

interface Choice {
  /** `undefined`: every node. */
  readonly nodes?: readonly number[]
  readonly truncated?: string
}

function* chooseNodes(graph: GraphReader, filter: GraphFilter, describer: Describer): Steps<Choice> {
  const { nodeTypes, name, tags, limit = Number.POSITIVE_INFINITY } = filter
  const isWanted = (node: number) => hasName(graph, node, name) && hasTags(describer, node, tags)
  if (filter.around !== undefined) {
    const found = yield* surroundings(graph, resolveNode(graph, filter.around, 'around'), filter)
    const nodes = yield* filterInSteps(found.nodes, isWanted)
    return { nodes, ...(found.complete ? {} : { truncated: 'limit' }) }
  }
  if (nodeTypes === undefined && name === undefined && tags === undefined && limit >= graph.nodeCount)
    return {}
  const nodes = yield* filterInSteps(
    allNodes(graph),
    (node) => ofTypes(graph, node, nodeTypes) && isWanted(node),
  )
  if (nodes.length <= limit) return { nodes }
  return { nodes: yield* firstInSteps(graph, nodes, limit), truncated: 'limit' }
}

function* filterInSteps(
  nodes: Iterable<number>,
  isWanted: (node: number) => boolean,
): Steps<readonly number[]> {
  const wanted: number[] = []
  for (const node of nodes) {
    if (isWanted(node)) wanted.push(node)
    yield
  }
  return wanted
}

function hasName(graph: GraphReader, node: number, name: string | undefined): boolean {
  if (name === undefined) return true
  const { label, id } = nodeName(graph, node)
  return name.endsWith('*') ? label.startsWith(name.slice(0, -1)) : label === name || id === name
}

function hasTags(describer: Describer, node: number, tags: readonly string[] | undefined): boolean {
  if (tags === undefined) return true
  const carried = describer.tagsOf(node)
  return tags.every((tag) => carried.has(tag))
}

function* allNodes(graph: GraphReader): Generator<number> {
  for (let node = 0; node < graph.nodeSlots; node += 1) if (graph.idOf(node) !== '') yield node
}

/** Edges that are counted between two steps: less than a millisecond. */
const COUNTED_AT_ONCE = 16_384

/** Which edges are wanted: those between wanted nodes, of the wanted types and origins. */
class EdgeFilter {
  readonly #graph: GraphReader
  /** By the number of the node; `undefined`: every node is wanted. */
  readonly #members: Uint8Array | undefined
  /** By the number of the kind; `undefined`: every kind is wanted. */
  readonly #kinds: readonly boolean[] | undefined

  constructor(graph: GraphReader, { edgeTypes, origins }: GraphFilter, nodes: readonly number[] | undefined) {
    this.#graph = graph
    if (nodes !== undefined) {
      this.#members = new Uint8Array(graph.nodeSlots)
      for (const node of nodes) this.#members[node] = 1
    }
    if (edgeTypes !== undefined || origins !== undefined)
      this.#kinds = graph.edgeTypes.flatMap((type) =>
        [...EDGE_ORIGINS, ''].map(
          (origin) => (edgeTypes?.includes(type) ?? true) && (origins?.includes(origin) ?? true),
        ),
      )
  }

  has(edge: number): boolean {
    const { from, to, kind } = this.#graph.edges
    if (this.#kinds !== undefined && !this.#kinds[kind[edge] as number]) return false
    const members = this.#members
    return members === undefined || (members[from[edge] as number] === 1 && members[to[edge] as number] === 1)
  }

  *count(): Steps<number> {
    const { slots, refs, count } = this.#graph.edges
    if (this.#kinds === undefined && this.#members === undefined) return count
    let found = 0
    for (let edge = 0; edge < slots; edge += 1) {
      if (refs[edge] !== 0 && this.has(edge)) found += 1
      if (edge % COUNTED_AT_ONCE === 0) yield
    }
    return found
  }
}

/** `undefined` where sorting made a step. @param ordered gets the nodes, for the edges that follow */
function* describeNodes(
  nodes: Iterable<number | undefined>,
  { describer, ordered }: { readonly describer: Describer; readonly ordered: number[] },
): Generator<NodeJson | undefined> {
  for (const node of nodes) {
    if (node !== undefined) ordered.push(node)
    yield node === undefined ? undefined : describer.node(node)
  }
}

function* describeEdges(
  graph: GraphReader,
  {
    describer,
    ordered,
    wanted,
  }: { readonly describer: Describer; readonly ordered: readonly number[]; readonly wanted: EdgeFilter },
): Generator<EdgeJson | undefined> {
  const nameOf = (edge: number) =>
    `${graph.typeOf(edge)},${graph.idOf(graph.targetOf(edge))},${graph.originOf(edge)}`
  for (const node of ordered) {
    yield
    for (const edge of inOrder(edgesShownFrom(graph, node, wanted), nameOf))
      yield edge === undefined ? undefined : describer.edge(edge)
  }
}

/** The wanted edges that are shown with a node as their source. */
function* edgesShownFrom(graph: GraphReader, node: number, wanted: EdgeFilter): Generator<number> {
  for (const side of [graph.out, graph.in]) {
    const first = side.start[node] ?? 0
    for (let at = first; at < first + (side.length[node] ?? 0); at += 1) {
      const edge = side.items[at] as number
      const reversed = graph.isReversed((graph.edges.kind[edge] as number) >> 2)
      if (reversed === (side === graph.in) && wanted.has(edge)) yield edge
    }
  }
}
