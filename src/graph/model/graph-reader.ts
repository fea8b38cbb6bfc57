import {
  EDGE_ORIGINS,
  type EdgeIdentity,
  type EdgeOrigin,
  edgeId,
  nodeTypeOf,
  parseEdgeId,
} from '../../records/graph/graph-id.ts'
import type { StoredRecord } from '../../records/record.ts'
import type { EdgeColumns } from './edge-table.ts'
import type { GraphRecords } from './graph-records.ts'

/** Lists of edge numbers, one for each node, with the nodes at their other ends. Valid until the graph changes. */
export interface Adjacency {
  /** The list of node n is `length[n]` items long and begins at `start[n]`. */
  readonly start: Int32Array
  readonly length: Int32Array
  readonly items: Int32Array
  /** For each edge, the node at its other end. Searches read only this. */
  readonly others: Int32Array
  /** The edges of one node. */
  of(node: number): Int32Array
  /** The nodes at the other ends of the edges of one node, in the same order. */
  othersOf(node: number): Int32Array
  size(node: number): number
}

/**
 * A graph for questions: the live one, a copy of it, or one built from records of the past. Nodes and edges have numbers, so that searches
 * use integers. Edges have the direction of need: `from` needs `to`. The type of the edge determines which of the two an answer shows as
 * the source (`edge-types.ts`). A question must not pause in between, because the live graph would change.
 */
export abstract class GraphReader {
  /** Node numbers are lower than this. `idOf` of a free number is empty. */
  abstract readonly nodeBound: number
  abstract readonly nodeCount: number
  abstract readonly edges: EdgeColumns
  /** The edges through which a node needs other nodes. */
  abstract readonly out: Adjacency
  /** The edges through which other nodes need a node. */
  abstract readonly in: Adjacency
  /** Types of edges in the order of their numbers. */
  abstract readonly edgeTypes: readonly string[]
  /** For each type of edges, whether the target needs the source. */
  abstract readonly reversed: readonly boolean[]
  /** Nodes that edges refer to but nothing defines. */
  abstract readonly unresolvedCount: number
  protected abstract readonly records: GraphRecords

  /** The number of a node; -1 if there is none. */
  abstract find(id: string): number
  abstract idOf(node: number): string
  /** Whether something defines the node itself, and not only an edge to it. */
  abstract isResolved(node: number): boolean

  /**
   * The namespaces that have a service with the name of the given one: `default` first, then others in order. Beyond a hundred others, only
   * `default` counts. A copy of a graph knows none.
   *
   * @param _service the id of the node of a service, in any namespace
   */
  namespacesOf(_service: string): readonly string[] {
    return []
  }

  /** The number of registered services. Several of them may have the same name. */
  get serviceCount(): number {
    return this.records.services
  }

  /** Services that delivered their migration file. */
  get activeServiceCount(): number {
    return this.records.activeServices
  }

  *nodes(): Generator<number> {
    for (let node = 0; node < this.nodeBound; node += 1) if (this.idOf(node) !== '') yield node
  }

  /** Whether a node has one of the types. `undefined`: every type. */
  isOfType(node: number, types: readonly string[] | undefined): boolean {
    return types === undefined || types.includes(nodeTypeOf(this.idOf(node)))
  }

  typeOf(edge: number): string {
    return this.edgeTypes[(this.edges.kind[edge] as number) >> 2] as string
  }

  originOf(edge: number): EdgeOrigin {
    return EDGE_ORIGINS[(this.edges.kind[edge] as number) & 3] as EdgeOrigin
  }

  /** Whether the target of an edge needs the source. */
  isReversed(edge: number): boolean {
    return this.reversed[(this.edges.kind[edge] as number) >> 2] as boolean
  }

  /** Whether an edge defines the node that needs the other: a service declares, for example, that it exposes an API. */
  isDefining(edge: number): boolean {
    return this.isReversed(edge) && this.originOf(edge) === 'declared'
  }

  /** The node that an answer shows as the source. */
  sourceOf(edge: number): number {
    const { from, to } = this.edges
    return (this.isReversed(edge) ? to[edge] : from[edge]) as number
  }

  targetOf(edge: number): number {
    const { from, to } = this.edges
    return (this.isReversed(edge) ? from[edge] : to[edge]) as number
  }

  identityOf(edge: number): EdgeIdentity {
    return {
      source: this.idOf(this.sourceOf(edge)),
      type: this.typeOf(edge),
      target: this.idOf(this.targetOf(edge)),
      origin: this.originOf(edge),
    }
  }

  edgeIdOf(edge: number): string {
    return edgeId(this.identityOf(edge))
  }

  /** The number of an edge by its id; -1 if there is none. */
  findEdgeById(id: string): number {
    const identity = parseEdgeId(id)
    return identity === undefined ? -1 : this.findEdge(identity)
  }

  /** The number of an edge; -1 if there is none. */
  findEdge({ source, type, target, origin }: EdgeIdentity): number {
    const [sourceNode, targetNode] = [this.find(source), this.find(target)]
    const typeNumber = this.edgeTypes.indexOf(type)
    if (sourceNode === -1 || targetNode === -1 || typeNumber === -1) return -1
    const kind = typeNumber * 4 + EDGE_ORIGINS.indexOf(origin)
    return this.reversed[typeNumber]
      ? this.findBetween(targetNode, sourceNode, kind)
      : this.findBetween(sourceNode, targetNode, kind)
  }

  /** The number of an edge by its columns; -1 if there is none. It searches the shorter of the two lists that contain the edge. */
  protected findBetween(from: number, to: number, kind: number): number {
    const byOut = this.out.size(from) <= this.in.size(to)
    const { start, length, items, others } = byOut ? this.out : this.in
    const [node, other] = byOut ? [from, to] : [to, from]
    const first = start[node] as number
    const kinds = this.edges.kind
    for (let at = first; at < first + (length[node] ?? 0); at += 1)
      if (others[at] === other && kinds[items[at] as number] === kind) return items[at] as number
    return -1
  }

  /** The services with the name of a node, in no particular order, like all lists of records. */
  servicesOf(node: number): readonly StoredRecord[] {
    return this.records.servicesOf(node)
  }

  /** The records that assert a node. */
  assertionsOf(node: number): readonly StoredRecord[] {
    return this.records.assertionsOf(node)
  }

  /** The records that assert an edge. */
  edgeAssertionsOf(edge: number): readonly StoredRecord[] {
    return this.records.edgeAssertionsOf(edge)
  }
}
