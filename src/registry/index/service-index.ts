import { byCodeUnits, SortedList } from '../../collections/sorted-list.ts'
import type { Projection, ProjectionDefinition } from '../../live/view/projection.ts'
import type { JsonObject } from '../../records/canonical-json.ts'
import type { StoredRecord } from '../../records/record.ts'
import { type Registration, SERVICE_KIND } from '../../records/service/service.ts'
import { EndpointIndex, endpointHash } from './endpoint-index.ts'
import { LookAlikes } from './look-alikes.ts'
import { indexKey, metadataText } from './metadata-text.ts'
import { NamespaceIndex } from './namespace-index.ts'
import { Postings, type Term } from './postings.ts'
import { RecordFacts } from './record-facts.ts'
import { versionDigest } from './set-digest.ts'

/**
 * Finds services by their fields. A term, such as a tag, has a list of record numbers. A million services fit because nothing is kept
 * twice: rarely needed fields are read again from the text of the record.
 */
export class ServiceIndex implements Projection {
  /** The services of a name, sorted by id. */
  readonly byName: Postings
  readonly byVersion = new Postings()
  readonly byTag = new Postings()
  readonly byCapability = new Postings()
  readonly namespaces = new NamespaceIndex()
  /** The names of all services, sorted by code units. */
  readonly names = new SortedList<string>(byCodeUnits)
  readonly lookAlikes = new LookAlikes()
  readonly facts = new RecordFacts()
  readonly #byMetadata = new Map<string, Postings>()
  readonly #endpoints = new EndpointIndex()
  readonly #records: (StoredRecord | undefined)[] = []
  readonly #nameOf: (Term | undefined)[] = []
  readonly #versionOf: (Term | undefined)[] = []
  #size = 0
  #active = 0
  #digestHigh = 0
  #digestLow = 0

  constructor() {
    this.byName = new Postings((left, right) => byCodeUnits(this.record(left).id, this.record(right).id))
  }

  put(number: number, record: StoredRecord, data: JsonObject): void {
    const before = this.#records[number]
    if (before === undefined) this.#size += 1
    else this.#leave(number, JSON.parse(before.data) as JsonObject)
    // The record must be set first, because the services of a name are ordered by the ids of their records.
    this.#records[number] = record
    this.#enter(number, record, data)
  }

  remove(number: number): void {
    this.#leave(number, JSON.parse(this.record(number).data) as JsonObject)
    this.#size -= 1
    this.#records[number] = undefined
    this.#nameOf[number] = undefined
    this.#versionOf[number] = undefined
  }

  get size(): number {
    return this.#size
  }

  get activeCount(): number {
    return this.#active
  }

  /** Every record number is below this. Not all of them belong to services. */
  get numberEnd(): number {
    return this.#records.length
  }

  /** The digest of all services together. */
  get digest() {
    return { high: this.#digestHigh, low: this.#digestLow }
  }

  /** Whether a number belongs to a service. */
  holds(number: number): boolean {
    return this.#records[number] !== undefined
  }

  /** @param number the number of a service */
  record(number: number): StoredRecord {
    return this.#records[number] as StoredRecord
  }

  nameOf(number: number): Term {
    return this.#nameOf[number] as Term
  }

  versionOf(number: number): Term {
    return this.#versionOf[number] as Term
  }

  metadata(key: string, text: string): Term | undefined {
    return this.#byMetadata.get(key)?.get(indexKey(text))
  }

  /** Services that probably have this name and endpoint. Services with an `instanceId` are not among them. */
  atEndpoint(serviceName: string, endpoint: string): readonly number[] {
    return this.#endpoints.find(endpointHash(serviceName, endpoint))
  }

  /** The order of a list: serviceName, then serviceId, by code units. */
  compare(left: number, right: number): number {
    const [leftName, rightName] = [this.nameOf(left), this.nameOf(right)]
    return leftName === rightName
      ? byCodeUnits(this.record(left).id, this.record(right).id)
      : byCodeUnits(leftName.text, rightName.text)
  }

  #enter(number: number, { id, revision }: StoredRecord, data: JsonObject): void {
    const { serviceName, namespace, version, endpoint, tags, capabilities, ttlSeconds, instanceId } =
      data as ServiceData
    const name = this.byName.add(serviceName, number)
    if (name.size === 1 && this.names.add(name.text)) this.lookAlikes.add(name.text)
    this.#nameOf[number] = name
    this.#versionOf[number] = this.byVersion.add(version, number)
    // A person may have written the same tag twice into the database. The index ignores the second one.
    for (const tag of tags ?? none) this.byTag.add(tag, number)
    for (const capability of capabilities ?? none) this.byCapability.add(capability, number)
    this.#eachMetadata(data, (key, text) => {
      const postings = this.#byMetadata.get(key) ?? new Postings()
      postings.add(text, number)
      if (postings.size === 1) this.#byMetadata.set(key, postings)
    })
    const { high, low } = versionDigest(id, revision)
    const active = data['migrationFile'] !== undefined
    this.namespaces.add(number, namespace, active)
    this.facts.set(number, {
      ttlSeconds: ttlSeconds ?? 0,
      active,
      namespaced: namespace !== undefined,
      digestHigh: high,
      digestLow: low,
    })
    this.#count(number, 1)
    if (instanceId === undefined) this.#endpoints.add(endpointHash(serviceName, endpoint), number)
  }

  #leave(number: number, data: JsonObject): void {
    const { serviceName, version, endpoint, tags, capabilities, instanceId } = data as ServiceData
    this.#count(number, -1)
    this.namespaces.remove(number, this.facts.active(number))
    if (instanceId === undefined) this.#endpoints.delete(endpointHash(serviceName, endpoint), number)
    if (this.byName.delete(serviceName, number)) {
      this.names.delete(serviceName)
      this.lookAlikes.delete(serviceName)
    }
    this.byVersion.delete(version, number)
    for (const tag of tags ?? none) this.byTag.delete(tag, number)
    for (const capability of capabilities ?? none) this.byCapability.delete(capability, number)
    this.#eachMetadata(data, (key, text) => {
      const postings = this.#byMetadata.get(key)
      if (postings?.delete(text, number) === true && postings.size === 0) this.#byMetadata.delete(key)
    })
  }

  #eachMetadata({ metadata }: JsonObject, visit: (key: string, text: string) => void): void {
    for (const key in metadata as JsonObject | undefined) {
      const text = metadataText((metadata as JsonObject)[key])
      if (text !== undefined) visit(key, indexKey(text))
    }
  }

  #count(number: number, by: 1 | -1): void {
    if (this.facts.active(number)) this.#active += by
    this.#digestHigh = (this.#digestHigh + by * this.facts.digestHigh(number)) | 0
    this.#digestLow = (this.#digestLow + by * this.facts.digestLow(number)) | 0
  }
}

/** The fields that every stored service has, even if a person has written it into the database. */
type ServiceData = Pick<Registration, 'serviceName' | 'version' | 'endpoint'> & Partial<Registration>

const none: readonly never[] = []

/** The projection that keeps a `ServiceIndex` of the records of a view. */
export const serviceIndex: ProjectionDefinition<ServiceIndex> = {
  name: 'services',
  kinds: [SERVICE_KIND],
  create: () => new ServiceIndex(),
}
