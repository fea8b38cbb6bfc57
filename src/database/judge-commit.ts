import type { CanonicalJson } from '../records/canonical-json.ts'
import type { Commit, Entry, EntryWrite, Revision, Write } from '../records/record.ts'
import type { CommitResult, Conflict, FoundUnchanged } from './store.ts'

/** The state of a record when a commit is judged. */
export interface CurrentState {
  readonly revision: Revision
  readonly data: CanonicalJson
}

/** The commit may be stored. `previous` has the revision of each record; 0 if it does not exist. */
export interface Acceptable {
  readonly outcome: 'acceptable'
  readonly previous: readonly Revision[]
}

/**
 * Judges one commit whose id is not known yet: first every `expect`, then whether the commit changes anything. It is a pure function, so
 * that all backends whose logic runs in this process decide alike.
 *
 * @param states the record of each write, read under the lock of the store; `undefined` if it does not exist
 */
export function judgeCommit(
  { writes }: Commit,
  states: readonly (CurrentState | undefined)[],
): Acceptable | FoundUnchanged | Conflict {
  const revisions = states.map(revisionOf)
  for (let index = 0; index < writes.length; index += 1) {
    const { kind, id, expect: expected } = writes[index] as Write
    const actual = revisions[index] as Revision
    if (expected !== undefined && expected !== actual)
      return { outcome: 'conflict', kind, id, expected, actual }
  }
  const changes = writes.some((write, index) => changesState(write, states[index]))
  return changes
    ? { outcome: 'acceptable', previous: revisions }
    : { outcome: 'unchanged', revisions, replayed: false }
}

function revisionOf(state: CurrentState | undefined): Revision {
  return state === undefined ? 0 : state.revision
}

function changesState(write: Write, state: CurrentState | undefined): boolean {
  return write.op === 'put' ? write.data !== state?.data : state !== undefined
}

/** The write as the journal keeps it, without its `expect`. */
export function entryWrite(write: Write): EntryWrite {
  if (write.expect === undefined) return write
  const { kind, id } = write
  return write.op === 'put' ? { op: 'put', kind, id, data: write.data } : { op: 'delete', kind, id }
}

/** The entry of an accepted commit. */
export function entryOf(
  { commitId, actor, fingerprint, writes }: Commit,
  { revision, at, digest }: Pick<Entry, 'revision' | 'at' | 'digest'>,
): Entry {
  const entry = { revision, commitId, at, actor, writes: writes.map(entryWrite), digest }
  return fingerprint === undefined ? entry : { ...entry, fingerprint }
}

/** The journal entries of the commits that were just accepted from a batch. The database need not send back what it received. */
export function acceptedEntries(results: readonly CommitResult[], batch: readonly Commit[]): Entry[] {
  const entries: Entry[] = []
  for (let index = 0; index < results.length; index += 1) {
    const result = results[index] as CommitResult
    if (result.outcome !== 'accepted' || result.replayed) continue
    const { revision, at, digest } = result
    entries.push(entryOf(batch[index] as Commit, { revision, at, digest }))
  }
  return entries
}
