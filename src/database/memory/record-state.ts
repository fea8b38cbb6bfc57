import type { Entry, EntryWrite, Revision, StoredRecord, Tombstone } from '../../records/record.ts'

/** What led to the state of a record. */
interface Trace {
  /** The revision that the record had before; 0 if it did not exist. */
  readonly previous: Revision
  /** The revision of the previous write to the record, including deletions; 0 for the first. It leads through the history of a record. */
  readonly prior: Revision
}

/** A version of a record, or the tombstone of its deletion, with what a reader of the past needs. */
export type RecordState = (StoredRecord & Trace) | (Tombstone & Trace)

/** A version of a record. */
export type RecordVersion = StoredRecord & Trace

export function exists(state: RecordState | undefined): state is RecordVersion {
  return state !== undefined && 'data' in state
}

/** The state of a record after a write. @param before its state until then; `undefined` if nothing is known of it */
export function stateAfter(
  write: EntryWrite,
  { revision, at }: Pick<Entry, 'revision' | 'at'>,
  before: RecordState | undefined,
): RecordState {
  const { kind, id } = write
  const known = exists(before) ? before : undefined
  const previous = known === undefined ? 0 : known.revision
  const prior = before === undefined ? 0 : before.revision
  if (write.op === 'delete') return { kind, id, revision, previous, prior }
  const createdAt = known === undefined ? at : known.createdAt
  return { kind, id, data: write.data, revision, createdAt, updatedAt: at, previous, prior }
}

/** The state of a record that was seeded: nothing is known of what was before. */
export function seededState({ kind, id, data, revision, createdAt, updatedAt }: StoredRecord): RecordState {
  return { kind, id, data, revision, createdAt, updatedAt, previous: 0, prior: 0 }
}

/** The record as the port knows it. */
export function recordOf({ kind, id, data, revision, createdAt, updatedAt }: RecordVersion): StoredRecord {
  return { kind, id, data, revision, createdAt, updatedAt }
}

/** The tombstone as the port knows it. */
export function tombstoneOf({ kind, id, revision }: RecordState): Tombstone {
  return { kind, id, revision }
}
