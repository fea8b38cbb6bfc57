import type { Projection, ProjectionDefinition } from '../../live/view/projection.ts'
import type { JsonObject, JsonValue } from '../../records/canonical-json.ts'
import type { StoredRecord } from '../../records/record.ts'
import { SERVICE_KIND } from '../../records/service/service.ts'
import { EndpointIndex, endpointNumber } from './endpoint-index.ts'
import { indexKey, metadataText } from './metadata-text.ts'
import { Postings, type Term } from './postings.ts'
import { versionDigest } from './set-digest.ts'
import { SlotTable } from './slot-facts.ts'
import { byCodeUnits, SortedList } from './sorted-list.ts'

const nothing: readonly string[] = []

/**
 * Finds services by what they are. Terms are sorted lists of slots. A million services fit because nothing is kept twice:
 * what is seldom needed is read from the record's text again.
 */
export class ServiceIndex implements Projection {
  readonly #records: (StoredRecord | undefined)[] = []
  readonly #nameOf: (Term | undefined)[] = []
  readonly #versionOf: (Term | undefined)[] = []
  readonly #facts = new SlotTable()
  readonly #endpoints = new EndpointIndex()
  readonly #byName: Postings
  readonly #byVersion = new Postings()
  readonly #byTag = new Postings()
  readonly #byCapability = new Postings()
  readonly #byMetadata = new Map<string, Postings>()
  readonly #names = new SortedList<string>(byCodeUnits)
  #size = 0
  #active = 0
  #digestHigh = 0
  #digestLow = 0

  constructor() {
    this.#byName = new Postings((left, right) => byCodeUnits(this.record(left).id, this.record(right).id))
  }

  put(slot: number, record: StoredRecord, data: JsonObject): void {
    const before = this.#records[slot]
    if (before === undefined) this.#size += 1
    else this.#leave(slot, JSON.parse(before.data) as JsonObject)
    // Before anything else: services of a name are ordered by the ids of their records.
    this.#records[slot] = record
    this.#enter(slot, record, data)
  }

  remove(slot: number): void {
    this.#leave(slot, JSON.parse(this.record(slot).data) as JsonObject)
    this.#size -= 1
    this.#records[slot] = undefined
    this.#nameOf[slot] = undefined
    this.#versionOf[slot] = undefined
  }

  get size(): number {
    return this.#size
  }

  get activeCount(): number {
    return this.#active
  }

  /** Every slot is below this; some of them may be empty. */
  get slotCount(): number {
    return this.#records.length
  }

  /** The digest of all services together. */
  get digest() {
    return { high: this.#digestHigh, low: this.#digestLow }
  }

  /** Numbers about slots, for loops over many of them. */
  get facts(): Omit<SlotTable, 'set'> {
    return this.#facts
  }

  /** All names of services, by code units. */
  get names(): SortedList<string> {
    return this.#names
  }

  /** Whether a slot is not empty. */
  holds(slot: number): boolean {
    return this.#records[slot] !== undefined
  }

  /** @param slot one that is not empty */
  record(slot: number): StoredRecord {
    return this.#records[slot] as StoredRecord
  }

  nameOf(slot: number): Term {
    return this.#nameOf[slot] as Term
  }

  versionOf(slot: number): Term {
    return this.#versionOf[slot] as Term
  }

  name(name: string): Term | undefined {
    return this.#byName.get(name)
  }

  /** The services of a name, in order of their ids. */
  orderedByName(name: string): readonly (readonly number[])[] {
    return this.#byName.ordered(name)
  }

  /** Services that probably have a name and an endpoint, without those that have an `instanceId`. */
  atEndpoint(serviceName: string, endpoint: string): readonly number[] {
    return this.#endpoints.find(endpointNumber(serviceName, endpoint))
  }

  version(version: string): Term | undefined {
    return this.#byVersion.get(version)
  }

  /** Every version that a service has. */
  versions(): IterableIterator<Term> {
    return this.#byVersion.terms()
  }

  get versionCount(): number {
    return this.#byVersion.size
  }

  tag(tag: string): Term | undefined {
    return this.#byTag.get(tag)
  }

  capability(capability: string): Term | undefined {
    return this.#byCapability.get(capability)
  }

  metadata(key: string, text: string): Term | undefined {
    return this.#byMetadata.get(key)?.get(indexKey(text))
  }

  /** The order of a list: serviceName, then serviceId, by code units. */
  compareSlots(left: number, right: number): number {
    const [leftName, rightName] = [this.#nameOf[left], this.#nameOf[right]]
    return leftName === rightName
      ? byCodeUnits(this.record(left).id, this.record(right).id)
      : byCodeUnits((leftName as Term).text, (rightName as Term).text)
  }

  #enter(slot: number, record: StoredRecord, data: JsonObject): void {
    const name = this.#byName.add(data['serviceName'] as string, slot)
    if (name.size === 1) this.#names.add(name.text)
    this.#nameOf[slot] = name
    this.#versionOf[slot] = this.#byVersion.add(data['version'] as string, slot)
    for (const tag of textsOf(data['tags'])) this.#byTag.add(tag, slot)
    for (const capability of textsOf(data['capabilities'])) this.#byCapability.add(capability, slot)
    this.#eachMetadata(data, (key, text) => {
      const postings = this.#byMetadata.get(key) ?? new Postings()
      postings.add(text, slot)
      if (postings.size === 1) this.#byMetadata.set(key, postings)
    })
    this.#setFacts(slot, record, data)
    this.#count(slot, 1)
    if (data['instanceId'] === undefined) this.#endpoints.add(endpointOf(data), slot)
  }

  #leave(slot: number, data: JsonObject): void {
    this.#count(slot, -1)
    if (data['instanceId'] === undefined) this.#endpoints.delete(endpointOf(data), slot)
    const name = data['serviceName'] as string
    if (this.#byName.delete(name, slot)) this.#names.delete(name)
    this.#byVersion.delete(data['version'] as string, slot)
    for (const tag of textsOf(data['tags'])) this.#byTag.delete(tag, slot)
    for (const capability of textsOf(data['capabilities'])) this.#byCapability.delete(capability, slot)
    this.#eachMetadata(data, (key, text) => {
      const postings = this.#byMetadata.get(key)
      if (postings?.delete(text, slot) === true && postings.size === 0) this.#byMetadata.delete(key)
    })
  }

  #eachMetadata(data: JsonObject, visit: (key: string, text: string) => void): void {
    const metadata = (data['metadata'] ?? {}) as JsonObject
    for (const key of Object.keys(metadata)) {
      const text = metadataText(metadata[key])
      if (text !== undefined) visit(key, indexKey(text))
    }
  }

  #setFacts(slot: number, { id, revision }: StoredRecord, data: JsonObject): void {
    const { high, low } = versionDigest(id, revision)
    this.#facts.set(slot, {
      ttlSeconds: (data['ttlSeconds'] as number | undefined) ?? 0,
      active: data['migrationFile'] !== undefined,
      digestHigh: high,
      digestLow: low,
    })
  }

  #count(slot: number, by: 1 | -1): void {
    if (this.#facts.active(slot)) this.#active += by
    this.#digestHigh = (this.#digestHigh + by * this.#facts.digestHigh(slot)) | 0
    this.#digestLow = (this.#digestLow + by * this.#facts.digestLow(slot)) | 0
  }
}

/** The projection that keeps a `ServiceIndex` over the records of a view. */
export const serviceIndex: ProjectionDefinition<ServiceIndex> = {
  name: 'services',
  kinds: [SERVICE_KIND],
  create: () => new ServiceIndex(),
}

function endpointOf(data: JsonObject): number {
  return endpointNumber(data['serviceName'] as string, data['endpoint'] as string)
}

/** A person may have written the same tag twice into the database; the second one is found to be there already. */
function textsOf(list: JsonValue | undefined): readonly string[] {
  return (list as readonly string[] | undefined) ?? nothing
}
