import { EDGE_ORIGINS, type EdgeOrigin } from '../../records/graph/graph-id.ts'
import type { StoredRecord } from '../../records/record.ts'
import type { EdgeColumns } from './edge-table.ts'
import { findEdgeById } from './find-edge.ts'
import type { Adjacency, GraphReader } from './graph-reader.ts'
import type { IntLists } from './int-lists.ts'
import type { Topology } from './topology.ts'

export interface CopiedRecords {
  readonly serviceCount: number
  readonly activeServiceCount: number
  readonly records: readonly (StoredRecord | undefined)[]
  readonly servicesOfNode: IntLists
  /** By node and by edge, where in `records` what was asserted is. */
  readonly assertionsOfNode: ReadonlyMap<number, readonly number[]>
  readonly assertionsOfEdge: ReadonlyMap<number, readonly number[]>
}

const noRecords: readonly StoredRecord[] = []

/** A graph that cannot change: columns and lists are copied, ids and records shared. */
export class GraphCopy implements GraphReader {
  readonly edges: EdgeColumns
  readonly out: Adjacency
  readonly in: Adjacency
  readonly edgeTypes: readonly string[]
  readonly nodeCount: number
  readonly unresolvedCount: number
  readonly shape = 0
  readonly serviceCount: number
  readonly activeServiceCount: number
  readonly #ids: readonly string[]
  readonly #statements: readonly number[]
  readonly #reversed: readonly boolean[]
  readonly #records: CopiedRecords

  constructor(topology: Topology, records: CopiedRecords) {
    this.edges = topology.edges.copy()
    this.out = topology.out.copy(topology.nodeSlots)
    this.in = topology.in.copy(topology.nodeSlots)
    this.edgeTypes = [...topology.types.all]
    this.nodeCount = topology.nodeCount
    this.unresolvedCount = topology.unresolvedCount
    this.serviceCount = records.serviceCount
    this.activeServiceCount = records.activeServiceCount
    this.#ids = topology.copyIds()
    this.#statements = topology.copyStatements()
    this.#reversed = [...topology.reversed]
    this.#records = records
  }

  get nodeSlots(): number {
    return this.#ids.length
  }

  /** Looks through all ids: a millisecond for a hundred thousand. An index would cost thirty, for the few who ask. */
  find(id: string): number {
    return id === '' ? -1 : this.#ids.indexOf(id)
  }

  findEdge(id: string): number {
    return findEdgeById(this, id)
  }

  idOf(node: number): string {
    return this.#ids[node] ?? ''
  }

  isResolved(node: number): boolean {
    return (this.#statements[node] ?? 0) > 0
  }

  typeOf(edge: number): string {
    return this.edgeTypes[(this.edges.kind[edge] as number) >> 2] as string
  }

  isReversed(type: number): boolean {
    return this.#reversed[type] as boolean
  }

  originOf(edge: number): EdgeOrigin {
    return EDGE_ORIGINS[(this.edges.kind[edge] as number) & 3] as EdgeOrigin
  }

  sourceOf(edge: number): number {
    const { from, to, kind } = this.edges
    return (this.#reversed[(kind[edge] as number) >> 2] ? to[edge] : from[edge]) as number
  }

  targetOf(edge: number): number {
    const { from, to, kind } = this.edges
    return (this.#reversed[(kind[edge] as number) >> 2] ? from[edge] : to[edge]) as number
  }

  servicesOf(node: number): readonly StoredRecord[] {
    return this.#recordsAt(this.#records.servicesOfNode.of(node))
  }

  assertionsOf(node: number): readonly StoredRecord[] {
    return this.#recordsAt(this.#records.assertionsOfNode.get(node))
  }

  edgeAssertionsOf(edge: number): readonly StoredRecord[] {
    return this.#recordsAt(this.#records.assertionsOfEdge.get(edge))
  }

  #recordsAt(slots: ArrayLike<number> | undefined): readonly StoredRecord[] {
    if (slots === undefined || slots.length === 0) return noRecords
    return Array.from(slots, (slot) => this.#records.records[slot] as StoredRecord)
  }
}
