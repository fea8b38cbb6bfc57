import type { Projection, ProjectionDefinition } from '../../live/view/projection.ts'
import type { JsonObject } from '../../records/canonical-json.ts'
import { EDGE_ORIGINS, type EdgeIdentity, type EdgeOrigin } from '../../records/graph/graph-id.ts'
import type { StoredRecord } from '../../records/record.ts'
import { sortFew } from '../../text/sort-few.ts'
import { deriveOthers, serviceNameIn } from '../derive/derive.ts'
import { DEPENDS_ON, eachDependency } from '../derive/derive-dependencies.ts'
import { findEdgeById } from './find-edge.ts'
import { GraphCopy } from './graph-copy.ts'
import type { GraphReader } from './graph-reader.ts'
import { IntLists } from './int-lists.ts'
import { Topology } from './topology.ts'

const noRecords: readonly StoredRecord[] = []

/**
 * The graph of one view, kept as records change and never rebuilt on a write: each record knows what it contributed, so
 * putting it again replaces exactly that. Its state depends on the records alone, not on the order in which they came, so
 * every coordinator has the same graph at the same revision.
 */
export class GraphProjection implements Projection, GraphReader {
  readonly topology = new Topology()
  readonly #records: (StoredRecord | undefined)[] = []
  /** For each record the edges that it states. */
  readonly #stated = new IntLists()
  /** For each record the node that it states; -1 for the record of an edge. */
  readonly #subject: number[] = []
  /** Where a service is in its node's list. */
  readonly #position: number[] = []
  readonly #active: boolean[] = []
  /** For each node the services of its name. */
  readonly #servicesOfNode = new IntLists()
  /** What was asserted is rare: maps cost nothing where there is none. Their lists never change: copies share them. */
  readonly #assertionsOfNode = new Map<number, readonly number[]>()
  readonly #assertionsOfEdge = new Map<number, readonly number[]>()
  #services = 0
  #activeServices = 0

  put(slot: number, record: StoredRecord, data: JsonObject): void {
    const before = this.#records[slot]
    this.#records[slot] = record
    if (before === undefined) return this.#enter(slot, record, data)
    const old = this.#stated.of(slot).slice()
    const oldSubject = this.#subject[slot] as number
    this.#stated.clear(slot)
    // The new statements first: what both have in common is never gone in between.
    this.#state(slot, record, data)
    if (oldSubject !== -1) this.topology.unstate(oldSubject)
    for (const edge of old) this.#release(slot, edge, before.revision)
  }

  remove(slot: number): void {
    const { kind, revision } = this.#records[slot] as StoredRecord
    if (kind === 'service') this.#services -= 1
    this.#setActive(slot, false)
    const stated = this.#stated.of(slot).slice()
    this.#stated.clear(slot)
    const subject = this.#subject[slot] as number
    if (subject !== -1) {
      this.#detach(slot, subject)
      this.topology.unstate(subject)
    }
    this.#records[slot] = undefined
    for (const edge of stated) this.#release(slot, edge, revision)
  }

  get nodeSlots(): number {
    return this.topology.nodeSlots
  }
  get nodeCount(): number {
    return this.topology.nodeCount
  }
  get edges() {
    return this.topology.edges
  }
  get out() {
    return this.topology.out
  }
  get in() {
    return this.topology.in
  }
  get edgeTypes(): readonly string[] {
    return this.topology.types.all
  }
  isReversed(type: number): boolean {
    return this.topology.reversed[type] as boolean
  }
  get serviceCount(): number {
    return this.#services
  }
  get activeServiceCount(): number {
    return this.#activeServices
  }
  get unresolvedCount(): number {
    return this.topology.unresolvedCount
  }

  get shape(): number {
    return this.topology.shape
  }

  find(id: string): number {
    return this.topology.find(id)
  }
  findEdge(id: string): number {
    return findEdgeById(this, id)
  }
  idOf(node: number): string {
    return this.topology.idOf(node)
  }
  isResolved(node: number): boolean {
    return this.topology.isResolved(node)
  }
  typeOf(edge: number): string {
    return this.topology.types.nameOf((this.edges.kind[edge] as number) >> 2)
  }
  originOf(edge: number): EdgeOrigin {
    return EDGE_ORIGINS[(this.edges.kind[edge] as number) & 3] as EdgeOrigin
  }
  sourceOf(edge: number): number {
    const { from, to, kind } = this.edges
    return (this.topology.reversed[(kind[edge] as number) >> 2] ? to[edge] : from[edge]) as number
  }
  targetOf(edge: number): number {
    const { from, to, kind } = this.edges
    return (this.topology.reversed[(kind[edge] as number) >> 2] ? from[edge] : to[edge]) as number
  }

  servicesOf(node: number): readonly StoredRecord[] {
    const slots = this.#servicesOfNode.of(node)
    return slots.length === 0 ? noRecords : this.#recordsAt(slots)
  }

  assertionsOf(node: number): readonly StoredRecord[] {
    const slots = this.#assertionsOfNode.get(node)
    return slots === undefined ? noRecords : this.#recordsAt(slots)
  }

  edgeAssertionsOf(edge: number): readonly StoredRecord[] {
    const slots = this.#assertionsOfEdge.get(edge)
    return slots === undefined ? noRecords : this.#recordsAt(slots)
  }

  /** The node that a record states. @param slot where a record is */
  subjectOf(slot: number): number {
    return this.#subject[slot] as number
  }

  /** The edges that a record states, in order; a view that lives until the next change. @param slot where a record is */
  statedBy(slot: number): Int32Array {
    return this.#stated.of(slot)
  }

  /** Memory of the columns and lists, in bytes; ids and records are not counted. */
  get byteLength(): number {
    return this.topology.byteLength + this.#stated.byteLength + this.#servicesOfNode.byteLength
  }

  /** A copy that cannot change, for work that has to wait in between. Ten milliseconds at a million edges. */
  copy(): GraphReader {
    return new GraphCopy(this.topology, {
      serviceCount: this.serviceCount,
      activeServiceCount: this.activeServiceCount,
      records: this.#records.slice(),
      servicesOfNode: this.#servicesOfNode.copy(this.nodeSlots),
      assertionsOfNode: new Map(this.#assertionsOfNode),
      assertionsOfEdge: new Map(this.#assertionsOfEdge),
    })
  }

  #recordsAt(slots: ArrayLike<number>): readonly StoredRecord[] {
    return Array.from(slots, (slot) => this.#records[slot] as StoredRecord)
  }

  #enter(slot: number, record: StoredRecord, data: JsonObject): void {
    this.#subject[slot] = -1
    this.#active[slot] = false
    if (record.kind === 'service') this.#services += 1
    this.#state(slot, record, data)
  }

  #state(slot: number, { kind }: StoredRecord, data: JsonObject): void {
    if (kind === 'service') this.#stateService(slot, data)
    else if (kind === 'node') this.#restate(slot, this.topology.nodeFor(String(data['id'])))
    else this.#stateEdge(slot, data as unknown as EdgeIdentity)
  }

  #stateService(slot: number, data: JsonObject): void {
    const { topology } = this
    const node = topology.serviceNode(serviceNameIn(data))
    this.#restate(slot, node)
    const edges: number[] = []
    eachDependency(data['dependencies'], (name) => {
      edges.push(topology.edgeFor(node, DEPENDS_ON, topology.serviceNode(name), 'declared'))
    })
    deriveOthers(data, (type, target) => {
      edges.push(topology.edgeFor(node, type, topology.nodeFor(target), 'declared'))
    })
    this.#stateEdges(slot, edges)
    this.#setActive(slot, data['migrationFile'] !== undefined)
  }

  #stateEdge(slot: number, { source, type, target, origin }: EdgeIdentity): void {
    const { topology } = this
    const edge = topology.edgeFor(topology.nodeFor(source), type, topology.nodeFor(target), origin)
    addTo(this.#assertionsOfEdge, edge, slot)
    this.#stateEdges(slot, [edge])
  }

  /** Counts the record among those that state a node. Its former node is left; `unstate` of that follows. */
  #restate(slot: number, node: number): void {
    this.topology.state(node)
    const before = this.#subject[slot] as number
    if (before === node) return
    if (before !== -1) this.#detach(slot, before)
    this.#subject[slot] = node
    if (this.#isAssertion(slot)) addTo(this.#assertionsOfNode, node, slot)
    else this.#position[slot] = this.#servicesOfNode.push(node, slot)
  }

  #detach(slot: number, node: number): void {
    this.#subject[slot] = -1
    if (this.#isAssertion(slot)) return removeFrom(this.#assertionsOfNode, node, slot)
    const position = this.#position[slot] as number
    const moved = this.#servicesOfNode.removeAt(node, position)
    if (moved !== -1) this.#position[moved] = position
  }

  #isAssertion(slot: number): boolean {
    return this.#records[slot]?.kind !== 'service'
  }

  /** Counts the record in each edge, once, and keeps their numbers in order, to be found by halving. */
  #stateEdges(slot: number, stated: number[]): void {
    const { edges } = this.topology
    const { revision } = this.#records[slot] as StoredRecord
    let last = -1
    for (const edge of sortFew(stated)) {
      if (edge === last) continue
      last = edge
      this.#stated.push(slot, edge)
      const refs = edges.refs[edge] as number
      edges.refs[edge] = refs + 1
      if (refs === 0 || revision < (edges.revision[edge] as number)) edges.revision[edge] = revision
    }
  }

  /** A record states an edge no more, or states it anew with another revision. `revision`: what its statement had. */
  #release(slot: number, edge: number, revision: number): void {
    const { edges } = this.topology
    const refs = (edges.refs[edge] as number) - 1
    edges.refs[edge] = refs
    if (!this.#states(slot, edge)) removeFrom(this.#assertionsOfEdge, edge, slot)
    if (refs === 0) this.topology.dropEdge(edge)
    else if (edges.revision[edge] === revision) edges.revision[edge] = this.#oldestRevision(edge)
  }

  #oldestRevision(edge: number): number {
    let oldest = Number.MAX_SAFE_INTEGER
    for (const slot of this.#assertionsOfEdge.get(edge) ?? this.#servicesOfNode.of(this.sourceOf(edge)))
      if (this.#states(slot, edge)) oldest = Math.min(oldest, (this.#records[slot] as StoredRecord).revision)
    return oldest
  }

  #states(slot: number, edge: number): boolean {
    const { items, start, length } = this.#stated
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

  #setActive(slot: number, active: boolean): void {
    if (this.#active[slot] === active) return
    this.#active[slot] = active
    this.#activeServices += active ? 1 : -1
  }
}

function addTo(lists: Map<number, readonly number[]>, key: number, slot: number): void {
  const list = lists.get(key)
  if (list === undefined) lists.set(key, [slot])
  else if (!list.includes(slot)) lists.set(key, [...list, slot])
}

function removeFrom(lists: Map<number, readonly number[]>, key: number, slot: number): void {
  const rest = lists.get(key)?.filter((other) => other !== slot)
  if (rest === undefined) return
  if (rest.length === 0) lists.delete(key)
  else lists.set(key, rest)
}

/** The graph of a view: `view.projection(graphProjection)`. */
export const graphProjection: ProjectionDefinition<GraphProjection> = {
  name: 'graph',
  kinds: ['service', 'node', 'edge'],
  create: () => new GraphProjection(),
}
