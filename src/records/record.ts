import type { CanonicalJson } from './canonical-json.ts'

/**
 * The number of a commit in its history: a safe integer from 1 on, without gaps. 0 stands for "before the first commit",
 * and in `expect` and `previous` for "does not exist".
 */
export type Revision = number

/** The largest revision a store gives out: beyond it JavaScript can no longer count. */
export const MAX_REVISION: Revision = Number.MAX_SAFE_INTEGER

/** What names a record: an open kind (`service`, `node`, `edge`) and an id that is unique within it. */
export interface RecordKey {
  readonly kind: string
  readonly id: string
}

/** A record as a store keeps it. Times are epoch milliseconds, UTC, from the store's clock. */
export interface StoredRecord extends RecordKey {
  readonly data: CanonicalJson
  /** The commit that wrote `data`. */
  readonly revision: Revision
  /** When the record came into being, or came back after a delete. */
  readonly createdAt: number
  readonly updatedAt: number
}

/** What is left of a deleted record until the history is compacted beyond it. */
export interface Tombstone extends RecordKey {
  /** The commit that deleted it. */
  readonly revision: Revision
}

/** Stores `data` under a key. With `expect` only if the record has that revision now (0: does not exist). */
export interface PutWrite extends RecordKey {
  readonly op: 'put'
  readonly data: CanonicalJson
  readonly expect?: Revision
}

/** Removes a record. Without `expect`, removing what is absent changes nothing. */
export interface DeleteWrite extends RecordKey {
  readonly op: 'delete'
  readonly expect?: Revision
}

export type Write = PutWrite | DeleteWrite

/** Writes that happen together or not at all. A commit names each record at most once. */
export interface Commit {
  /** UUID made by the client: an accepted commit that comes again answers its first result. */
  readonly commitId: string
  /** Who did it: `http:<address>`, `cli:<user>`, `sql:<role>`, or what the client called itself. */
  readonly actor: string
  readonly writes: readonly Write[]
  /**
   * What the client asked for, as a hash. The same `commitId` with another fingerprint is answered `reused` instead of
   * the first result. Set for ids that clients choose (`Idempotency-Key`); absent otherwise.
   */
  readonly fingerprint?: string
}

/** A write as the journal keeps it. */
export type EntryWrite = Omit<PutWrite, 'expect'> | Omit<DeleteWrite, 'expect'>

/** A commit as it was accepted. */
export interface Entry {
  readonly revision: Revision
  readonly commitId: string
  /** Set by the store under its lock, never before the entry before it. Epoch milliseconds, UTC. */
  readonly at: number
  readonly actor: string
  readonly writes: readonly EntryWrite[]
  /** `sha256(digest of the revision before + commitId)`, hex; the digest of revision 0 is the lineage. */
  readonly digest: string
}

/** A point in a history. Histories that agree on a position agree on everything before it. */
export interface Position {
  /** UUID of the history. */
  readonly lineage: string
  readonly revision: Revision
  readonly digest: string
}
