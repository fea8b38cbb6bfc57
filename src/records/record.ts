import type { CanonicalJson } from './canonical-json.ts'

/**
 * The number of a commit in its history: a safe integer from 1 on, without gaps. 0 means "before the first commit". In `expect` and
 * `previous` it means "does not exist".
 */
export type Revision = number

/** The largest revision that a store gives out. JavaScript cannot count beyond it. */
export const MAX_REVISION: Revision = Number.MAX_SAFE_INTEGER

/** The name of a record: a kind (`service`, `node`, `edge` or another) and an id that is unique within the kind. */
export interface RecordKey {
  readonly kind: string
  readonly id: string
}

/** A record as a store keeps it. Times are epoch milliseconds, UTC, from the clock of the store. */
export interface StoredRecord extends RecordKey {
  readonly data: CanonicalJson
  /** The commit that wrote `data`. */
  readonly revision: Revision
  /** The time at which the record was created, or created again after a delete. */
  readonly createdAt: number
  readonly updatedAt: number
}

/** The trace of a deleted record. It lasts until the history is compacted beyond it. */
export interface Tombstone extends RecordKey {
  /** The commit that deleted it. */
  readonly revision: Revision
}

/** Stores `data` under a key. With `expect`, only if the record has that revision now (0: does not exist). */
export interface PutWrite extends RecordKey {
  readonly op: 'put'
  readonly data: CanonicalJson
  readonly expect?: Revision
}

/** Removes a record. Without `expect`, removing a record that does not exist changes nothing. */
export interface DeleteWrite extends RecordKey {
  readonly op: 'delete'
  readonly expect?: Revision
}

export type Write = PutWrite | DeleteWrite

/** Writes that happen together or not at all. A commit names each record at most once. */
export interface Commit {
  /** A UUID made by the client. If an accepted commit arrives again, it gets its first result. */
  readonly commitId: string
  /** The author: `http:<address>`, `cli:<user>`, `sql:<role>`, or the name that the client gave. */
  readonly actor: string
  readonly writes: readonly Write[]
  /**
   * A hash of the client's request. The same `commitId` with another fingerprint gets `reused` instead of the first result. It is set for
   * ids that clients choose (`Idempotency-Key`), and absent otherwise.
   */
  readonly fingerprint?: string
}

/** A write as the journal keeps it. */
export type EntryWrite = Omit<PutWrite, 'expect'> | Omit<DeleteWrite, 'expect'>

/** An accepted commit. */
export interface Entry {
  readonly revision: Revision
  readonly commitId: string
  /** Set by the store under its lock, and never earlier than in the previous entry. Epoch milliseconds, UTC. */
  readonly at: number
  readonly actor: string
  readonly writes: readonly EntryWrite[]
  /** That of its commit. Never shown to clients; a backup needs it to answer a repeated `Idempotency-Key` after a restore. */
  readonly fingerprint?: string
  /** `sha256(digest of the previous revision + commitId)`, hex. The digest of revision 0 is the lineage. */
  readonly digest: string
}

/** A moment of a history. If two histories agree on a position, they agree on everything before it. */
export interface Position {
  /** UUID of the history. */
  readonly lineage: string
  readonly revision: Revision
  readonly digest: string
}
