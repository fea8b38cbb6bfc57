import type { Commit, Revision } from '../../records/record.ts'
import {
  resultOfUnchanged,
  UNCHANGED_KEPT_MAX,
  UNCHANGED_KEPT_MS,
  type UnchangedCommit,
  withoutData,
} from '../unchanged-commits.ts'
import type { Connection } from './connection.ts'
import { readKeptVersion } from './read-journal.ts'

interface UnchangedRow {
  readonly fingerprint: string
  readonly writes: string
  readonly revisions: string
}

/** The first result of a commit that changed nothing; `undefined` if the id is not remembered. */
export function resultOfUnchangedCommit(connection: Connection, { commitId, fingerprint }: Commit) {
  const row = connection.statements.readUnchanged.get(commitId) as UnchangedRow | undefined
  if (row === undefined) return undefined
  const writes = JSON.parse(row.writes) as UnchangedCommit['writes']
  const revisions = JSON.parse(row.revisions) as readonly Revision[]
  return resultOfUnchanged(
    { fingerprint: row.fingerprint, writes, revisions },
    fingerprint,
    ({ kind, id }, revision) => {
      const data = readKeptVersion(connection, { kind, id }, revision)?.data ?? null
      return data === null ? undefined : { op: 'put', kind, id, data }
    },
  )
}

interface Remembered extends Pick<Commit, 'commitId' | 'writes'> {
  readonly fingerprint: string
  readonly revisions: readonly Revision[]
  readonly at: number
}

/** Keeps a commit that changed nothing, and deletes those that are too old or too many. */
export function rememberUnchanged(
  { statements }: Connection,
  { commitId, fingerprint, writes, revisions, at }: Remembered,
): void {
  const [keys, numbers] = [JSON.stringify(writes.map(withoutData)), JSON.stringify(revisions)]
  statements.insertUnchanged.run(commitId, fingerprint, at, keys, numbers)
  statements.forgetUnchanged.run(UNCHANGED_KEPT_MAX, at - UNCHANGED_KEPT_MS)
}
