import type { CanonicalJson } from '../../records/canonical-json.ts'
import type { Position, RecordKey, Revision, StoredRecord, Tombstone } from '../../records/record.ts'
import { compactedMoment, futureMoment } from '../moment-errors.ts'
import type { AsOfFilter, LoadPage, Moment } from '../store.ts'
import type { Connection, HeadRow } from './connection.ts'
import { requireServing } from './modes.ts'
import { digestAt, type KeptVersion, readEntryRow, readKeptVersion } from './read-journal.ts'

/** A page ends after the row that exceeds this size, in UTF-16 code units. */
const PAGE_SIZE = 1024 * 1024
/** How many older versions one call visits before it lets others run. */
const VERSIONS_AT_ONCE = 2_000

type RecordRow = [
  kind: string,
  id: string,
  data: CanonicalJson | null,
  revision: Revision,
  createdAt: number,
  updatedAt: number,
]

/** A `RecordRow` with its rowid. */
type FileRow = [...RecordRow, rowid: number]

/** This key comes before every other key. */
const start: RecordKey = { kind: '', id: '' }

export interface LoadPart extends LoadPage {
  /** Pass it for the next page: the rowid of the last row. Absent after the last page. */
  readonly next?: number
}

/**
 * A page of records and tombstones, in the order of the file. In the order of keys, each row of a large file would be on another page of
 * the file.
 */
export function readLoadPage(connection: Connection, limit: number, after = 0): LoadPart {
  const { lineage, floor } = requireServing(connection.readHead())
  const { pageOfFile } = connection.statements
  const { rows, last } = takeRows<FileRow>(pageOfFile.iterate(after, limit), limit)
  const records: StoredRecord[] = []
  const tombstones: Tombstone[] = []
  for (const row of rows) {
    const record = recordOf(row)
    if (record !== undefined) records.push(record)
    // A deletion that the floor has passed counts as forgotten, even before compaction removes it.
    else if (row[3] > floor) tombstones.push({ kind: row[0], id: row[1], revision: row[3] })
  }
  return { lineage, records, tombstones, ...(last === undefined ? {} : { next: last[6] }) }
}

/**
 * Rows up to a number and a size. They are read one by one: a record may have 1 MiB, and the size of many rows at once would be known too
 * late.
 *
 * @returns `last`: the row after which the next part begins; absent if there are no more rows
 */
export function takeRows<Row extends { readonly 2: string | null }>(
  from: Iterable<unknown>,
  limit: number,
): { readonly rows: readonly Row[]; readonly last?: Row } {
  const rows: Row[] = []
  let size = 0
  for (const row of from as Iterable<Row>) {
    rows.push(row)
    size += row[2]?.length ?? 0
    if (rows.length >= limit || size >= PAGE_SIZE) return { rows, last: row }
  }
  return { rows }
}

function recordOf(row: RecordRow | FileRow): StoredRecord | undefined {
  const [kind, id, data, revision, createdAt, updatedAt] = row
  return data === null ? undefined : { kind, id, data, revision, createdAt, updatedAt }
}

/**
 * The position of a moment.
 *
 * @throws COORD_REVISION_COMPACTED, COORD_REVISION_FUTURE
 */
export function resolveMoment(connection: Connection, moment: Moment): Position {
  const head = requireServing(connection.readHead())
  const revision = 'revision' in moment ? moment.revision : revisionAtTime(connection, head, moment.at)
  if (revision < head.floor) throw compactedMoment(head.floor)
  if (revision > head.revision) throw futureMoment(`Revision ${revision}`, head.revision)
  return { lineage: head.lineage, revision, digest: digestAt(connection, head, revision) }
}

/** The newest revision at or before a time. Times never decrease from one revision to the next, and no revision is missing. */
function revisionAtTime(connection: Connection, head: HeadRow, at: number): Revision {
  const timeOf = (revision: Revision) =>
    revision === head.first_revision ? head.seeded_at : readEntryRow(connection, revision)?.at
  if (at < (timeOf(head.floor) ?? Number.NEGATIVE_INFINITY)) throw compactedMoment(head.floor)
  let [low, high] = [head.floor, head.revision]
  while (low < high) {
    const middle = low + Math.ceil((high - low) / 2)
    const time = timeOf(middle)
    if (time == null) throw connection.damaged(`revision ${middle} is missing from the journal`)
    if (time <= at) low = middle
    else high = middle - 1
  }
  return low
}

export interface AsOfQuestion {
  readonly revision: Revision
  readonly filter: AsOfFilter
  readonly limit: number
  /** `next` of the previous part. */
  readonly from?: AsOfCursor
}

/** The next part begins after the key `after`. With `pending`, that record is read first, from an older version on. */
export interface AsOfCursor {
  readonly after: RecordKey
  readonly pending?: RecordKey & { readonly version: Revision }
}

export interface AsOfPart {
  readonly records: readonly StoredRecord[]
  readonly next?: AsOfCursor
}

/**
 * A part of the records as they were at a revision. Each is found from its present row along its older versions, so the parts need no
 * common snapshot: later commits only make the walk longer.
 *
 * @throws COORD_REVISION_COMPACTED if the floor has risen above the revision in the meantime
 */
export function readAsOfPart(connection: Connection, question: AsOfQuestion): AsOfPart {
  const { floor } = requireServing(connection.readHead())
  if (question.revision < floor) throw compactedMoment(floor)
  return new AsOfReader(connection, question).read()
}

class AsOfReader {
  readonly #connection: Connection
  readonly #question: AsOfQuestion
  readonly #records: StoredRecord[] = []
  #versionsLeft = VERSIONS_AT_ONCE

  constructor(connection: Connection, question: AsOfQuestion) {
    this.#connection = connection
    this.#question = question
  }

  read(): AsOfPart {
    const { filter, from, limit } = this.#question
    let after = from?.after ?? startOf(filter)
    if (from?.pending !== undefined) {
      const { version, ...key } = from.pending
      const paused = this.#takeVersion(key, version)
      if (paused !== undefined) return this.#part({ after, pending: { ...key, version: paused } })
      after = key
    }
    if (filter.kind !== undefined && filter.id !== undefined)
      return this.#readOne(filter.kind, filter.id, from)
    const begin = after
    const { pageOfRecords } = this.#connection.statements
    const left = limit - this.#records.length
    const { rows, last } = takeRows<RecordRow>(pageOfRecords.iterate(begin.kind, begin.id, left), left)
    for (const row of rows) {
      const key = { kind: row[0], id: row[1] }
      if (filter.kind !== undefined && key.kind !== filter.kind) return this.#part()
      const paused = this.#take(key, row)
      if (paused !== undefined) return this.#part({ after, pending: { ...key, version: paused } })
      after = key
    }
    return this.#part(last === undefined ? undefined : { after })
  }

  #readOne(kind: string, id: string, from: AsOfCursor | undefined): AsOfPart {
    if (from !== undefined) return this.#part()
    const row = this.#connection.statements.readRecord.get(kind, id) as
      | { readonly revision: Revision }
      | undefined
    if (row === undefined) return this.#part()
    const paused = this.#takeVersion({ kind, id }, row.revision)
    return this.#part(
      paused === undefined ? undefined : { after: start, pending: { kind, id, version: paused } },
    )
  }

  /** Takes a record from its present row. Returns the version with which to continue, if the call has done enough. */
  #take(key: RecordKey, row: RecordRow): Revision | undefined {
    if (row[3] > this.#question.revision) return this.#takeVersion(key, row[3])
    const record = recordOf(row)
    if (record !== undefined) this.#records.push(record)
    return undefined
  }

  /** Walks to the version that was current at the revision, and takes it. */
  #takeVersion(key: RecordKey, from: Revision): Revision | undefined {
    const wanted = this.#question.revision
    let revision = from
    while (revision > 0) {
      if (this.#versionsLeft === 0) return revision
      this.#versionsLeft -= 1
      const version = readKeptVersion(this.#connection, key, revision)
      if (version === undefined) {
        if (revision <= wanted) return undefined
        throw this.#connection.damaged(`a version of revision ${revision} is missing`)
      }
      if (revision <= wanted) {
        if (version.data !== null) this.#records.push(this.#record(key, version, revision))
        return undefined
      }
      revision = version.prior
    }
    return undefined
  }

  #record(key: RecordKey, version: KeptVersion, revision: Revision) {
    const updatedAt = version.updated_at ?? readEntryRow(this.#connection, revision)?.at
    if (updatedAt === undefined)
      throw this.#connection.damaged(`revision ${revision} has writes but is missing from the journal`)
    const data = version.data as CanonicalJson
    return { ...key, data, revision, createdAt: version.created_at, updatedAt }
  }

  #part(next?: AsOfCursor): AsOfPart {
    return { records: this.#records, ...(next === undefined ? {} : { next }) }
  }
}

function startOf({ kind = '' }: AsOfFilter): RecordKey {
  return { kind, id: '' }
}
