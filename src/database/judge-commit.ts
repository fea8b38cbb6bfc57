import type { CanonicalJson } from '../records/canonical-json.ts'
import type { Commit, EntryWrite, RecordKey, Revision, Write } from '../records/record.ts'
import type { Conflict, Unchanged } from './store.ts'

/** The state of a record that a commit is judged against. */
export interface CurrentState {
  readonly revision: Revision
  readonly data: CanonicalJson
}

/** Reads a record under the store's lock; `undefined` where it does not exist. */
export type ReadCurrent = (key: RecordKey) => CurrentState | undefined

/** The commit may be stored: `previous` has the revision of each record, 0 where it does not exist. */
export interface Acceptable {
  readonly outcome: 'acceptable'
  readonly previous: readonly Revision[]
}

/**
 * Judges one commit whose id is not known yet: every `expect` first, then whether it changes anything.
 * Pure, so that every backend whose logic runs in this process decides alike.
 */
export function judgeCommit(commit: Commit, read: ReadCurrent): Acceptable | Unchanged | Conflict {
  const states = commit.writes.map(read)
  const revisions = states.map((state) => state?.revision ?? 0)
  for (const [index, write] of commit.writes.entries()) {
    const actual = revisions[index] ?? 0
    if (write.expect !== undefined && write.expect !== actual)
      return { outcome: 'conflict', kind: write.kind, id: write.id, expected: write.expect, actual }
  }
  const changes = commit.writes.some((write, index) => changesState(write, states[index]))
  return changes ? { outcome: 'acceptable', previous: revisions } : { outcome: 'unchanged', revisions }
}

function changesState(write: Write, state: CurrentState | undefined): boolean {
  return write.op === 'put' ? write.data !== state?.data : state !== undefined
}

/** The write as the journal keeps it: without what it expected. */
export function entryWrite(write: Write): EntryWrite {
  const { kind, id } = write
  return write.op === 'put' ? { op: 'put', kind, id, data: write.data } : { op: 'delete', kind, id }
}
