import type { StoredRecord } from '../../records/record.ts'
import { IntLists } from './int-lists.ts'

const noRecords: readonly StoredRecord[] = []

/** The records of a graph by number, and which of them are about each node and each asserted edge. */
export class GraphRecords {
  services = 0
  activeServices = 0
  #records: (StoredRecord | undefined)[] = []
  /** For each node, the services with its name. */
  #servicesOfNode = new IntLists()
  /** Assertions are rare, and maps cost nothing for nodes without them. The lists never change, so copies share them. */
  #assertionsOfNode = new Map<number, readonly number[]>()
  #assertionsOfEdge = new Map<number, readonly number[]>()
  /** For each record the node that it defines; -1 for the record of an edge. */
  readonly #nodes: number[] = []
  /** The position of a service in the list of its node. */
  readonly #positions: number[] = []
  readonly #active: boolean[] = []

  at(slot: number): StoredRecord | undefined {
    return this.#records[slot]
  }

  /** The node that a record defines; -1 for the record of an edge. */
  nodeOf(slot: number): number {
    return this.#nodes[slot] as number
  }

  /** Sets a record, and returns the one that had its number before. */
  put(slot: number, record: StoredRecord): StoredRecord | undefined {
    const before = this.#records[slot]
    this.#records[slot] = record
    if (before !== undefined) return before
    this.#nodes[slot] = -1
    this.#active[slot] = false
    if (record.kind === 'service') this.services += 1
    return undefined
  }

  /** Removes a record, after its node and its edges. */
  remove(slot: number): void {
    if (this.#records[slot]?.kind === 'service') this.services -= 1
    this.setActive(slot, false)
    this.#records[slot] = undefined
  }

  setActive(slot: number, active: boolean): void {
    if (this.#active[slot] === active) return
    this.#active[slot] = active
    this.activeServices += active ? 1 : -1
  }

  attach(slot: number, node: number): void {
    this.#nodes[slot] = node
    if (this.#isAssertion(slot)) addTo(this.#assertionsOfNode, node, slot)
    else this.#positions[slot] = this.#servicesOfNode.push(node, slot)
  }

  detach(slot: number): void {
    const node = this.#nodes[slot] as number
    this.#nodes[slot] = -1
    if (this.#isAssertion(slot)) return removeFrom(this.#assertionsOfNode, node, slot)
    const position = this.#positions[slot] as number
    const moved = this.#servicesOfNode.removeAt(node, position)
    if (moved !== -1) this.#positions[moved] = position
  }

  assertEdge(edge: number, slot: number): void {
    addTo(this.#assertionsOfEdge, edge, slot)
  }

  retractEdge(edge: number, slot: number): void {
    removeFrom(this.#assertionsOfEdge, edge, slot)
  }

  /** Numbers of the records that may contribute an edge: those that assert it, or the services of its source. */
  contributorsOf(edge: number, source: number): Iterable<number> {
    return this.#assertionsOfEdge.get(edge) ?? this.#servicesOfNode.of(source)
  }

  servicesOf(node: number): readonly StoredRecord[] {
    return this.#recordsAt(this.#servicesOfNode.of(node))
  }

  assertionsOf(node: number): readonly StoredRecord[] {
    return this.#recordsAt(this.#assertionsOfNode.get(node))
  }

  edgeAssertionsOf(edge: number): readonly StoredRecord[] {
    return this.#recordsAt(this.#assertionsOfEdge.get(edge))
  }

  /** A read-only copy. The records themselves never change. */
  copy(nodes: number): GraphRecords {
    const copy = new GraphRecords()
    copy.services = this.services
    copy.activeServices = this.activeServices
    copy.#records = this.#records.slice()
    copy.#servicesOfNode = this.#servicesOfNode.copy(nodes)
    copy.#assertionsOfNode = new Map(this.#assertionsOfNode)
    copy.#assertionsOfEdge = new Map(this.#assertionsOfEdge)
    return copy
  }

  #isAssertion(slot: number): boolean {
    return this.#records[slot]?.kind !== 'service'
  }

  #recordsAt(slots: ArrayLike<number> | undefined): readonly StoredRecord[] {
    if (slots === undefined || slots.length === 0) return noRecords
    return Array.from(slots, (slot) => this.#records[slot] as StoredRecord)
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
