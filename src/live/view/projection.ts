import type { JsonObject } from '../../records/canonical-json.ts'
import type { Revision, StoredRecord } from '../../records/record.ts'

/**
 * What the domain keeps over the records of one view: an index, a graph. It sees every record that is served, once for
 * each change, in revision order. A view that is built anew gets new projections.
 */
export interface Projection {
  /**
   * A record appeared or changed.
   *
   * @param slot a small number that the record keeps as long as it is served: what is kept about it can be a column
   * @param data the parsed `record.data`; keep neither it nor parts of it without need
   */
  put(slot: number, record: StoredRecord, data: JsonObject): void
  /** A record is no longer served: it was deleted, or a change by hand made it invalid. Its slot goes to another one. */
  remove(slot: number): void
  /** All writes of one commit are in. Not called while a view is being built. */
  settled?(revision: Revision): void
}

/** Names a projection and makes it; also the key to find it in a view. */
export interface ProjectionDefinition<P extends Projection = Projection> {
  readonly name: string
  /** The kinds it wants to see. */
  readonly kinds: readonly string[]
  create(): P
}

/**
 * Says what is wrong with the data of a record, or `undefined`. Data made by this program always passes; this is for what
 * people wrote into the database by hand.
 */
export type KindCheck = (data: unknown) => string | undefined

/** What the live layer knows of the domain. Kinds that are not named are served unchecked. */
export interface Domain {
  readonly kinds: Readonly<Record<string, KindCheck>>
  readonly projections: readonly ProjectionDefinition[]
}
