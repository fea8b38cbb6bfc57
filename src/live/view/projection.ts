import type { JsonObject } from '../../records/canonical-json.ts'
import type { Revision, StoredRecord } from '../../records/record.ts'

/**
 * Data that the domain computes from the records of one view: an index, a graph. It is told about every served record, once for each
 * change, in the order of revisions. A view that is loaded again gets new projections.
 */
export interface Projection {
  /**
   * A record appeared or changed.
   *
   * @param number a small number that the record keeps as long as it is served. Projections can keep their data in columns by number
   * @param data the parsed `record.data`. Do not keep it, or parts of it, without need
   */
  put(number: number, record: StoredRecord, data: JsonObject): void
  /** A record is no longer served: it was deleted, or a change by hand made it invalid. Another record may get its number. */
  remove(number: number): void
  /** All writes of one commit have been applied. Not called while a view is being loaded. */
  settled?(revision: Revision): void
}

/** The name and the constructor of a projection; also the key to find it in a view. */
export interface ProjectionDefinition<P extends Projection = Projection> {
  readonly name: string
  /** The kinds of records that the projection needs. */
  readonly kinds: readonly string[]
  create(): P
}

/**
 * Returns the fault in the data of a record, or `undefined`. Data made by this program always passes. The check is for data that people
 * wrote into the database by hand.
 */
export type KindCheck = (data: unknown) => string | undefined

/** Tells the live layer which kinds and projections exist. Records of other kinds are served without a check. */
export interface Domain {
  readonly kinds: Readonly<Record<string, KindCheck>>
  readonly projections: readonly ProjectionDefinition[]
}
