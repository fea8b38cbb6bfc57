import type { LoadPage } from '../../database/store.ts'
import { CoordinatorError } from '../../errors.ts'
import type { JsonObject } from '../../records/canonical-json.ts'
import type { Entry, EntryWrite, Position, RecordKey, Revision, StoredRecord } from '../../records/record.ts'
import { storedJson } from '../../records/stored-json.ts'
import type { Domain, KindCheck, Projection, ProjectionDefinition } from './projection.ts'
import { type Records, RecordTable } from './record-table.ts'

/** A record in the database that breaks the rules of its kind. It is listed, but not served. */
export interface RefusedRecord {
  readonly kind: string
  readonly id: string
  readonly revision: Revision
  readonly createdAt: number
  readonly reason: string
}

/** Every record at one moment, in no particular order. */
export interface ViewSnapshot {
  readonly position: Position
  /** Time of the newest entry. Epoch milliseconds. */
  readonly at: number
  /** Records that break the rules of their kind, too. `undefined` in between means nothing. */
  readonly records: readonly (StoredRecord | undefined)[]
}

/** A refused record as it is stored, so that a backup has it, and why it is refused. */
interface Refused {
  readonly shown: RefusedRecord
  readonly stored: StoredRecord
}

/** The state that a view keeps for each kind of records. */
interface KindState {
  readonly check: KindCheck | undefined
  readonly projections: readonly Projection[]
  /** The commits that deleted records. Only for records that do not exist now. */
  readonly deletedAt: Map<string, Revision>
}

/** The parsed `data` of the writes of some entries, by revision. This program made it, so that it passes the check of its kind. */
export type KnownValues = ReadonlyMap<Revision, readonly (JsonObject | undefined)[]>

/** How many digests of the newest revisions a view remembers. */
const RECENT_DIGESTS = 4_096

/**
 * The live copy of all records in memory, at one position of the journal. It changes in one way only: `apply` takes the next entry, whoever
 * wrote it. Reading never waits.
 */
export class View {
  readonly #checks: ReadonlyMap<string, KindCheck>
  readonly #projections: ReadonlyMap<ProjectionDefinition, Projection>
  readonly #definitions: readonly (readonly [ProjectionDefinition, Projection])[]
  /** The projections that want to know when all writes of a commit have been applied. */
  readonly #settling: readonly Projection[]
  readonly #kinds = new Map<string, KindState>()
  readonly #records = new RecordTable()
  readonly #refused = new Map<string, Refused>()
  /** Digests by revision modulo `RECENT_DIGESTS`. */
  readonly #digests: { readonly revision: Revision; readonly digest: string }[] = []
  #position: Position
  #at: number

  constructor(domain: Domain, position: Position, at: number) {
    // Any text may be a kind, even the name of a property that every object has.
    this.#checks = new Map(Object.entries(domain.kinds))
    this.#position = position
    this.#at = at
    this.#definitions = domain.projections.map((definition) => [definition, definition.create()])
    this.#projections = new Map(this.#definitions)
    this.#settling = [...this.#projections.values()].filter(({ settled }) => settled !== undefined)
  }

  get position(): Position {
    return this.#position
  }

  get revision(): Revision {
    return this.#position.revision
  }

  get lineage(): string {
    return this.#position.lineage
  }

  /** Time of the newest entry, epoch milliseconds. */
  get at(): number {
    return this.#at
  }

  /** Records that somebody changed by hand so that they break the rules of their kind. */
  get refused(): readonly RefusedRecord[] {
    return Array.from(this.#refused.values(), ({ shown }) => shown)
  }

  get refusedCount(): number {
    return this.#refused.size
  }

  /** The revision of a record that is not served, because it breaks the rules of its kind; 0 if there is none. */
  refusedRevisionOf(kind: string, id: string): Revision {
    return this.#refusedAt(kind, id)?.revision ?? 0
  }

  /** The digest of one of the newest revisions; `undefined` for others. */
  digestAt(revision: Revision): string | undefined {
    if (revision === this.revision) return this.#position.digest
    const recent = this.#digests[revision % RECENT_DIGESTS]
    return recent?.revision === revision ? recent.digest : undefined
  }

  get(kind: string, id: string): StoredRecord | undefined {
    return this.#records.get(kind, id)
  }

  /** Everything that is served. */
  get records(): Records {
    return this.#records
  }

  /** Every record at this moment. Records are replaced and never change, so later commits do not show in it. */
  snapshot(): ViewSnapshot {
    const records = this.#records.copy()
    for (const { stored } of this.#refused.values()) records.push(stored)
    return { position: this.#position, at: this.#at, records }
  }

  /** The commit that deleted a record that does not exist now; `undefined` if it is not known, or its history is compacted. */
  deletedAt(kind: string, id: string): Revision | undefined {
    return this.#kinds.get(kind)?.deletedAt.get(id)
  }

  projection<P extends Projection>(definition: ProjectionDefinition<P>): P {
    return this.#projections.get(definition) as P
  }

  /** Takes a page of a load. Only for a view that is being built. */
  seed({ records, tombstones }: LoadPage): void {
    for (const record of records) {
      const number = this.#records.find(record.kind, record.id)
      this.#putStored(this.#kind(record.kind), record, number)
    }
    for (const { kind, id, revision } of tombstones) this.#kind(kind).deletedAt.set(id, revision)
  }

  /**
   * Takes entries in order. Entries that the view has already are ignored, so the same entries may arrive in several ways.
   *
   * @param values the parsed `data` of writes by revision, if the caller has it
   * @returns the entries that were new
   * @throws CoordinatorError COORD_INTERNAL if entries are missing in between; then none is taken, and the view must be loaded again
   */
  apply(entries: readonly Entry[], values?: KnownValues): readonly Entry[] {
    const first = entries.findIndex((entry) => entry.revision > this.revision)
    if (first === -1) return []
    const fresh = first === 0 ? entries : entries.slice(first)
    this.#requireNext(fresh)
    for (const entry of fresh) this.#applyOne(entry, values?.get(entry.revision))
    return fresh
  }

  /** Forgets deletions that the journal no longer knows. */
  forgetDeletionsUpTo(floor: Revision): void {
    for (const { deletedAt } of this.#kinds.values())
      for (const [id, revision] of deletedAt) if (revision <= floor) deletedAt.delete(id)
  }

  /** Checked before any entry is taken. Otherwise observers would miss the entries before the gap. */
  #requireNext(entries: readonly Entry[]): void {
    let last = this.revision
    for (const { revision } of entries) {
      if (revision !== last + 1)
        throw new CoordinatorError('COORD_INTERNAL', {
          detail: `The journal went from revision ${last} to ${revision}.`,
        })
      last = revision
    }
  }

  #applyOne(entry: Entry, values: readonly (JsonObject | undefined)[] | undefined): void {
    for (let index = 0; index < entry.writes.length; index += 1)
      this.#write(entry, entry.writes[index] as EntryWrite, values?.[index])
    this.#position = { lineage: this.lineage, revision: entry.revision, digest: entry.digest }
    this.#digests[entry.revision % RECENT_DIGESTS] = this.#position
    this.#at = entry.at
    for (const projection of this.#settling) projection.settled?.(entry.revision)
  }

  #write(entry: Entry, write: EntryWrite, value: JsonObject | undefined): void {
    const { kind, id } = write
    const of = this.#kind(kind)
    const number = this.#records.find(kind, id)
    if (write.op === 'delete') {
      this.#remove(of, { kind, id }, number)
      this.#refused.delete(`${kind}\0${id}`)
      of.deletedAt.set(id, entry.revision)
      return
    }
    const before = this.#records.at(number) ?? this.#refusedAt(kind, id)
    const createdAt = before?.createdAt ?? entry.at
    const record = { kind, id, data: write.data, revision: entry.revision, createdAt, updatedAt: entry.at }
    if (value === undefined) this.#putStored(of, record, number)
    else this.#put(of, record, { number, data: value })
  }

  /** Puts a record that people may have written into the database. @param number the number of the record, -1 if it is new */
  #putStored(of: KindState, record: StoredRecord, number: number): void {
    const data = storedJson(record.data)
    const reason = data === undefined ? 'The data is not JSON.' : of.check?.(data)
    if (reason === undefined) this.#put(of, record, { number, data: data as JsonObject })
    else this.#refuse(of, record, { number, reason })
  }

  #put(
    of: KindState,
    record: StoredRecord,
    { number, data }: { readonly number: number; readonly data: JsonObject },
  ): void {
    const { kind, id } = record
    if (of.deletedAt.size > 0) of.deletedAt.delete(id)
    if (this.#refused.size > 0) this.#refused.delete(`${kind}\0${id}`)
    const taken = this.#records.put(record, number)
    for (const projection of of.projections) projection.put(taken, record, data)
  }

  #refuse(
    of: KindState,
    record: StoredRecord,
    { number, reason }: { readonly number: number; readonly reason: string },
  ): void {
    const { kind, id, revision, createdAt } = record
    of.deletedAt.delete(id)
    this.#remove(of, record, number)
    const shown = { kind, id, revision, createdAt, reason }
    this.#refused.set(`${kind}\0${id}`, { shown, stored: record })
  }

  #remove(of: KindState, key: RecordKey, number: number): void {
    if (number === -1) return
    this.#records.remove(key, number)
    for (const projection of of.projections) projection.remove(number)
  }

  #refusedAt(kind: string, id: string): RefusedRecord | undefined {
    return this.#refused.size === 0 ? undefined : this.#refused.get(`${kind}\0${id}`)?.shown
  }

  #kind(kind: string): KindState {
    let state = this.#kinds.get(kind)
    if (state === undefined) {
      const projections = this.#definitions.flatMap(([definition, projection]) =>
        definition.kinds.includes(kind) ? projection : [],
      )
      state = { check: this.#checks.get(kind), projections, deletedAt: new Map() }
      this.#kinds.set(kind, state)
    }
    return state
  }
}
