import type { StoredRecord } from '../../records/record.ts'
import type { BasePoint } from '../format/archive-format.ts'

/** Every record at one revision. */
export interface RecordsAtOnce {
  readonly point: BasePoint
  /** In any order. `undefined` in between means nothing. */
  readonly records: readonly (StoredRecord | undefined)[]
}

/** What the coordinator serves from memory, so that nobody has to ask the database for all records. */
export interface ArchiveSource {
  /** The moment that is served; `undefined` while nothing is. */
  served(): BasePoint | undefined
  /** Takes some milliseconds, however many records there are; `undefined` while nothing is served. */
  snapshot(): RecordsAtOnce | undefined
}
