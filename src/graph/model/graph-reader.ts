import type { EdgeOrigin } from '../../records/graph/graph-id.ts'
import type { StoredRecord } from '../../records/record.ts'
import type { EdgeColumns } from './edge-table.ts'

/** Lists of edge numbers, one for each node, in one array, with the nodes at their other ends. Valid until the graph changes. */
export interface Adjacency {
  readonly start: Int32Array
  readonly length: Int32Array
  readonly items: Int32Array
  /** Beside each edge the node at its other end: searches read nothing else. */
  readonly others: Int32Array
}

/**
 * A graph to ask questions of: the live one, a copy of it, or one built from records of the past. Nodes and edges have
 * numbers, so that searches run on integers. Edges are kept by need: `from` needs `to`; which of both an answer shows as
 * the source is said by the edge's type (`edge-types.ts`). A question must not wait in between: the live graph would change.
 */
export interface GraphReader {
  /** Node numbers are below this; `idOf` of a free number is empty. */
  readonly nodeSlots: number
  readonly nodeCount: number
  readonly edges: EdgeColumns
  /** Edges in which the node needs another. */
  readonly out: Adjacency
  /** Edges in which another needs the node. */
  readonly in: Adjacency
  /** Types of edges in the order of their numbers. */
  readonly edgeTypes: readonly string[]
  /** Whether the target of such an edge needs the source. `type`: its number. */
  isReversed(type: number): boolean
  /** Registered services (records, not names). */
  readonly serviceCount: number
  /** Services that delivered their migration file. */
  readonly activeServiceCount: number
  /** Nodes that are only spoken of. */
  readonly unresolvedCount: number
  /**
   * Changes with every node and edge that comes or goes, and with every node that begins or ceases to be stated. While it
   * is the same, every search finds the same.
   */
  readonly shape: number

  /** The number of a node; -1 where there is none. */
  find(id: string): number
  /** The number of an edge by its id; -1 where there is none. */
  findEdge(id: string): number
  idOf(node: number): string
  /** Whether anything states the node itself, and not only an edge that needs it. */
  isResolved(node: number): boolean
  typeOf(edge: number): string
  originOf(edge: number): EdgeOrigin
  /** The node that an answer shows as the source. */
  sourceOf(edge: number): number
  targetOf(edge: number): number
  /** The services of a name, by the node of that name. In no particular order, like the other records. */
  servicesOf(node: number): readonly StoredRecord[]
  /** What was asserted about a node. */
  assertionsOf(node: number): readonly StoredRecord[]
  /** The records that assert an edge. */
  edgeAssertionsOf(edge: number): readonly StoredRecord[]
}
