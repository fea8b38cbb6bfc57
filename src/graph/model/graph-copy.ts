import type { EdgeColumns } from './edge-table.ts'
import { type Adjacency, GraphReader } from './graph-reader.ts'
import type { GraphRecords } from './graph-records.ts'
import type { Topology } from './topology.ts'

/** A graph that cannot change. Columns and lists are copied; ids and records are shared. */
export class GraphCopy extends GraphReader {
  readonly edges: EdgeColumns
  readonly out: Adjacency
  readonly in: Adjacency
  readonly edgeTypes: readonly string[]
  readonly reversed: readonly boolean[]
  readonly nodeCount: number
  readonly unresolvedCount: number
  protected readonly records: GraphRecords
  readonly #ids: readonly string[]
  readonly #definitions: readonly number[]

  constructor(topology: Topology, records: GraphRecords) {
    super()
    const { nodeBound } = topology
    this.edges = topology.edges.copy()
    this.out = topology.out.copy(nodeBound)
    this.in = topology.in.copy(nodeBound)
    this.edgeTypes = [...topology.edgeTypes]
    this.reversed = [...topology.reversed]
    this.nodeCount = topology.nodeCount
    this.unresolvedCount = topology.unresolvedCount
    this.records = records.copy(nodeBound)
    this.#ids = topology.copyIds()
    this.#definitions = topology.copyDefinitions()
  }

  get nodeBound(): number {
    return this.#ids.length
  }

  /** Searches all ids: a millisecond for a hundred thousand. Building an index would take thirty, and few callers need it. */
  find(id: string): number {
    return id === '' ? -1 : this.#ids.indexOf(id)
  }

  idOf(node: number): string {
    return this.#ids[node] ?? ''
  }

  isResolved(node: number): boolean {
    return (this.#definitions[node] ?? 0) > 0
  }
}
