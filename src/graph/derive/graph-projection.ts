import type { Projection, ProjectionDefinition } from '../../live/view/projection.ts'
import type { JsonObject } from '../../records/canonical-json.ts'
import type { EdgeIdentity } from '../../records/graph/graph-id.ts'
import type { StoredRecord } from '../../records/record.ts'
import { namespaceIn } from '../../records/service/namespace.ts'
import { sortFew } from '../../text/sort-few.ts'
import { GraphCopy } from '../model/graph-copy.ts'
import type { GraphReader } from '../model/graph-reader.ts'
import { GraphRecords } from '../model/graph-records.ts'
import { IntLists } from '../model/int-lists.ts'
import { Topology } from '../model/topology.ts'
import { deriveOthers, serviceNameIn } from './derive.ts'
import { DEPENDS_ON, eachDependency } from './derive-dependencies.ts'

/**
 * The graph of one view. It is updated when records change, and never rebuilt for a write. Each record knows its contributions, so writing
 * it again replaces exactly these. The state depends only on the records, not on the order in which they came. Every coordinator therefore
 * has the same graph at the same revision.
 */
export class GraphProjection extends Topology implements Projection {
  protected readonly records = new GraphRecords()
  /** For each record, the sorted list of the edges that it contributes, for binary search. */
  readonly #contributed = new IntLists()

  put(slot: number, record: StoredRecord, data: JsonObject): void {
    const before = this.records.put(slot, record)
    if (before === undefined) return this.#contribute(slot, record, data)
    const edges = this.#contributed.of(slot).slice()
    const node = this.nodeDefinedBy(slot)
    this.#contributed.clear(slot)
    // First add the new edges. Edges that both versions have then never disappear in between.
    this.#contribute(slot, record, data)
    if (node !== -1) this.undefine(node)
    for (const edge of edges) this.#release(slot, edge, before.revision)
  }

  remove(slot: number): void {
    const { revision } = this.records.at(slot) as StoredRecord
    const edges = this.#contributed.of(slot).slice()
    this.#contributed.clear(slot)
    const node = this.nodeDefinedBy(slot)
    if (node !== -1) {
      this.records.detach(slot)
      this.undefine(node)
    }
    this.records.remove(slot)
    for (const edge of edges) this.#release(slot, edge, revision)
  }

  /** The node that a record defines; -1 for the record of an edge. */
  nodeDefinedBy(slot: number): number {
    return this.records.nodeOf(slot)
  }

  /** The sorted list of the edges that a record contributes, as a view that is valid until the next change. */
  edgesContributedBy(slot: number): Int32Array {
    return this.#contributed.of(slot)
  }

  /** A copy that cannot change, for work that pauses in between. It takes ten milliseconds with a million edges. */
  copy(): GraphReader {
    return new GraphCopy(this, this.records)
  }

  #contribute(slot: number, { kind }: StoredRecord, data: JsonObject): void {
    if (kind === 'service') this.#contributeService(slot, data)
    else if (kind === 'node') this.#defineBy(slot, this.nodeFor(String(data['id'])))
    else this.#contributeEdge(slot, data as unknown as EdgeIdentity)
  }

  #contributeService(slot: number, data: JsonObject): void {
    const own = namespaceIn(data)
    const node = this.serviceNode(serviceNameIn(data), own)
    this.#defineBy(slot, node)
    const edges: number[] = []
    eachDependency(data['dependencies'], own, (name, namespace) => {
      edges.push(this.edgeFor(node, DEPENDS_ON, this.serviceNode(name, namespace), 'declared'))
    })
    deriveOthers(data, own, (type, target) => {
      edges.push(this.edgeFor(node, type, this.nodeFor(target), 'declared'))
    })
    this.#countIn(slot, edges)
    this.records.setActive(slot, data['migrationFile'] !== undefined)
  }

  #contributeEdge(slot: number, { source, type, target, origin }: EdgeIdentity): void {
    const edge = this.edgeFor(this.nodeFor(source), type, this.nodeFor(target), origin)
    this.records.assertEdge(edge, slot)
    this.#countIn(slot, [edge])
  }

  /** Counts the record among those that define a node. Its former node is not changed here: `undefine` must follow. */
  #defineBy(slot: number, node: number): void {
    this.define(node)
    const before = this.nodeDefinedBy(slot)
    if (before === node) return
    if (before !== -1) this.records.detach(slot)
    this.records.attach(slot, node)
  }

  /** Counts the record in each edge, once. */
  #countIn(slot: number, contributed: number[]): void {
    const { refs, revision: oldest } = this.edges
    const { revision } = this.records.at(slot) as StoredRecord
    let last = -1
    for (const edge of sortFew(contributed)) {
      if (edge === last) continue
      last = edge
      this.#contributed.push(slot, edge)
      const count = refs[edge] as number
      refs[edge] = count + 1
      if (count === 0 || revision < (oldest[edge] as number)) oldest[edge] = revision
    }
  }

  /** A record no longer contributes an edge, or contributes it with another revision. `revision`: its earlier revision. */
  #release(slot: number, edge: number, revision: number): void {
    const { edges } = this
    const refs = (edges.refs[edge] as number) - 1
    edges.refs[edge] = refs
    if (!this.#contributes(slot, edge)) this.records.retractEdge(edge, slot)
    if (refs === 0) this.dropEdge(edge)
    else if (edges.revision[edge] === revision) edges.revision[edge] = this.#oldestRevision(edge)
  }

  #oldestRevision(edge: number): number {
    let oldest = Number.MAX_SAFE_INTEGER
    for (const slot of this.records.contributorsOf(edge, this.sourceOf(edge)))
      if (this.#contributes(slot, edge))
        oldest = Math.min(oldest, (this.records.at(slot) as StoredRecord).revision)
    return oldest
  }

  #contributes(slot: number, edge: number): boolean {
    const { items, start, length } = this.#contributed
    let low = start[slot] ?? 0
    let high = low + (length[slot] ?? 0) - 1
    while (low <= high) {
      const middle = (low + high) >> 1
      const found = items[middle] as number
      if (found === edge) return true
      if (found < edge) low = middle + 1
      else high = middle - 1
    }
    return false
  }
}

/** The definition of the graph's projection: `view.projection(graphProjection)`. */
export const graphProjection: ProjectionDefinition<GraphProjection> = {
  name: 'graph',
  kinds: ['service', 'node', 'edge'],
  create: () => new GraphProjection(),
}
