import { EDGE_ORIGINS } from '../../records/graph/graph-id.ts'
import type { Steps } from '../../scheduling/pace.ts'
import { Describer, type EdgeJson, type NodeJson } from '../derive/describe.ts'
import type { GraphReader } from '../model/graph-reader.ts'
import { inOrder } from '../model/in-order.ts'
import { sortTypes } from '../model/sort-types.ts'
import { type NodeFilter, selectNodes } from './select-nodes.ts'

/** The wanted part of a graph. Without any filter, all of it. */
export interface GraphFilter extends NodeFilter {
  /** Only edges of these origins. */
  readonly origins?: readonly string[] | undefined
}

/** The moment that an answer shows. */
export interface GraphMoment {
  readonly revision: number
  /** Time of the newest change, epoch milliseconds. */
  readonly at: number
}

/** The metadata of a selected graph. */
export interface GraphMetadata {
  readonly totalServices: number
  readonly activeServices: number
  readonly nodes: number
  readonly edges: number
  readonly revision: number
  /** Time of the newest change, ISO 8601, UTC. */
  readonly lastUpdated: string
  /** Whether nothing that was asked for is missing. */
  readonly complete: boolean
  readonly truncated?: string
}

export interface SelectedGraph {
  readonly metadata: GraphMetadata
  /** `undefined`, here and among the edges, means that some work was done but nothing is ready yet. */
  readonly nodes: Iterable<NodeJson | undefined>
  readonly edges: Iterable<EdgeJson | undefined>
}

/**
 * The wanted part of a graph, ready to be written: nodes by id, edges by source, type, target and origin. Each is described when it is
 * read. The graph must not change until then: pass a copy if the reader waits, or if the steps do not all run at once.
 *
 * @throws COORD_NODE_NOT_FOUND for `around`
 */
export function* selectGraph(
  graph: GraphReader,
  wantedPart: GraphFilter,
  { revision, at }: GraphMoment,
): Steps<SelectedGraph> {
  const filter = sortTypes(graph, wantedPart)
  const describer = new Describer(graph)
  const wanted = new EdgeFilter(graph, filter)
  const {
    nodes,
    farEnds = [],
    truncated,
  } = yield* selectNodes({ graph, describer, isWantedEdge: (edge) => wanted.isOfKind(edge) }, filter)
  if (nodes !== undefined) wanted.onlyBetween(nodes, farEnds)
  const listed = nodes === undefined ? graph.nodes() : [...nodes, ...farEnds]
  const metadata: GraphMetadata = {
    totalServices: graph.serviceCount,
    activeServices: graph.activeServiceCount,
    nodes: nodes === undefined ? graph.nodeCount : nodes.length + farEnds.length,
    edges: yield* wanted.count(),
    revision,
    lastUpdated: new Date(at).toISOString(),
    complete: truncated === undefined,
    ...(truncated === undefined ? {} : { truncated }),
  }
  const inIdOrder = inOrder(listed, (node) => graph.idOf(node))
  const ordered: number[] = []
  const describeNodes = function* () {
    for (const node of inIdOrder) {
      if (node !== undefined) ordered.push(node)
      yield node === undefined ? undefined : describer.node(node)
    }
  }
  const describeEdges = function* () {
    for (const node of ordered) {
      yield
      for (const edge of wanted.inOrderFrom(node)) yield edge === undefined ? undefined : describer.edge(edge)
    }
  }
  return { metadata, nodes: describeNodes(), edges: describeEdges() }
}

/** How many edges are counted between two steps. That takes less than a millisecond. */
const COUNTED_AT_ONCE = 16_384

const [WANTED, FAR_END] = [1, 2]

/** Selects edges: those between wanted nodes, of the wanted types and origins. */
class EdgeFilter {
  readonly #graph: GraphReader
  /** Whether a node is wanted or a far end, by its number. `undefined`: every node is wanted. */
  #members: Uint8Array | undefined
  /** Whether a kind is wanted, by its number. `undefined`: every kind is wanted. */
  readonly #kinds: readonly boolean[] | undefined

  constructor(graph: GraphReader, { edgeTypes, origins }: GraphFilter) {
    this.#graph = graph
    if (edgeTypes !== undefined || origins !== undefined)
      this.#kinds = graph.edgeTypes.flatMap((type) =>
        [...EDGE_ORIGINS, ''].map(
          (origin) => (edgeTypes?.includes(type) ?? true) && (origins?.includes(origin) ?? true),
        ),
      )
  }

  /** From now on, edges are wanted only between these nodes, and between them and the far ends. */
  onlyBetween(nodes: readonly number[], farEnds: readonly number[]): void {
    this.#members = new Uint8Array(this.#graph.nodeBound)
    for (const node of nodes) this.#members[node] = WANTED
    for (const node of farEnds) this.#members[node] = FAR_END
  }

  isOfKind(edge: number): boolean {
    return this.#kinds === undefined || (this.#kinds[this.#graph.edges.kind[edge] as number] as boolean)
  }

  *count(): Steps<number> {
    const { bound, refs, count } = this.#graph.edges
    if (this.#kinds === undefined && this.#members === undefined) return count
    let found = 0
    for (let edge = 0; edge < bound; edge += 1) {
      if (refs[edge] !== 0 && this.#has(edge)) found += 1
      if (edge % COUNTED_AT_ONCE === 0) yield
    }
    return found
  }

  /** The wanted edges that are shown with a node as their source, by type, target and origin. */
  inOrderFrom(node: number): Generator<number | undefined> {
    const graph = this.#graph
    return inOrder(
      this.#from(node),
      (edge) => `${graph.typeOf(edge)},${graph.idOf(graph.targetOf(edge))},${graph.originOf(edge)}`,
    )
  }

  *#from(node: number): Generator<number> {
    const graph = this.#graph
    for (const edge of graph.out.of(node)) if (!graph.isReversed(edge) && this.#has(edge)) yield edge
    for (const edge of graph.in.of(node)) if (graph.isReversed(edge) && this.#has(edge)) yield edge
  }

  #has(edge: number): boolean {
    if (!this.isOfKind(edge)) return false
    if (this.#members === undefined) return true
    const { from, to } = this.#graph.edges
    const [one, other] = [this.#members[from[edge] as number], this.#members[to[edge] as number]]
    return one !== 0 && other !== 0 && (one === WANTED || other === WANTED)
  }
}
